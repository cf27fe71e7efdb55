"""The chat page in a real browser: what a customer sees and does."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from playwright.async_api import Page, expect
from sqlalchemy import func, select

from followup.store.models import Message
from tests.browser.browsing import open_chat
from tests.browser.standin import OPENING, Reply


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.get_by_role("button", name="发送").click()


def bubbles(page: Page, side: str = ""):
    """The bubbles of a side: "user", "ai" or both."""
    return page.locator(f".{side}-message-text[dir]" if side else ".message-bubble[dir]")


async def until(page: Page, expression: str) -> None:
    """Wait until it is true. (Playwright's own wait_for_function needs eval, which the pages forbid.)"""
    async with asyncio.timeout(60):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.02)


async def rows(database, talk, direction: str) -> list[str]:
    async with database.session() as session:
        found = await session.scalars(
            select(Message.text)
            .where(Message.case_id == talk.case_id, Message.direction == direction)
            .order_by(Message.id)
        )
        return list(found)


async def test_a_talk_is_held(page, bot, talk, database):
    bot.script = [[Reply("好的，谢谢您。"), Reply("请问您对利率满意吗？")]]
    await expect(bubbles(page)).to_have_text([OPENING])
    await say(page, "方便")
    await expect(bubbles(page)).to_have_text([OPENING, "方便", "好的，谢谢您。", "请问您对利率满意吗？"])
    await expect(page.get_by_text("发送中")).to_have_count(0)
    await expect(page.get_by_role("button", name="发送")).to_be_disabled()
    assert await rows(database, talk, "in") == ["方便"]


async def test_the_firm_and_the_label_are_always_in_sight(page, bot):
    for n in range(12):
        await say(page, f"第{n}句，说得长一点好让页面滚动起来")
        await expect(page.get_by_text(f"收到：第{n}句，").first).to_be_visible()
    await expect(page.get_by_role("banner")).to_contain_text("演示金融")
    await expect(page.get_by_role("banner").get_by_text("智能助手")).to_be_in_viewport()
    await expect(bubbles(page).last).to_be_in_viewport()


async def test_a_quick_reply_is_one_tap_and_the_buttons_go(page, bot, talk, database):
    bot.script = [[Reply("请问您满意吗？", ("很满意", "一般", "不满意"))], [Reply("谢谢您。")]]
    await page.get_by_role("button", name="方便", exact=True).click()
    await expect(bubbles(page, "user")).to_have_text(["方便"])
    await page.get_by_role("button", name="一般").click()
    await expect(bubbles(page).last).to_have_text("谢谢您。")
    await expect(page.get_by_role("group", name="可以直接选")).to_have_count(0)
    assert await rows(database, talk, "in") == ["方便", "一般"]


async def test_a_tap_keeps_what_is_half_written(page, bot):
    await page.get_by_role("textbox").fill("我还想说")
    await page.get_by_role("button", name="方便", exact=True).click()
    await expect(page.get_by_text("收到：方便").first).to_be_visible()
    await expect(page.get_by_role("textbox")).to_have_text("我还想说")


async def test_a_reload_shows_the_history_once_with_the_open_choices(page, bot):
    bot.script = [[Reply("请问您满意吗？", ("很满意", "一般"))]]
    await say(page, "方便")
    await expect(page.get_by_role("button", name="一般")).to_be_visible()
    await page.reload()
    await expect(bubbles(page)).to_have_text([OPENING, "方便", "请问您满意吗？"])
    await expect(page.get_by_role("button", name="一般")).to_be_visible()
    await expect(page.get_by_role("button", name="现在不方便")).to_have_count(0)


async def test_a_half_written_line_survives_a_reload(page):
    await page.get_by_role("textbox").press_sequentially("写了一半")
    await until(page, "Object.values(sessionStorage).includes('写了一半')")
    await page.reload()
    await expect(page.get_by_role("textbox")).to_have_text("写了一半")


async def test_two_devices_show_the_same_talk_live(page, devices, gateway, talk):
    phone = await open_chat(await devices.new(viewport={"width": 360, "height": 740}), gateway, talk)
    await expect(bubbles(phone)).to_have_text([OPENING])
    await say(page, "电脑上说的")
    await expect(bubbles(phone)).to_have_text([OPENING, "电脑上说的", "收到：电脑上说的"])
    await say(phone, "手机上说的")
    both = [OPENING, "电脑上说的", "收到：电脑上说的", "手机上说的", "收到：手机上说的"]
    await expect(bubbles(page)).to_have_text(both)
    await expect(bubbles(phone)).to_have_text(both)


async def test_a_line_said_while_the_server_is_away_arrives_once(page, gateway, talk, database):
    await gateway.stop()
    await say(page, "断网时说的")
    await expect(page.get_by_text("未送达，点此重试")).to_be_visible()
    await expect(page.locator("#banner")).to_contain_text("正在重新连接")
    await gateway.start()
    await expect(bubbles(page)).to_have_text([OPENING, "断网时说的", "收到：断网时说的"], timeout=30_000)
    await expect(page.get_by_text("未送达")).to_have_count(0)
    await expect(page.locator("#banner")).to_be_hidden()
    assert await rows(database, talk, "in") == ["断网时说的"]


async def test_a_reply_said_while_the_page_was_cut_off_is_not_lost(page, gateway, bot, talk):
    await gateway.stop()
    await bot.say(talk.case_id, [Reply("您还在吗？")])
    await gateway.start()
    await expect(bubbles(page)).to_have_text([OPENING, "您还在吗？"], timeout=30_000)


async def test_an_answer_that_got_lost_does_not_double_the_line(page, talk, database):
    """The server stored the line, but the browser never heard so: it sends again, under the same id."""
    tries = []

    async def swallow(route):
        tries.append(route.request.post_data_json["client_msg_id"])
        await route.fetch()
        if len(tries) == 1:
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/chat/events*", lambda route: route.abort())
    await page.route("**/chat/messages", swallow)
    await say(page, "只说一次")
    await expect(bubbles(page, "user")).to_have_text(["只说一次"])
    await until(page, "!Object.keys(localStorage).some((key) => key.startsWith('followup:unsent'))")
    assert await rows(database, talk, "in") == ["只说一次"]
    await page.unroute_all(behavior="ignoreErrors")
    await page.reload()
    await expect(bubbles(page)).to_have_text([OPENING, "只说一次", "收到：只说一次"])


async def test_an_unsent_line_survives_a_reload(page, talk, database):
    await page.route("**/chat/messages", lambda route: route.abort())
    await say(page, "刷新前没发出去")
    await expect(bubbles(page, "user")).to_have_text(["刷新前没发出去"])
    await page.unroute("**/chat/messages")
    await page.reload()
    await expect(bubbles(page)).to_have_text([OPENING, "刷新前没发出去", "收到：刷新前没发出去"])
    assert await rows(database, talk, "in") == ["刷新前没发出去"]


async def test_html_and_markdown_are_shown_as_they_were_written(page, bot, devices):
    text = "<b>粗</b><img src=x onerror=\"document.title='坏'\"> **星** # 题 1. 项 [链](https://example.com)"
    bot.script = [[Reply(text)]]
    await say(page, text)
    await expect(bubbles(page)).to_have_text([OPENING, text, text])
    await page.reload()
    await expect(bubbles(page)).to_have_text([OPENING, text, text])
    assert await page.locator(".message-bubble").locator("b, img, a, strong, h1, ol").count() == 0
    assert await page.title() == "客户回访 · 演示金融"
    assert devices.errors == []


async def test_lines_and_spaces_are_kept(page):
    await page.get_by_role("textbox").press_sequentially("第一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.insert_text("第二行")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("收到：第一行").first).to_be_visible()
    assert await bubbles(page, "user").first.inner_text() == "第一行\n第二行"


async def test_the_bot_is_seen_to_be_writing(page, bot):
    bot.awake.clear()
    await say(page, "在吗")
    await expect(page.locator(".loading-message-dots")).to_be_visible()
    bot.awake.set()
    await expect(page.get_by_text("收到：在吗").first).to_be_visible()
    await expect(page.locator(".loading-message-dots")).to_have_count(0)


async def test_a_text_that_is_too_long_stays_in_the_field_and_is_explained(page, talk, database):
    text = "长" * 2001
    await page.get_by_role("textbox").fill(text)
    await expect(page.locator("#hint")).to_contain_text("2001")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="发送")).to_be_disabled()
    await expect(page.get_by_role("textbox")).to_have_text(text)
    await page.get_by_role("textbox").fill(text[:2000])
    await expect(page.locator("#hint")).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(bubbles(page, "user")).to_have_count(1)
    async with database.session() as session:
        length = select(func.length(Message.text)).where(
            Message.case_id == talk.case_id, Message.direction == "in"
        )
        await expect(page.get_by_text("发送中")).to_have_count(0)
        assert list(await session.scalars(length)) == [2000]


async def test_a_revoked_link_is_said_and_the_line_stays(page, database, talk):
    from followup.talk import links

    async with database.session() as session:
        await links.revoke_links(session, talk.case_id)
    await say(page, "还在吗")
    await expect(page.locator("#banner")).to_contain_text("重新打开")
    await expect(bubbles(page, "user")).to_have_text(["还在吗"])
    assert await rows(database, talk, "in") == []


async def test_everything_comes_from_our_own_host(page, devices, gateway):
    await say(page, "你好")
    await expect(page.get_by_text("收到：你好").first).to_be_visible()
    await page.goto(f"{gateway.url}/c/unknown")
    hosts = {urlsplit(url).netloc for url in devices.requests if not url.startswith("data:")}
    assert hosts == {urlsplit(gateway.url).netloc}
    assert devices.errors == []


async def test_the_content_policy_is_never_in_the_way(devices, gateway, bot, talk):
    context = await devices.new()
    refused = []
    context.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page = await open_chat(context, gateway, talk)
    await say(page, "你好")
    await expect(page.get_by_text("收到：你好").first).to_be_visible()
    assert refused == []
