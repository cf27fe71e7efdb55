"""The long tests run when they are asked for: `make test-long`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPORT = pytest.StashKey[list[str]]()
_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("FOLLOWUP_LONG_TESTS"):
        return
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.skip(reason="takes minutes: make test-long"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[REPORT]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the end of the run, passed or failed."""
    return request.config.stash[REPORT]
