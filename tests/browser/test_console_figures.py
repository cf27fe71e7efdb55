"""Figures: pictures beside their tables, every number leads to its talks, a phone, no JavaScript."""

from __future__ import annotations

import re
from datetime import datetime

from playwright.async_api import expect

from followup.settings import SHANGHAI
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.written_talks import LOAN, Said, write_talk

PAGE = f"/console/figures?first=2026-11-01&last=2026-11-30&script={LOAN}"


async def six_talks(database) -> None:
    for n, price in enumerate(["很满意", "一般", "不满意", "不满意", "很满意", "不满意"]):
        said = [Said("方便", "consent"), Said("利率太高" if price == "不满意" else price, answers=[("price", price)])]
        await write_talk(database, said, name=f"客户{n}", phone=f"1380000000{n}", at=datetime(2026, 11, 3 + n, 10, tzinfo=SHANGHAI))


async def test_numbers_have_pictures_and_lead_to_their_talks(devices, gateway, database):
    await six_talks(database)
    page = await log_in(await devices.new(), gateway, database, "supervisor", PAGE)
    await expect(page.locator("#outcomes .chart canvas")).to_be_visible()
    await expect(page.locator("#questions .chart canvas")).to_be_visible()
    await page.locator("#questions tr", has_text="不满意").last.get_by_role("link").click()
    await expect(page.locator("#found .tally")).to_contain_text("共 3 场")
    await expect(page.locator("#found .alert")).to_contain_text("答“不满意”")
    assert devices.errors == []


async def test_a_bar_leads_where_its_number_leads(devices, gateway, database):
    await six_talks(database)
    page = await log_in(await devices.new(reduced_motion="reduce"), gateway, database, "supervisor", PAGE)  # bars that need not grow
    chart = page.locator("#outcomes .chart canvas")
    await chart.scroll_into_view_if_needed()
    box = await chart.bounding_box()
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.45)
    await page.wait_for_url(re.compile(r"/console/talks\?.*outcome=completed"))


async def test_without_javascript_the_numbers_are_there(devices, gateway, database):
    await six_talks(database)
    page = await log_in(await devices.new(java_script_enabled=False), gateway, database, "auditor", PAGE)
    await expect(page.locator("#questions")).to_contain_text("不满意")
    await expect(page.locator(".chart canvas")).to_have_count(0)


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    await six_talks(database)
    page = await log_in(await devices.new(**PHONE), gateway, database, "supervisor", PAGE)
    await expect(page.locator("#trend .chart canvas")).to_be_visible()
    assert await page.evaluate(NO_SIDEWAYS)
    await page.goto(f"{gateway.url}/console/figures/reports/2026-11")
    assert await page.evaluate(NO_SIDEWAYS)
