# `make run` needs Python 3.11 and pip, nothing else: no Node, no PostgreSQL, no Docker.
.DEFAULT_GOAL := run
export RASA_TELEMETRY_ENABLED := false
# Rasa needs Python 3.11: the one at hand when it is that, else whatever uv finds or fetches.
export UV_PYTHON ?= $(shell python3 -c 'import sys; print(sys._base_executable if sys.version_info[:2] == (3, 11) else "3.11")')
export UV_PYTHON_PREFERENCE ?= system
# Compiled once at the installation instead of at the first start, where somebody waits.
export UV_COMPILE_BYTECODE := 1
# Where uv goes when the machine's own Python may not be installed into (PEP 668).
UV_VENV := .uv-venv
export PATH := $(CURDIR)/$(UV_VENV)/bin:$(PATH)

# Three test processes: two cores wait for databases and pages a good part of the time; what shares a stack or a browser stays together (tests/conftest.py).
SIDE_BY_SIDE ?= -n 3 --dist loadgroup --no-loadscope-reorder

.PHONY: run test test-long bench load bench-console bench-understanding nlu-report train coverage examples dependencies uv

# Start everything; Ctrl-C stops it.
run: uv
	uv sync --frozen
	@exec uv run --no-sync followup up

# Units, integration, the chat page, every talk in process and the chosen ones with the real Rasa: see docs/testing.md.
test: uv
	uv sync --frozen
	uv run --no-sync python -m followup.web.assets
	uv run --no-sync pytest $(SIDE_BY_SIDE)

# The same, and what takes long: every talk with the real Rasa, and killing processes again and again.
test-long: uv
	uv sync --frozen
	uv run --no-sync python -m followup.web.assets
	FOLLOWUP_LONG_TESTS=1 uv run --no-sync pytest

# Three systems beside each other (start, parse, turn, training, memory, size); BENCH="--write" keeps the figures in docs/performance.md.
bench: uv
	uv sync --frozen
	uv run --no-sync python -m bench $(BENCH)

# Customers at a rate through the web chat (locust, by uvx) and a fake WeChat, each answer checked; LOAD="--rate 20 --minutes 60 --talks 500".
load: uv
	uv sync --frozen
	uv run --no-sync python -m bench.load $(LOAD)

# Every page of the console over 100,000 talks and 2 million messages; BENCH="--write" keeps the table in docs/performance-console.md.
bench-console: uv
	uv sync --frozen
	uv run --no-sync python -m bench.console_load $(BENCH)

# Ways to understand replies on the frozen sets; UNDERSTANDING="--write" keeps the table in docs/understanding.md.
bench-understanding: uv
	uv sync --frozen
	uv run --no-sync python -m bench.understanding $(UNDERSTANDING)

# var/understanding/report.html and .md: each intent, confusions, calibration and worst lines, beside DIET.
nlu-report: uv
	uv sync --frozen
	uv run --no-sync python -m bench.understanding.report

# A model of the present training data.
train: uv
	uv sync --frozen
	uv run --no-sync followup train

# docs/coverage.md: every talk is played, and what it walked is written down beside what the documents ask for.
coverage: uv
	uv sync --frozen
	uv run --no-sync python -m tests.e2e.coverage

# docs/zh/examples: talks as people would hold them, three or more a trade, as they go today.
examples: uv
	uv sync --frozen
	uv run --no-sync python -m tests.e2e.examples

# docs/dependencies.md: every pinned package with its licence, and what is known about the old ones.
dependencies: uv
	uv sync --frozen
	uv run --no-sync python -m bench.dependencies --write

uv:
	@command -v uv >/dev/null || { python3 -m pip install --quiet uv && command -v uv >/dev/null; } 2>/dev/null \
	  || { python3 -m venv $(UV_VENV) && $(UV_VENV)/bin/pip install --quiet uv; }
