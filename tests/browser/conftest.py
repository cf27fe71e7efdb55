"""A headless browser, a real gateway on a real port, and a scripted stand-in for the bot."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from followup.settings import Settings
from followup.store.database import Database
from followup.web.assets import ensure_assets
from tests.browser.browsing import FLAGS, Devices, Gateway, chromium, open_chat
from tests.browser.standin import OPENING, Bot, Talk, make_talk, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests here: the browser, which takes seconds to start, lives in it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session", autouse=True)
def assets() -> None:
    ensure_assets(print)


@pytest.fixture(scope="session", autouse=True)
def a_click_ends_where_it_leads() -> Iterator[None]:
    """A click that leads to another page ends when its scripts run; what is done there before would be lost on a busy machine."""
    click = Locator.click

    async def and_wait(self: Locator, **options: Any) -> None:
        await click(self, **options)
        await self.page.wait_for_load_state()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Locator, "click", and_wait)
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    gateway = Gateway(Settings(home=tmp_path, database_url=database_url, port=port, public_url=url, secret="t" * 40))
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bot(database: Database) -> AsyncIterator[Bot]:
    async with running(Bot(database)) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="session")
async def talk(database: Database) -> Talk:
    return await make_talk(database)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def devices(browser: Browser) -> AsyncIterator[Devices]:
    devices = Devices(browser)
    yield devices
    for context in browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(devices: Devices, gateway: Gateway, bot: Bot, talk: Talk) -> Page:
    """The chat, opened by the link, with the opening said."""
    page = await open_chat(await devices.new(), gateway, talk)
    await expect(page.locator(".message-bubble[dir]")).to_have_text([OPENING])
    return page
