"""`python -m bench.parse MODEL LINES COUNT`: how long a model takes to understand a line, inside Rasa's agent.

LINES is a JSON list. Prints one JSON list of seconds. Our own model is served without TensorFlow, as in production.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from followup.settings import PROJECT_DIR
from followup.supervise import no_tensorflow

_WARM_UP = 20
_SECONDS = 600


def parse_seconds(model: Path, lines: Sequence[str], count: int) -> list[float]:
    """Seconds of each of `count` lines, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.parse", str(model), json.dumps(list(lines)), str(count)],
        cwd=PROJECT_DIR,
        env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    seconds: list[float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def main() -> None:
    model, lines, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    no_tensorflow.leave_out(model)
    import logging

    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)  # or each parsed line is written down, and the time goes there
    agent = Agent.load(model)

    async def run() -> list[float]:
        taken = []
        for number in range(count + _WARM_UP):
            began = time.perf_counter()
            await agent.parse_message(lines[number % len(lines)])
            taken.append(time.perf_counter() - began)
        return taken[_WARM_UP:]

    print(json.dumps(asyncio.run(run())))


if __name__ == "__main__":
    main()
