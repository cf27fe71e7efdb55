"""One running stack for all talks: PostgreSQL, Rasa and the action server, as in production; no worker, the test holds the turns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from followup.supervise import runfile
from followup.supervise.stack import Stack


@dataclass(frozen=True)
class Addresses:
    database_url: str
    rasa_url: str


@pytest.fixture(scope="session")
def addresses() -> Iterator[Addresses]:
    """A stack of the run's own; or, while talks are being written, the one that FOLLOWUP_TRY_HOME names (`followup up --home`)."""
    if home := os.environ.get("FOLLOWUP_TRY_HOME"):
        running = runfile.read(Path(home))
        assert running is not None, f"nothing runs in {home}"
        yield Addresses(running.database_url, running.rasa_url)
        return
    with Stack.temporary(worker=False, web=False) as stack:
        yield Addresses(stack.database_url, stack.rasa_url)
