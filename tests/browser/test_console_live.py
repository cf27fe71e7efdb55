"""A customer asks for a person; a colleague comes, writes, and hands back. Both sides in browsers, the real turns between."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect
from sqlalchemy import func, select

from followup import clock
from followup.store.models import Callback, Case, Message
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import TurnFailed, drain
from tests.browser.browsing import open_chat
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.browser.test_chat_page import bubbles, say
from tests.integration.console.written_talks import Said, write_talk
from tests.integration.talk.fake_rasa import FakeRasa


@pytest_asyncio.fixture(loop_scope="session")
async def turns(database, talk):
    """The worker's turns of the talk, before a Rasa that repeats what it hears."""
    rasa = FakeRasa(database)
    async with TestServer(rasa.app()) as server, RasaClient(str(server.make_url("")).rstrip("/")) as client:

        async def work() -> None:
            while True:
                with contextlib.suppress(TurnFailed):
                    await drain(database, client, talk.case_id, apology="")
                await asyncio.sleep(0.03)

        task = asyncio.create_task(work())
        yield rasa
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_colleague_takes_over_writes_and_hands_back_before_the_customers_eyes(devices, gateway, database, talk, turns):
    chat = await open_chat(await devices.new(), gateway, talk)
    await say(chat, "转人工")
    await expect(bubbles(chat, "ai").last).to_have_text("满意吗？")
    desk = await log_in(await devices.new(), gateway, database, "agent", "/console/live")
    await desk.get_by_role("link", name="王强先生").click()
    await desk.get_by_label("您的称呼").fill("小王")
    await desk.get_by_role("button", name="接管").click()
    await expect(chat.locator("#speaks")).to_have_text("客服小王正在为您服务")
    await expect(bubbles(chat, "ai").last).to_have_text("已经为您接通人工，客服小王为您服务。")
    await expect(chat.locator(".choices button")).to_have_count(0)

    await say(chat, "东西坏了怎么办")
    await expect(desk.locator(".theirs .said").last).to_have_text("东西坏了怎么办")
    await desk.get_by_label("对客户说").fill("您别着急，我来为您登记换货。")
    await desk.keyboard.press("Enter")
    await expect(bubbles(chat, "ai").last).to_have_text("您别着急，我来为您登记换货。")
    await expect(chat.locator(".by")).to_have_text(["客服小王"])
    await expect(desk.get_by_label("对客户说")).to_have_value("")
    await expect(desk.locator(".staff .said")).to_have_text(["您别着急，我来为您登记换货。"])

    await chat.reload()
    await chat.locator("body[data-ready]").wait_for()
    await expect(chat.locator(".by")).to_have_text(["客服小王"])
    await expect(chat.locator("#speaks")).to_have_text("客服小王正在为您服务")

    await desk.get_by_role("button", name="交还助手").click()
    await expect(chat.locator("#speaks")).to_be_hidden()
    await expect(bubbles(chat, "ai").nth(-2)).to_have_text("答：/resume_followup")  # where the real one says that it is back
    await expect(chat.get_by_role("button", name="不满意")).to_be_visible()
    await say(chat, "满意")
    await expect(bubbles(chat, "ai").nth(-2)).to_have_text("答：满意")
    assert "东西坏了怎么办" not in turns.texts
    await expect(desk.locator(".desk .speaks")).to_contain_text("智能助手正在接待")
    assert devices.errors == []


async def test_forbidden_phrases_are_named_and_what_was_written_stays(devices, gateway, database):
    talk = await write_talk(database, at=clock.now() - timedelta(minutes=3), status="open", outcome=None)
    desk = await log_in(await devices.new(), gateway, database, "agent", f"/console/live/{talk.case_id}")
    await desk.get_by_role("button", name="接管").click()
    await desk.get_by_label("对客户说").fill("这不关我的事")
    await desk.get_by_role("button", name="发送").click()
    await expect(desk.get_by_role("alert")).to_contain_text("我帮您转给负责的同事")
    await expect(desk.get_by_label("对客户说")).to_have_value("这不关我的事")
    await desk.get_by_label("对客户说").fill("")
    await desk.get_by_text("快捷用语").click()
    phrase = desk.locator("[data-phrase]").first
    words = await phrase.inner_text()
    await phrase.click()
    await desk.get_by_role("button", name="发送").click()
    await expect(desk.locator(".staff .said")).to_have_text([words])
    assert devices.errors == []


async def test_news_do_not_exchange_a_button_that_is_pressed(devices, gateway, database, talk, turns):
    chat = await open_chat(await devices.new(), gateway, talk)
    desk = await log_in(await devices.new(), gateway, database, "agent", f"/console/live/{talk.case_id}")
    await desk.get_by_role("button", name="接管").click()
    await desk.get_by_label("对客户说").wait_for()
    pressed = asyncio.Event()

    async def held(route) -> None:
        await pressed.wait()
        await route.continue_()

    await desk.route("**/events", held)  # the first news bring the desk anew
    await desk.reload()
    await desk.get_by_label("对客户说").fill("您别着急，我来登记。")
    await desk.get_by_role("button", name="发送").hover()
    await desk.mouse.down()
    pressed.set()
    await say(chat, "东西坏了怎么办")
    await expect(desk.locator(".theirs .said").last).to_have_text("东西坏了怎么办")
    await desk.mouse.up()
    await expect(desk.locator(".staff .said")).to_have_text(["您别着急，我来登记。"])


async def test_what_was_refused_stays_with_its_reason_when_news_come(devices, gateway, database, talk, turns):
    chat = await open_chat(await devices.new(), gateway, talk)
    desk = await log_in(await devices.new(), gateway, database, "agent", f"/console/live/{talk.case_id}")
    await desk.get_by_role("button", name="接管").click()
    await desk.get_by_label("对客户说").fill("这不关我的事")
    await desk.get_by_role("button", name="发送").click()
    await expect(desk.get_by_role("alert")).to_contain_text("我帮您转给负责的同事")
    await desk.evaluate("dispatchEvent(new Event('online'))")  # the line is opened anew, and brings the desk
    await say(chat, "东西坏了怎么办")
    await expect(desk.locator(".theirs .said").last).to_have_text("东西坏了怎么办")
    await expect(desk.get_by_role("alert")).to_contain_text("我帮您转给负责的同事")
    await expect(desk.get_by_label("对客户说")).to_have_value("这不关我的事")


async def test_a_call_is_told_the_title_blinks_and_it_stops_when_somebody_comes(devices, gateway, database):
    page = await log_in(await devices.new(), gateway, database, "agent", "/console/live")
    await expect(page.get_by_text("现在没有正在进行的会话")).to_be_visible()
    called = await write_talk(
        database, [Said("转人工", "request_human")], at=clock.now() - timedelta(minutes=3), outcome="handed_over", name="李四"
    )


    async with database.session() as session:
        await session.execute(select(func.pg_notify("followup_out", called.case_id)))
    await expect(page.get_by_role("alert")).to_have_text("李四先生请求人工服务")
    await expect(page.get_by_role("link", name="接听")).to_be_visible()
    async with asyncio.timeout(60):
        while "1 位客户等人工" not in await page.title():
            await asyncio.sleep(0.1)
    await page.get_by_role("button", name="打开铃声").click()
    await expect(page.get_by_role("button", name="关闭铃声")).to_have_attribute("aria-pressed", "true")
    other = await log_in(await devices.new(), gateway, database, "supervisor", f"/console/live/{called.case_id}")
    await other.get_by_role("button", name="接听").click()
    await expect(page.get_by_role("link", name="接听")).to_have_count(0)
    await expect(page.get_by_role("alert")).to_have_text("")
    assert devices.errors == []


async def test_without_javascript_a_talk_is_taken_written_in_and_closed(devices, gateway, database):
    talk = await write_talk(database, at=clock.now() - timedelta(minutes=3), status="open", outcome=None)
    page = await log_in(await devices.new(java_script_enabled=False), gateway, database, "agent", "/console/live")
    await page.get_by_role("link", name="王强先生").click()
    await page.get_by_role("button", name="接管").click()
    await page.get_by_label("对客户说").fill("您好")
    await page.get_by_role("button", name="发送").click()
    await expect(page.locator(".staff .said")).to_have_text(["您好"])
    await page.locator("summary", has_text="结束会话").click()
    await page.get_by_label("结果").select_option("completed")
    await page.get_by_label("怎样谈的").fill("谈妥了")
    await page.locator(".close button").click()
    await expect(page.locator(".desk .speaks")).to_contain_text("完成")
    assert talk.case_id in page.url


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    long = "https://example.com/" + "a" * 300
    open_talk = await write_talk(database, [Said(long)], at=clock.now() - timedelta(minutes=3), status="open", outcome=None, name="一" * 40)
    await write_talk(database, [Said(long)], at=clock.now() - timedelta(minutes=3), outcome="handed_over", name="二" * 40)
    async with database.session() as session:
        session.add(Callback(case_id=open_talk.case_id, at=clock.now(), reason="request_human", words=long))
    page = await log_in(await devices.new(**PHONE), gateway, database, "agent", "/console/live")
    assert await page.evaluate(NO_SIDEWAYS)
    await page.goto(f"{gateway.url}/console/live/{open_talk.case_id}")
    await page.get_by_role("button", name="接管").click()
    await expect(page.get_by_label("对客户说")).to_be_visible()
    assert await page.evaluate(NO_SIDEWAYS)


async def _becomes(database, talk, status: str) -> None:
    """The talk goes on: the page shows another state."""
    async with database.session() as session:
        (await session.get_one(Case, talk.case_id)).status = status
        await session.execute(select(func.pg_notify("followup_out", talk.case_id)))


async def test_what_is_being_written_outlives_the_pages_own_renewal(devices, gateway, database):
    talk = await write_talk(database, at=clock.now() - timedelta(minutes=3), status="open", outcome=None)
    page = await log_in(await devices.new(), gateway, database, "agent", f"/console/live/{talk.case_id}")
    name = page.get_by_label("您的称呼")
    await name.fill("小王")
    await _becomes(database, talk, "waiting")
    await expect(page.locator(".desk .speaks")).to_contain_text("等客户")
    await expect(name).to_have_value("小王")
    await expect(name).to_be_focused()

    await name.select_text()
    await _becomes(database, talk, "open")
    await expect(page.locator(".desk .speaks")).to_contain_text("智能助手正在接待")
    await page.keyboard.insert_text("小李")  # what was selected is still selected: it is written over
    await expect(name).to_have_value("小李")


async def test_a_word_that_is_being_composed_is_not_interrupted(devices, gateway, database):
    talk = await write_talk(database, at=clock.now() - timedelta(minutes=3), status="open", outcome=None)
    page = await log_in(await devices.new(), gateway, database, "agent", f"/console/live/{talk.case_id}")
    name = page.get_by_label("您的称呼")
    await name.fill("")
    method = await page.context.new_cdp_session(page)  # what the input method of the computer does
    await method.send("Input.imeSetComposition", {"text": "xiao", "selectionStart": 4, "selectionEnd": 4})
    await expect(name).to_have_value("xiao")
    seen = await page.evaluate_handle("() => document.getElementById('desk')")
    await _becomes(database, talk, "waiting")
    async with database.session() as session:  # a line that comes after it: the state has been told by then
        session.add(Message(case_id=talk.case_id, channel="web", channel_message_id="later", direction="in", text="在吗", status="handled"))
        await session.execute(select(func.pg_notify("followup_out", talk.case_id)))
    await expect(page.locator(".theirs .said").last).to_have_text("在吗")
    assert await page.evaluate("(desk) => desk.isConnected", seen)
    await method.send("Input.insertText", {"text": "小"})
    await expect(name).to_have_value("小")
    await expect(page.locator(".desk .speaks")).to_contain_text("等客户")
    await expect(name).to_have_value("小")
    await expect(name).to_be_focused()
    assert devices.errors == []
