"""The editor of scripts in Chromium: form and YAML side by side, a finding leads to its line."""

from __future__ import annotations

import os
import re

from playwright.async_api import expect

from tests.browser.console_login import log_in


async def test_form_and_text_are_one_and_a_finding_leads_to_its_line(devices, gateway, database):
    page = await log_in(await devices.new(), gateway, database, "trainer", "/console/scripts/script/fruit_order")
    await page.get_by_role("button", name="修改").click()
    text = page.locator("#text")
    await page.locator("#fields textarea").nth(2).fill("请问收到的{product}您还满意吗？")
    await page.locator("#fields textarea").nth(3).focus()
    await expect(text).to_have_value(re.compile("ask: 请问收到的{product}您还满意吗？\n  type: scale3"), timeout=20_000)
    await text.fill((await text.input_value()).replace("您还满意吗", "{prodct}还满意吗"))
    await expect(page.locator(".findings")).to_contain_text("变量 {prodct} 没有说明过", timeout=20_000)
    await page.locator(".findings button[data-line]").first.click()
    assert "{prodct}" in await text.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)")
    if folder := os.environ.get("FOLLOWUP_SHOTS"):
        await page.screenshot(path=f"{folder}/scripts-1280.png", full_page=True)
        await page.set_viewport_size({"width": 360, "height": 740})
        await page.screenshot(path=f"{folder}/scripts-360.png", full_page=True)
