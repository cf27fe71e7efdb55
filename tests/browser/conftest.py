"""A headless browser, a real gateway on a real port, and a scripted stand-in for the bot."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from standin import Bot, Talk, make_talk, running

from followup.settings import Settings
from followup.store.database import Database
from followup.web.app import make_app
from followup.web.assets import ensure_assets

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Gateway:
    """The web application on a port of its own, which can be stopped and started again."""

    settings: Settings
    runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    async def start(self) -> None:
        self.runner = web.AppRunner(make_app(self.settings), access_log=None, shutdown_timeout=1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.settings.port).start()

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()
            self.runner = None


@dataclass
class Devices:
    """Browser contexts: each one is another device. Every request any of them makes is kept."""

    browser: Browser
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def new(self, **options) -> BrowserContext:
        context = await self.browser.new_context(locale="zh-CN", **options)
        context.set_default_timeout(10_000)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        return context


@pytest.fixture(scope="session", autouse=True)
def assets() -> None:
    ensure_assets(print)


@pytest_asyncio.fixture
async def gateway(database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    gateway = Gateway(Settings(home=tmp_path, database_url=database_url, port=port, public_url=url, secret="t" * 40))
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest_asyncio.fixture
async def bot(database: Database) -> AsyncIterator[Bot]:
    async with running(Bot(database)) as bot:
        yield bot


@pytest_asyncio.fixture
async def talk(database: Database) -> Talk:
    return await make_talk(database)


@pytest_asyncio.fixture
async def devices() -> AsyncIterator[Devices]:
    # CHROMIUM names a browser; without it that of the system, else the one Playwright brought.
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        devices = Devices(browser)
        yield devices
        await browser.close()


@pytest_asyncio.fixture
async def page(devices: Devices, gateway: Gateway, bot: Bot, talk: Talk) -> Page:
    """The chat, opened by the link, with the opening said."""
    return await open_chat(await devices.new(), gateway, talk)


async def open_chat(context: BrowserContext, gateway: Gateway, talk: Talk) -> Page:
    page = await context.new_page()
    await page.goto(f"{gateway.url}/c/{talk.token}")
    await page.get_by_role("button", name="开始").or_(page.get_by_role("button", name="继续")).click()
    await page.locator("body[data-ready]").wait_for()
    return page
