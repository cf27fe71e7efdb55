"""One running stack for all talks: PostgreSQL, Rasa and the action server, as in production; no worker, the test holds the turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from followup.store.database import Database
from followup.supervise.stack import Stack
from followup.talk.rasa_client import RasaClient
from tests.e2e.dialogue_file import moment


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack.temporary(worker=False, web=False) as running:
        yield running


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = Database(stack.database_url)
    yield database
    await database.close()


@pytest.fixture
async def rasa(stack: Stack) -> AsyncIterator[RasaClient]:
    async with RasaClient(stack.rasa_url) as client:
        yield client


@pytest.fixture
def set_now(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Say what time it is. The time of a message travels with it, so the other processes need not be told."""
    return lambda text: monkeypatch.setenv("FOLLOWUP_NOW", moment(text))
