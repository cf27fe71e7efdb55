"""The gateway on a port of its own, the browsers in front of it, and the way into the chat."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

from followup.settings import Settings
from followup.web.app import make_app
from tests.browser.standin import Talk


expect.set_options(timeout=60_000)  # as long as it takes: no test is about how fast a machine is

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """CHROMIUM names a browser; without it that of the system, else (None) the one Playwright brought."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


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
        context.set_default_timeout(60_000)  # on whatever machine
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        return context


async def open_chat(context: BrowserContext, gateway: Gateway, talk: Talk) -> Page:
    return await open_page(context, f"{gateway.url}/c/{talk.token}")


async def open_page(context: BrowserContext, link: str) -> Page:
    """The chat, entered through its landing page."""
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_role("button", name="开始").or_(page.get_by_role("button", name="继续")).click()
    await page.locator("body[data-ready]").wait_for()
    return page


async def press(page: Page, key: str) -> None:
    """A key on a page that another key has led to: pressed when its scripts are there to hear it."""
    await page.wait_for_load_state()
    await page.keyboard.press(key)
