"""Tickets in a browser: cards are dragged, and everything works without JavaScript and on a phone."""

from __future__ import annotations

from datetime import timedelta

from playwright.async_api import expect

from followup import clock
from followup.store.models import Ticket
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.written_talks import Said, write_talk


async def a_ticket(database, words="等了两个小时没人管", hours=3, **more) -> int:
    talk = await write_talk(database, [Said(words, "complain", answers=[("price", "不满意")])], name=more.pop("name", "王强"))
    columns = {"topic": "price", "kind": "complaint", "severity": 2, "department": "客户服务部", "reason": words, "words": [{"text": words}]}
    async with database.session() as session:
        ticket = Ticket(case_id=talk.case_id, due_at=clock.now() + timedelta(hours=hours), **{**columns, **more})
        session.add(ticket)
    return ticket.id


def column(page, status):
    return page.locator(f'[data-status="{status}"]')


async def test_a_card_is_dragged_to_another_column(devices, gateway, database):
    await a_ticket(database)
    page = await log_in(await devices.new(), gateway, database, "agent", "/console/tickets/board?severity=2")
    await page.locator(".ticket .words").drag_to(column(page, "working"))
    await expect(column(page, "working").locator(".ticket .foot")).to_contain_text("agent")  # the server's answer
    await expect(page.locator("#column-working .count")).to_have_text("1")
    assert page.url.endswith("/console/tickets/board?severity=2")
    await column(page, "working").locator(".ticket .words").drag_to(column(page, "solved"))
    await page.wait_for_url("**/console/tickets/*#solve")  # it needs words
    await page.keyboard.type("已经回电，并且道歉")  # the field is ready
    await page.get_by_role("button", name="标为已解决").click()
    await expect(page.get_by_text("已经回电，并且道歉").first).to_be_visible()
    assert devices.errors == []


async def test_who_drags_a_stale_card_sees_what_became_of_it(devices, gateway, database):
    number = await a_ticket(database)
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/tickets/board")
    async with database.session() as session:
        ticket = await session.get_one(Ticket, number)
        ticket.status, ticket.solution, ticket.updated_at = "solved", "别人解决的", ticket.updated_at + timedelta(seconds=1)
    await page.locator(".ticket .words").drag_to(column(page, "working"))
    await expect(page.get_by_role("alert")).to_contain_text("又有了变化")
    await expect(column(page, "solved").locator(".ticket")).to_have_count(1)


async def test_filters_change_the_board_and_its_cards_can_still_be_dragged(devices, gateway, database):
    await a_ticket(database, "利率太高", name="甲某")
    await a_ticket(database, "等了太久", name="乙某", severity=1)
    page = await log_in(await devices.new(), gateway, database, "agent", "/console/tickets/board")
    await page.get_by_label("级别").select_option("1")
    await expect(page.locator(".ticket .who")).to_have_text(["乙某先生"])
    await page.locator(".ticket .words").drag_to(column(page, "working"))
    await expect(column(page, "working").locator(".ticket .foot")).to_contain_text("agent")
    await expect(page.locator(".ticket .who")).to_have_text(["乙某先生"])


async def test_without_javascript_a_complaint_goes_all_the_way(devices, gateway, database):
    await a_ticket(database)
    page = await log_in(await devices.new(java_script_enabled=False), gateway, database, "agent", "/console/tickets/board")
    await page.get_by_role("button", name="接手").click()
    await column(page, "working").get_by_role("link", name="填写结果").click()
    await page.get_by_label("怎样解决的").fill("已经回电，并且道歉")
    await page.get_by_role("button", name="标为已解决").click()
    await page.get_by_role("button", name="关闭工单").click()
    await expect(page.locator("#revisit .scores")).to_contain_text("不满意")
    await page.get_by_role("button", name="生成回访链接").click()
    await expect(page.locator("#revisit code")).to_contain_text("/c/")


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    number = await a_ticket(database, "https://example.com/" + "a" * 300, name="一" * 40, department="部" * 40)
    page = await log_in(await devices.new(**PHONE), gateway, database, "supervisor", "/console/tickets")
    for path in ("", "/board", f"/{number}", f"/{number}/print/handling"):
        await page.goto(f"{gateway.url}/console/tickets{path}")
        assert await page.evaluate(NO_SIDEWAYS), path
