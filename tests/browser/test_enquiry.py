"""The public entry: from the page to the talk, on a desk, on a phone, and on another site by the widget."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.standin import Reply
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.browser.test_chat_page import say

OPENING = "您好，这里是招远汇商城在线客服，我是智能助手小汇，不是真人。请问有什么可以帮您？"


async def test_a_visitor_comes_in_speaks_first_and_finds_the_talk_again(devices, gateway, bot):
    bot.opening = (Reply(OPENING, ("商品有问题", "转人工")),)
    context = await devices.new(**PHONE)
    page = await context.new_page()
    await page.goto(f"{gateway.url}/ask")
    assert await page.evaluate(NO_SIDEWAYS)
    await expect(page.get_by_text("不是真人")).to_be_visible()
    await expect(page.get_by_role("button", name="开始咨询")).to_be_in_viewport()
    await page.get_by_role("button", name="开始咨询").click()
    await page.locator("body[data-ready]").wait_for()
    assert await page.title() == "在线客服 · 招远汇商城"
    await say(page, "你好，我买的梨坏了")
    await expect(page.get_by_text("收到：你好，我买的梨坏了").first).to_be_visible()
    again = await context.new_page()
    await again.goto(f"{gateway.url}/ask")
    await again.locator("body[data-ready]").wait_for()
    await expect(again.get_by_text("你好，我买的梨坏了").first).to_be_visible()
    assert devices.errors == []
