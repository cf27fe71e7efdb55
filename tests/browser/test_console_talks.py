"""Talks in the console: filtering without reloading, next and previous by keyboard, a correction."""

from __future__ import annotations

import re
from datetime import datetime

from playwright.async_api import Page, expect

from followup.settings import SHANGHAI
from tests.browser.browsing import press
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.written_talks import Said, write_talk


async def three_talks(database) -> None:
    for number, (name, words) in enumerate([("甲某", "利率有点贵"), ("乙某", "挺满意的"), ("丙某", "利率还行")]):
        said = [Said("方便", "consent"), Said(words, "dissatisfied", 0.6, answers=[("price", "不满意")])]
        await write_talk(database, said, name=name, at=datetime(2026, 11, 20 - number, 10, tzinfo=SHANGHAI))


def heading(page: Page):
    return page.get_by_role("heading", level=1)


async def test_filters_change_the_list_and_the_address_without_a_reload(devices, gateway, database):
    await three_talks(database)
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/talks")
    await page.evaluate("window.stays = true")
    await page.get_by_label("搜索对话内容").fill("利率")
    await page.keyboard.press("Enter")
    await expect(page.locator(".talks .who")).to_have_text(["甲某先生", "丙某先生"])
    await page.get_by_label("排序").select_option("oldest")
    await expect(page.locator(".talks .who")).to_have_text(["丙某先生", "甲某先生"])
    await expect(page).to_have_url(re.compile(r"/console/talks\?q=%E5%88%A9%E7%8E%87&sort=oldest$"))
    assert await page.evaluate("window.stays")
    await expect(page.get_by_role("link", name="Excel")).to_have_attribute("href", "/console/talks/export.xlsx?q=%E5%88%A9%E7%8E%87&sort=oldest")
    assert devices.errors == []


async def test_the_keyboard_walks_through_the_filtered_list(devices, gateway, database):
    await three_talks(database)
    page = await log_in(await devices.new(), gateway, database, "agent", "/console/talks?q=利率")
    await page.get_by_role("link", name="甲某先生").click()
    await expect(heading(page)).to_have_text("甲某先生")
    await press(page, "j")
    await expect(heading(page)).to_have_text("丙某先生")
    await press(page, "ArrowLeft")
    await expect(heading(page)).to_have_text("甲某先生")
    await page.get_by_label("写给同事").fill("j")  # a letter in a note is a letter
    await page.get_by_label("写给同事").press("k")
    await page.get_by_label("写给同事").press("j")
    await expect(page.get_by_label("写给同事")).to_have_value("jkj")
    await expect(heading(page)).to_have_text("甲某先生")


async def test_a_wrongly_read_answer_is_put_right(devices, gateway, database):
    await three_talks(database)
    page = await log_in(await devices.new(), gateway, database, "agent", "/console/talks?customer=甲某")
    await page.get_by_role("link", name="甲某先生").click()
    await page.locator(".correct summary").click()
    await page.get_by_label("正确的答案").select_option("一般")
    await page.get_by_label("为什么要更正").fill("只是有点贵")
    await page.get_by_role("button", name="保存更正").click()
    await expect(page.locator(".answer .value").first).to_have_text("一般 已更正")
    await expect(page.locator(".answer .corrected")).to_contain_text("由“不满意”更正为“一般”：只是有点贵")
    await page.reload()  # nothing is sent twice
    await expect(page.locator(".answer .corrected")).to_have_count(1)


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    await write_talk(database, [Said("https://example.com/" + "a" * 300)], name="一" * 40, ticket="complaint")
    page = await log_in(await devices.new(**PHONE), gateway, database, "supervisor", "/console/talks?q=example")
    assert await page.evaluate(NO_SIDEWAYS)
    await page.locator(".talks .who").click()
    await expect(page.get_by_role("heading", name="对话")).to_be_visible()
    assert await page.evaluate(NO_SIDEWAYS)


async def test_without_javascript_everything_is_still_there(devices, gateway, database):
    await three_talks(database)
    page = await log_in(await devices.new(java_script_enabled=False), gateway, database, "agent", "/console/talks")
    await page.get_by_label("搜索对话内容").fill("挺满意")
    await page.get_by_role("button", name="查询").click()
    await expect(page.locator(".talks .who")).to_have_text(["乙某先生"])
    await page.locator(".talks .who").click()
    await page.locator(".annotate summary").first.click()
    await page.get_by_label("这句话的意图应当是").first.select_option("satisfied")
    await page.get_by_role("button", name="保存标注").first.click()
    await expect(page.locator(".read .led").first).to_contain_text("标注：满意")


async def test_links_taken_back_end_the_customers_page_at_once(devices, gateway, database, page, talk):
    staff = await log_in(await devices.new(**PHONE), gateway, database, "agent", f"/console/talks/{talk.case_id}")
    await staff.get_by_text("作废全部链接…").click()
    assert await staff.evaluate(NO_SIDEWAYS)
    await staff.get_by_role("button", name="作废，旧链接不能恢复").click()
    await expect(staff.locator("#links")).to_contain_text("链接都作废了")
    await expect(page.get_by_text("这次对话已在此处失效")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading")).to_have_text("这个链接已经停用")
