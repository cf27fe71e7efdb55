"""One running stack for all talks: PostgreSQL, Rasa and the action server, as in production; no worker, the test holds the turns."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from followup.store.database import Database
from followup.supervise import runfile
from followup.supervise.stack import Stack
from followup.talk.rasa_client import RasaClient
from tests.e2e.dialogue_file import moment


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


@pytest.fixture
async def database(addresses: Addresses) -> AsyncIterator[Database]:
    database = Database(addresses.database_url)
    yield database
    await database.close()


@pytest.fixture
async def rasa(addresses: Addresses) -> AsyncIterator[RasaClient]:
    async with RasaClient(addresses.rasa_url) as client:
        yield client


@pytest.fixture
def set_now(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Say what time it is. The time of a message travels with it, so the other processes need not be told."""
    return lambda text: monkeypatch.setenv("FOLLOWUP_NOW", moment(text))
