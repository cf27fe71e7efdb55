"""Somebody of the staff in a browser."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page

from followup.console import accounts
from followup.store.database import Database
from tests.browser.browsing import Gateway

PASSWORD = "a long enough one"


async def log_in(context: BrowserContext, gateway: Gateway, database: Database, role: str, path: str = "/console", *, name: str = "") -> Page:
    """A page at `path`, logged in as a new account of the role, which is its name unless one is given."""
    name = name or role
    async with database.session() as session:
        await accounts.create(session, name, role, PASSWORD)
    page = await context.new_page()
    await page.goto(f"{gateway.url}/console/login")
    await page.get_by_label("账号").fill(name)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(lambda url: "/login" not in url)
    await page.goto(f"{gateway.url}{path}")
    return page
