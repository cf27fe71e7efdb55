"""Takes the pictures of docs/zh/campaigns.md, over a shop that has lived for some weeks.

    python -m tests.browser.campaign_pictures        writes docs/images/campaign-when.png and docs/images/campaign-ledger.png
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

os.environ["FOLLOWUP_NOW"] = "2026-11-20T10:05:00"  # before the clock is first looked at

from playwright.async_api import async_playwright  # noqa: E402

from followup.channels.account import SmsAccount  # noqa: E402
from followup.settings import PROJECT_DIR, Settings  # noqa: E402
from followup.store.database import Database  # noqa: E402
from followup.store.migrate import upgrade  # noqa: E402
from followup.supervise import postgres  # noqa: E402
from followup.web.assets import ensure_assets  # noqa: E402
from tests.browser import shop  # noqa: E402
from tests.browser.browsing import FLAGS, Gateway, chromium  # noqa: E402
from tests.browser.console_login import log_in  # noqa: E402

IMAGES = PROJECT_DIR / "docs" / "images"
PICTURES = {"campaign-when.png": "/5/edit/when", "campaign-ledger.png": "/1?stage=waiting"}
CUSTOMERS, PORT = 200, 18099


async def take(url: str, home: Path) -> None:
    database = Database(url)
    await shop.live(database, CUSTOMERS)
    gateway = Gateway(
        Settings(home=home, database_url=url, port=PORT, public_url=f"http://127.0.0.1:{PORT}", secret="t" * 40, sms=SmsAccount("fake", templates={"first": "demo"}))
    )
    await gateway.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
        page = await log_in(context, gateway, database, "supervisor")
        for name, path in PICTURES.items():
            await page.goto(f"{gateway.url}/console/campaigns{path}")
            await page.screenshot(path=IMAGES / name)
        await browser.close()
    await gateway.stop()
    await database.close()


def main() -> None:
    ensure_assets(print)
    with tempfile.TemporaryDirectory(prefix="fu-pic-", dir="/tmp") as folder:
        home = Path(folder)
        url, process = postgres.start(home, durable=False)
        try:
            upgrade(url)
            asyncio.run(take(url, home))
        finally:
            if process is not None:
                postgres.stop(process)


if __name__ == "__main__":
    main()
