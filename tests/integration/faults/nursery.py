"""A warm process that forks the ones to be killed: `python -m tests.integration.faults.nursery URL`.

Everything is imported, read and compiled once, and there is no connection and no event loop when it forks, so that a process to kill costs
a tenth of a second and not a start. Reads a task a line from its standard input and answers with a line: JSON both.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .points import KILLED

_ROOT = Path(__file__).parents[3]
MORTAL = "mortal"
"""What the connections of these processes are called in pg_stat_activity."""
_TOO_LONG = 300
"""Seconds after which a process is given up; a kill or an end comes in well under one."""


@dataclass(frozen=True)
class Ended:
    """`passed`: the points in their order; `killed_at`: the last of them, if it died there."""

    passed: tuple[str, ...]
    killed_at: str | None


@dataclass
class Nursery:
    """The parent's side."""

    process: subprocess.Popen[str]

    def run(self, role: str, at: datetime, *, nth: int = 0, spared: Collection[str] | None = None, fork: bool = True, **given: Any) -> Ended:
        """One process until it ends: killed (`Points`) or done. AssertionError when it failed.

        Without `fork` the nursery does it itself and becomes warm: what it has read and compiled, later ones inherit.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        task = {"fork": fork, "role": role, "at": at.isoformat(), "nth": nth, "spared": None if spared is None else sorted(spared), "given": given}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the nursery is gone"
        answer = json.loads(line)
        assert not answer["failed"], f"{role}: {answer['failed']}"
        return Ended(tuple(answer["passed"]), answer["killed_at"])


@contextmanager
def nursery(url: str) -> Iterator[Nursery]:
    """For the database at `url`."""
    env = {**os.environ, "DATABASE_URL": url, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PGAPPNAME": MORTAL}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.faults.nursery", url], cwd=_ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _bear(url: str, task: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as trouble:
        status = 0
        if task["fork"]:
            gc.freeze()  # what no child looks through, no child copies
            child = os.fork()
            if child == 0:
                signal.alarm(_TOO_LONG)
                os._exit(_live(url, task, log.fileno(), trouble.fileno()))
            _, status = os.waitpid(child, 0)
            ended_well = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        else:
            ended_well = _live(url, task, log.fileno(), trouble.fileno()) == 0
        log.seek(0)
        trouble.seek(0)
        passed = log.read().decode().splitlines()
        failed = trouble.read().decode()[-4000:]
    last = passed[-1] if passed else ""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and last.startswith(KILLED):
        name = last.removeprefix(KILLED)
        return {"passed": [*passed[:-1], name], "killed_at": name, "failed": ""}
    return {"passed": passed, "killed_at": None, "failed": "" if ended_well else failed or f"status {status}"}


def _live(url: str, task: dict[str, Any], log: int, trouble: int) -> int:
    """Returns the exit code, unless it is killed."""
    from .points import Points, begin
    from .roles import ROLES

    try:
        os.environ["FOLLOWUP_NOW"] = task["at"]
        begin(Points(log, task["nth"], None if task["spared"] is None else frozenset(task["spared"])))
        asyncio.run(ROLES[task["role"]](url, **task["given"]))
    except BaseException:
        os.write(trouble, traceback.format_exc().encode())
        return 1
    return 0


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(_bear(sys.argv[1], json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
