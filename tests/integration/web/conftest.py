"""The web application before a real PostgreSQL, and a talk to hold in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from followup.settings import Settings
from followup.store.database import Database
from followup.web.app import make_app
from tests.integration.web.web_talk import Talk, make_talk


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40)


@pytest_asyncio.fixture
async def server(settings: Settings) -> AsyncIterator[TestServer]:
    server = TestServer(make_app(settings))
    await server.start_server()
    yield server
    await server.close()


@pytest_asyncio.fixture
async def visitor(server: TestServer) -> AsyncIterator[TestClient]:
    """A browser without a session."""
    async with TestClient(server) as client:
        yield client


@pytest_asyncio.fixture
async def talk(database: Database) -> Talk:
    return await make_talk(database)


@pytest_asyncio.fixture
async def client(visitor: TestClient, talk: Talk) -> TestClient:
    """A browser in the talk."""
    answer = await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert answer.status == 303
    return visitor
