"""Small screens, keyboards, screen readers, and the widget on another page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.browser.browsing import open_chat
from tests.browser.standin import OPENING, Reply, make_talk
from tests.browser.test_chat_page import bubbles, say

PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
NO_SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, bot, talk):
    page = await open_chat(await devices.new(**PHONE), gateway, talk)
    bot.script = [[Reply("请选择：", tuple(f"这是一个比较长的选项{n}" for n in range(5)))]]
    await say(page, "https://example.com/" + "a" * 300)
    await expect(page.get_by_role("button", name="选项4")).to_be_visible()
    assert await page.evaluate(NO_SIDEWAYS)
    inside = "(e) => e.scrollWidth <= e.clientWidth"
    assert await page.locator("#messages").evaluate(inside)
    await expect(page.get_by_role("textbox")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="发送")).to_be_in_viewport()


@pytest.mark.parametrize("company", ["演示金融", "某某省某某市一家名字特别长特别长的汽车金融服务有限责任公司"])
async def test_the_landing_page_fits_a_phone(devices, gateway, database, company):
    talk = await make_talk(database, company=company)
    page = await (await devices.new(**PHONE)).new_page()
    await page.goto(f"{gateway.url}/c/{talk.token}")
    assert await page.evaluate(NO_SIDEWAYS)
    await expect(page.get_by_text("智能助手").first).to_be_visible()


async def test_the_whole_talk_can_be_held_with_the_keyboard(devices, gateway, bot, talk):
    bot.script = [[Reply("请问您满意吗？", ("很满意", "一般"))]]
    page = await (await devices.new()).new_page()
    await page.goto(f"{gateway.url}/c/{talk.token}")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.locator("body[data-ready]").wait_for()
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("方便")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="很满意")).to_be_visible()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="一般")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("收到：一般").first).to_be_visible()
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("再说一句")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="发送")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("收到：再说一句").first).to_be_visible()


async def test_enter_that_ends_a_chinese_word_does_not_send(page):
    field = page.get_by_role("textbox")
    await field.fill("nihao")
    await field.evaluate(
        "(e) => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    await expect(field).to_have_text("nihao")
    await expect(bubbles(page, "user")).to_have_count(0)


async def test_screen_readers_hear_what_is_new_and_not_the_history_again(page):
    log = page.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await say(page, "你好")
    await expect(log).to_contain_text("智能助手：收到：你好")
    await page.reload()
    await expect(bubbles(page)).to_have_count(3)
    await expect(log).to_have_text("")


async def test_controls_have_names(page):
    await expect(page.get_by_role("textbox", name=re.compile("输入您的回复"))).to_be_visible()
    await expect(page.get_by_role("button", name="发送")).to_be_visible()
    await expect(page.get_by_role("region", name="对话内容")).to_be_visible()
    await expect(page.get_by_role("group", name="可以直接选")).to_be_visible()
    assert await page.locator("html").get_attribute("lang") == "zh-CN"


async def test_who_dislikes_motion_sees_none(devices, gateway, bot, talk):
    page = await open_chat(await devices.new(reduced_motion="reduce"), gateway, talk)
    await expect(bubbles(page)).to_have_text([OPENING])
    bot.awake.clear()
    await say(page, "在吗")
    dots = page.locator(".loading-message-dots")
    assert await dots.evaluate("(e) => getComputedStyle(e).animationName") == "none"
    bot.awake.set()


CONTRAST = """
(element) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const up = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  let ground = element;
  while (ground) {
    const [, , , alpha = 1] = channels(getComputedStyle(ground).backgroundColor);
    if (alpha === 1) break;
    ground = up(ground);
  }
  const back = ground ? channels(getComputedStyle(ground).backgroundColor) : [255, 255, 255];
  const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(back)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(devices, gateway, bot, talk, scheme):
    page = await open_chat(await devices.new(color_scheme=scheme, viewport={"width": 700, "height": 700}), gateway, talk)
    bot.script = [[Reply("请问您满意吗？", ("很满意",))]]
    await say(page, "你好")
    await expect(page.locator(".choices button")).to_be_visible()
    for selector in (
        ".user-message-text >> nth=0",
        ".ai-message-text >> nth=0",
        ".when >> nth=0",
        ".choices button",
        ".firm",
        ".tag",
        ".about",
        ".text-button",
    ):
        ratio = await page.locator(selector).evaluate(CONTRAST)
        assert ratio >= 4.5, f"{selector}: {ratio:.2f}"


async def test_the_widget_brings_the_chat_to_another_page_with_one_tag(devices, gateway, bot, talk, unused_tcp_port):
    shop = f"http://127.0.0.1:{unused_tcp_port}"
    gateway.settings = type(gateway.settings)(
        home=gateway.settings.home,
        database_url=gateway.settings.database_url,
        port=gateway.settings.port,
        public_url=gateway.url,
        secret=gateway.settings.secret,
        embed_origins=(shop,),
    )
    await gateway.stop()
    await gateway.start()
    async def shop_page(request: web.Request) -> web.Response:
        return web.Response(text=tag, content_type="text/html")

    app = web.Application()
    tag = f'<!doctype html><h1>商店</h1><script src="{gateway.url}/widget.js" data-token="{talk.token}" async></script>'
    app.router.add_get("/", shop_page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        page = await (await devices.new()).new_page()
        await page.goto(shop)
        button = page.get_by_role("button", name="客户回访")
        await expect(button).to_have_attribute("aria-expanded", "false")
        assert not any("/c/" in url for url in devices.requests), "a page view must not open the talk"
        await button.click()
        frame = page.frame_locator("iframe")
        await frame.get_by_role("button", name="开始").click()
        await expect(frame.locator(".message-bubble[dir]")).to_have_text([OPENING])
        await page.get_by_role("button", name="收起").click()
        await expect(page.locator("iframe")).to_be_hidden()
        assert {urlsplit(url).netloc for url in devices.requests} == {
            urlsplit(gateway.url).netloc,
            urlsplit(shop).netloc,
        }
    finally:
        await runner.cleanup()
