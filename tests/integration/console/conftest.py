"""The console before a real PostgreSQL, and people of every role to use it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from followup.console import accounts, sessions
from followup.settings import Settings
from followup.store.database import Database
from followup.web.app import make_app

PASSWORD = "a long enough one"


class Browser:
    """A logged-in browser: pages as text, forms with the page's own token."""

    def __init__(self, client: TestClient, user_id: int = 0) -> None:
        self.client = client
        self.user_id = user_id

    async def get(self, path: str, status: int = 200) -> str:
        async with self.client.get(path, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status == status, (answer.status, text[:2000])
            return text

    async def post(self, path: str, status: int = 303, **fields: Any) -> str:
        """Send a form; after a redirect the text is the address it led to."""
        data = {"csrf": self.csrf, **{name: str(value) for name, value in fields.items()}}
        async with self.client.post(path, data=data, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status == status, (answer.status, text[:2000])
            return answer.headers.get("Location", "") if answer.status == 303 else text

    @property
    def token(self) -> str:
        cookies = self.client.session.cookie_jar.filter_cookies(self.client.make_url("/console"))
        return cookies[sessions.COOKIE].value if sessions.COOKIE in cookies else ""

    @property
    def csrf(self) -> str:
        return sessions.csrf_token(self.token)

    async def login(self, name: str, password: str = PASSWORD) -> aiohttp.ClientResponse:
        return await self.client.post("/console/login", data={"name": name, "password": password}, allow_redirects=False)


def text_of(page: str) -> str:
    """What a reader sees of a page."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", "", page)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as it is used, but cheap: what it costs is not what these tests are about."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


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
async def stranger(server: TestServer) -> AsyncIterator[Browser]:
    """A browser that nobody has logged in with."""
    async with TestClient(server) as client:
        yield Browser(client)


@pytest_asyncio.fixture
async def enter(server: TestServer, database: Database) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """`await enter("supervisor")`: a browser of somebody of that role, logged in; `name` is the role unless given."""
    clients: list[TestClient] = []

    async def enter(role: str, name: str = "", department: str = "") -> Browser:
        async with database.session() as session:
            user, _ = await accounts.create(session, name or role, role, PASSWORD, department)
        client = TestClient(server)
        await client.start_server()
        clients.append(client)
        browser = Browser(client, user.id)
        assert (await browser.login(name or role)).status == 303
        return browser

    yield enter
    for client in clients:
        await client.session.close()
