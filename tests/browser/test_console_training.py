"""A trainer without a mouse: from lines that were not understood to an open change; what is near while typing."""

from __future__ import annotations

from datetime import timedelta

from playwright.async_api import expect
from sqlalchemy import select

from followup import clock
from followup.store.inbox_models import TrainingDecision
from followup.store.training_models import ExampleChange
from tests.browser.browsing import press
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.written_talks import Said, write_talk

LINES = ("这个抖动问题跑高速更吓人哩", "这个抖动问题跑高速更吓人哩！", "这个抖动问题跑高速更吓人")
OTHER = "我打13987654321找过你们仨回咧"


async def not_understood(database) -> list[int]:
    """Three customers say nearly the same, a fourth something else; the numbers of their lines."""
    found = []
    for number, line in enumerate((*LINES, OTHER)):
        at = clock.now() - timedelta(days=1, minutes=number)
        talk = await write_talk(database, [Said("方便", "consent"), Said(line, "dissatisfied" if line != OTHER else "inform", 0.4), Said("没有了", "nothing_to_add")], phone=f"1381234567{number}", at=at)
        found.append(talk.messages[1])
    return found


async def changes(database) -> list[tuple[str, str, str]]:
    async with database.session() as session:
        return [(row.kind, row.text, row.intent) for row in await session.scalars(select(ExampleChange).order_by(ExampleChange.id))]


async def test_from_the_inbox_to_open_changes_with_the_keyboard_only(devices, gateway, database):
    numbers = await not_understood(database)
    page = await log_in(await devices.new(), gateway, database, "trainer", "/console/training")
    await expect(page.get_by_text("4 句，2 组")).to_be_visible()
    await press(page, "j")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("抖动")
    await press(page, "1")  # what the model made of it, though it was not sure
    await expect(page.get_by_text("上一组已经记下：归入“不满意”")).to_be_visible()
    assert await changes(database) == [("add", line, "dissatisfied") for line in LINES]

    # The next one holds a number: refused until it is put in other words.
    await expect(page.get_by_role("heading", level=1)).to_contain_text("139****4321")
    await press(page, "/")
    await page.keyboard.type("complain")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("里面还有姓名、电话")).to_be_visible()
    await press(page, "e")
    await page.keyboard.type("找过你们仨回咧还没人管")
    await page.keyboard.press("Enter")  # chooses nothing by itself
    await page.keyboard.press("Escape")
    await press(page, "/")
    await page.keyboard.type("complain")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("没有等着判断的原话")).to_be_visible()
    assert (await changes(database))[-1] == ("add", "找过你们仨回咧还没人管", "complain")
    async with database.session() as session:
        assert set(await session.scalars(select(TrainingDecision.message_id))) == set(numbers)
    await page.goto(f"{gateway.url}/console/training/changes")
    await expect(page.get_by_text("还有 4 处没有交出")).to_be_visible()
    assert devices.errors == []


async def test_what_is_near_is_shown_while_it_is_typed_and_the_form_still_adds(devices, gateway, database):
    page = await log_in(await devices.new(), gateway, database, "trainer", "/console/training/examples?intent=complain")
    await page.get_by_label("一句话").press_sequentially("没有了")
    await expect(page.locator(".near")).to_contain_text("别的意图里有同一句")
    assert not [url for url in devices.requests if "csrf" in url]
    await page.get_by_label("一句话").fill("这个抖动问题跑高速更吓人哩给个说法")
    await expect(page.locator(".near")).not_to_contain_text("同一句")
    await page.get_by_role("button", name="添加").click()
    await expect(page.get_by_role("link", name="这个抖动问题跑高速更吓人哩给个说法")).to_be_visible()
    assert await changes(database) == [("add", "这个抖动问题跑高速更吓人哩给个说法", "complain")]
    assert devices.errors == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(devices, gateway, database):
    (first, *_) = await not_understood(database)
    page = await log_in(await devices.new(**PHONE), gateway, database, "trainer", "/console/training")
    for path in ("", f"/groups/{first}", "/examples?intent=complain", "/changes", "/authors", "/import"):
        await page.goto(f"{gateway.url}/console/training{path}")
        assert await page.evaluate(NO_SIDEWAYS), path
