"""Holds two real talks with the demo customers and takes the pictures of the README.

    python -m tests.browser.pictures        writes docs/images/chat-desktop.png and docs/images/chat-phone.png

Needs everything `followup up` needs, and a Chromium (CHROMIUM names one).
"""

from __future__ import annotations

import asyncio
import os
import time

CLOCK = {"FOLLOWUP_NOW": "2026-11-20T10:20:00", "FOLLOWUP_NOW_RUNS": str(time.time())}
os.environ.update(CLOCK)  # before the clock is first looked at: the links are made in this process

from playwright.async_api import Browser, Page, async_playwright, expect  # noqa: E402

from followup.demo import DemoTalk, prepare_demo  # noqa: E402
from followup.settings import PROJECT_DIR  # noqa: E402
from followup.supervise.stack import Stack  # noqa: E402
from tests.browser.browsing import FLAGS, chromium, open_page  # noqa: E402

IMAGES = PROJECT_DIR / "docs" / "images"
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


async def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with Stack.temporary(extra_env=CLOCK, report=print) as stack, async_playwright() as playwright:
        talks = {talk.script_name: talk for talk in await prepare_demo(stack.database_url)}
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        await _picture(
            browser,
            stack.web_url,
            talks["车贷业务满意度回访"],
            ("方便", "朋友介绍的", "就是利率有点贵，别的还行"),
            "chat-desktop.png",
            DESKTOP,
        )
        await _picture(
            browser,
            stack.web_url,
            talks["仓储业务满意度回访"],
            ("方便", "我在开会，明天下午三点再联系吧"),
            "chat-phone.png",
            PHONE,
        )
        await browser.close()


async def _picture(
    browser: Browser, url: str | None, talk: DemoTalk, says: tuple[str, ...], name: str, device: dict
) -> None:
    page = await open_page(await browser.new_context(locale="zh-CN", **device), f"{url}/c/{talk.token}")
    await _quiet(page, 0)
    for words in says:
        heard = await _heard(page)
        choice = page.get_by_role("button", name=words, exact=True)
        if await choice.count():
            await choice.click()
        else:
            await page.get_by_role("textbox").fill(words)
            await page.get_by_role("button", name="发送").click()
        await _quiet(page, heard)
    await page.evaluate("document.activeElement.blur()")
    await page.screenshot(path=IMAGES / name)
    print(name, await page.locator(".message-bubble[dir]").all_inner_texts(), sep="\n")


async def _heard(page: Page) -> int:
    return await page.locator(".ai-message-text[dir]").count()


async def _quiet(page: Page, heard: int) -> None:
    """The bot has said something new, and is not writing any more."""
    await expect(page.locator(".ai-message-text[dir]").nth(heard)).to_be_visible(timeout=30_000)
    await expect(page.locator(".loading-message-dots")).to_have_count(0, timeout=30_000)


if __name__ == "__main__":
    asyncio.run(main())
