"""A trainer selects a few words of a customer's line, with the mouse or the keyboard, and says what they mean."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.async_api import Page, expect
from sqlalchemy import select

from followup import clock
from followup.store.inbox_models import WordMark
from followup.store.script_models import ScriptDraft
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.written_talks import Said, write_talk

ASKED_PRICE = "请问您对我们的收费价格是否满意？"
ASKED_SOURCE = "请问您是以什么方式知悉我们演示公司的呢？"
SELECT = """([element, from, to]) => {
  const range = document.createRange();
  range.setStart(element.firstChild, from);
  range.setEnd(element.firstChild, to);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""


async def said(database, text: str, asked: str) -> int:
    talk = await write_talk(database, [Said("方便", "consent", reply=asked), Said(text, "inform", 0.3)], at=clock.now() - timedelta(days=1))
    return talk.messages[1]


async def desk(devices, gateway, database, text: str, asked: str = ASKED_PRICE, **device) -> Page:
    number = await said(database, text, asked)
    return await log_in(await devices.new(**device), gateway, database, "trainer", f"/console/training/groups/{number}")


async def marks(database) -> list[tuple[str, str, str]]:
    async with database.session() as session:
        return [(row.words, row.meaning, row.state) for row in await session.scalars(select(WordMark).order_by(WordMark.id))]


async def test_selected_with_the_keyboard_marked_with_one_act_and_undone(devices, gateway, database):
    page = await desk(devices, gateway, database, "嘎嘎稀罕哩")
    await page.keyboard.press("e")
    await page.keyboard.press("Home")
    for _ in range(4):
        await page.keyboard.press("Shift+ArrowRight")
    await expect(page.get_by_label("这几个字")).to_have_value("嘎嘎稀罕")
    for _ in range(3):  # the summary, the field, the first answer
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="非常满意")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("总体评价：非常满意")).to_be_visible()
    assert await marks(database) == [("嘎嘎稀罕", "opinion:2", "open")]
    await expect(page.get_by_role("button", name="撤销")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("总体评价：非常满意")).to_have_count(0)
    assert await marks(database) == [("嘎嘎稀罕", "opinion:2", "withdrawn")]
    assert devices.errors == []


async def test_selected_in_the_talk_it_goes_into_a_draft_of_the_script(devices, gateway, database):
    page = await desk(devices, gateway, database, "俺们屯里人说的", ASKED_SOURCE)
    await page.evaluate(SELECT, [await page.locator("[data-said]").element_handle(), 0, 5])
    await expect(page.get_by_label("这几个字")).to_have_value("俺们屯里人")
    await page.get_by_role("button", name="朋友介绍").click()
    await expect(page.get_by_text("写进了话术草稿")).to_be_visible()
    async with database.session() as session:
        assert "俺们屯里人" in (await session.scalars(select(ScriptDraft))).one().text
    await page.get_by_role("link", name="看草稿").click()
    await expect(page.get_by_label("YAML 内容")).to_have_value(re.compile("俺们屯里人"))
    assert devices.errors == []


async def test_what_was_written_on_the_desk_stays_and_a_mistake_is_told_there(devices, gateway, database):
    page = await desk(devices, gateway, database, "嘎嘎死贵咧")
    await page.get_by_label("作为例句的说法").fill("实在太贵了")
    await page.get_by_text("标出几个字").click()
    await page.get_by_label("这几个字").fill("没有说过")
    await page.get_by_label("别的意思").fill("说“价格”不好")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("没有这几个字")
    await page.get_by_label("这几个字").fill("嘎嘎死贵")
    await page.get_by_label("别的意思").fill("说“价格”不好")
    await page.keyboard.press("Enter")
    await expect(page.locator(".marked")).to_contain_text("说“价格”不好")
    await expect(page.get_by_label("作为例句的说法")).to_have_value("实在太贵了")
    assert await marks(database) == [("嘎嘎死贵", "aspect:price:negative", "open")]
    assert devices.errors == []


async def test_without_scripts_the_words_are_typed(devices, gateway, database):
    page = await desk(devices, gateway, database, "嘎嘎稀罕哩", java_script_enabled=False)
    await page.get_by_text("标出几个字").click()
    await page.get_by_label("这几个字").fill("嘎嘎稀罕")
    await page.get_by_role("button", name="非常满意").click()
    await expect(page.locator(".marked")).to_contain_text("总体评价：非常满意")
    await page.get_by_role("button", name="撤销").click()
    await expect(page.locator(".marked")).to_have_count(0)
    assert [state for *_, state in await marks(database)] == ["withdrawn"]


async def test_on_a_phone_the_choices_are_no_wider_than_the_screen(devices, gateway, database):
    page = await desk(devices, gateway, database, "俺们屯里人说的", ASKED_SOURCE, **PHONE)
    await page.get_by_text("标出几个字").click()
    assert await page.evaluate(NO_SIDEWAYS)


async def test_a_wrong_step_is_taken_to_the_script_where_the_question_stands(devices, gateway, database):
    page = await desk(devices, gateway, database, "这个问得不是时候", ASKED_SOURCE)
    await page.keyboard.press("w")
    await expect(page.get_by_text("上一组已经记下")).to_be_visible()
    await page.goto(f"{gateway.url}/console/training/authors")
    await page.get_by_role("button", name="改话术").click()
    await expect(page.get_by_label("YAML 内容")).to_be_focused()
    assert await page.evaluate("getSelection().toString() || text.value.slice(text.selectionStart, text.selectionEnd)") == "- id: source"
    assert devices.errors == []
