"""WeChat in a browser: copying, making up tokens, and a menu that is dragged, moved by keys and published."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from followup.channels.wechat.account import Account
from followup.channels.wechat.seal import seal
from followup.store.wechat_account_models import WechatAccount, WechatMenu
from tests.browser.axe import serious
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.fakes.wechat import FakeWechat
from tests.integration.console.test_wechat_delivery import talk_with

APP_ID, APP_SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
ACCOUNT = "/console/wechat/accounts/main"
DRAFT = {
    "button": [
        {"name": "回访", "sub_button": [{"type": "click", "name": "开始回访", "key": "say:开始"}, {"type": "view", "name": "官网", "url": "https://example.com/"}]},
        {"type": "click", "name": "转人工", "key": "say:转人工"},
    ]
}


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[FakeWechat]:
    fake = FakeWechat(Account("main", APP_ID, "service", "unused", APP_SECRET))
    async with TestServer(fake.app()) as server:
        fake.callback = str(server.make_url("")).rstrip("/")
        yield fake
        await fake.close()


async def an_account(database, api: str, *, draft: dict | None = None) -> None:
    sealed = seal("t" * 40, "main", {"secret": APP_SECRET, "token": "tokenOfMain", "aes_key": "B" * 42 + "A"})
    async with database.session() as session:
        session.add(WechatAccount(name="main", title="演示公司服务号", kind="service", app_id=APP_ID, mode="aes", api=api, sealed=sealed))
        if draft is not None:
            session.add(WechatMenu(account="main", draft=draft))


async def drag(page, grip, onto) -> None:
    """By the mouse, to below the middle of another entry; it is let go when the entries have made room."""
    before, start, end = await names(page), await grip.bounding_box(), await onto.bounding_box()
    await page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(end["x"] + 20, end["y"] + 5, steps=8)
    async with asyncio.timeout(60):
        while await names(page) == before:
            await page.mouse.move(end["x"] + 20, end["y"] + end["height"] - 8, steps=8)
    await page.mouse.up()


def names(page):
    return page.locator("#menu input[name=entry]").evaluate_all("(all) => all.map((one) => one.value)")


async def test_an_account_is_set_up_and_checked(devices, gateway, database, fake):
    page = await log_in(await devices.new(), gateway, database, "admin", "/console/wechat")
    await page.get_by_role("link", name="添加公众号").click()
    await page.get_by_label("账号名").fill("main")
    await page.get_by_label("名称（给同事看）").fill("演示公司服务号")
    await page.get_by_label("AppID").fill(APP_ID)
    await page.get_by_label("AppSecret").fill(APP_SECRET)
    before = await page.locator("#token").input_value()
    await page.get_by_role("button", name="重新生成 Token").click()
    await expect(page.locator("#token")).not_to_have_value(before)
    await expect(page.get_by_label("AppSecret")).to_have_value(APP_SECRET)  # nothing that was typed is lost
    await page.locator("select[name=api] option").last.evaluate("(one, api) => { one.value = api; one.selected = true; }", fake.callback)
    await page.get_by_label("账号名").press("Enter")  # Enter saves, and makes up nothing
    await page.wait_for_url("**/accounts/main")
    await expect(page.locator("#url")).to_have_text(f"{gateway.url}/wechat/main")
    await page.get_by_role("button", name="检查").click()
    await expect(page.locator(".checks")).to_contain_text("已经取到 access_token")
    await expect(page.locator(".checks tr.ok")).to_have_count(6)
    assert devices.errors == []


async def test_the_address_is_copied(devices, gateway, database):
    context = await devices.new()
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=gateway.url)
    await an_account(database, "")
    page = await log_in(context, gateway, database, "admin", ACCOUNT)
    await page.locator("[data-copy=url]").click()
    await expect(page.locator("[data-copy=url]")).to_have_text("已复制")
    assert await page.evaluate("navigator.clipboard.readText()") == f"{gateway.url}/wechat/main"


async def test_entries_are_dragged_moved_by_keys_and_published(devices, gateway, database, fake):
    await an_account(database, fake.callback, draft=DRAFT)
    page = await log_in(await devices.new(viewport={"width": 1280, "height": 900}), gateway, database, "admin", ACCOUNT + "/menu")
    assert await names(page) == ["回访", "开始回访", "官网", "转人工"]
    await drag(page, page.locator(".top-entry > .line .grip").nth(0), page.locator(".top-entry").nth(1))
    await expect(page.locator("#dirty")).to_be_visible()
    assert await names(page) == ["转人工", "回访", "开始回访", "官网"]
    site = page.locator("#menu input[name=entry]").nth(3)
    await site.focus()
    await site.press("Alt+ArrowUp")
    assert await names(page) == ["转人工", "回访", "官网", "开始回访"]
    await expect(page.locator("#menu input[name=entry]").nth(2)).to_be_focused()  # who moves a line stays on it
    await page.get_by_role("button", name="＋ 加一个一级菜单").click()
    await page.keyboard.type("联系我们")
    await page.locator("#menu input[name=value]").last.fill("联系电话是多少")
    await expect(page.locator("#preview code")).to_contain_text("say:联系电话是多少")
    await expect(page.get_by_role("button", name="先保存草稿，再发布")).to_be_disabled()
    await page.get_by_role("button", name="保存草稿", exact=True).click()
    await page.wait_for_url("**told=saved")
    await page.get_by_label("我确认").check()
    await page.get_by_role("button", name="发布到公众号").click()
    await page.wait_for_url("**told=published")
    assert [one["name"] for one in fake.platform.menu["button"]] == ["转人工", "回访", "联系我们"]
    assert json.loads(await page.locator("#preview code").inner_text()) == fake.platform.menu
    assert devices.errors == []


async def test_the_limits_are_kept_while_writing(devices, gateway, database):
    full = {"button": [{"name": f"{n}", "sub_button": [{"type": "click", "name": f"{n}{m}", "key": "say:x"} for m in range(5)]} for n in range(3)]}
    await an_account(database, "", draft=full)
    page = await log_in(await devices.new(), gateway, database, "admin", ACCOUNT + "/menu")
    await expect(page.get_by_role("button", name="＋ 加一个一级菜单")).to_be_hidden()
    assert await page.locator('[data-add="below"]').evaluate_all("(all) => all.every((one) => one.hidden)")
    await page.locator(".below [data-remove]").first.click()
    await expect(page.locator('[data-add="below"]').first).to_be_visible()
    assert len(await names(page)) == 17


async def test_without_javascript_the_menu_is_written_all_the_same(devices, gateway, database):
    await an_account(database, "", draft=DRAFT)
    page = await log_in(await devices.new(java_script_enabled=False), gateway, database, "admin", ACCOUNT + "/menu")
    await page.get_by_role("button", name="下移").first.click()
    await expect(page.locator("#menu input[name=entry]").first).to_have_value("转人工")
    spare = page.locator(".top-entry.spare > .line")
    await spare.locator("input[name=entry]").fill("官网")
    await spare.locator("select").select_option("view")
    await spare.locator("input[name=value]").fill("https://example.com/x")
    await page.get_by_role("button", name="保存草稿", exact=True).click()
    await expect(page.locator("#preview code")).to_contain_text("https://example.com/x")


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    await an_account(database, "", draft=DRAFT)
    page = await log_in(await devices.new(**PHONE), gateway, database, "admin", "/console/wechat")
    for path in ("", "/new", "/accounts/main", "/accounts/main/menu", "/undelivered"):
        await page.goto(f"{gateway.url}/console/wechat{path}")
        assert await page.evaluate(NO_SIDEWAYS), path


async def test_no_page_of_wechat_has_a_serious_finding(devices, gateway, database, fake):
    await an_account(database, fake.callback, draft=DRAFT)
    await talk_with(database, [("failed", "43004"), ("unknown", None), ("queued", "no_budget")])
    page = await log_in(await devices.new(bypass_csp=True), gateway, database, "admin", ACCOUNT)
    await page.get_by_role("button", name="检查").click()
    await page.locator(".checks").wait_for()
    found = await serious(page)
    for path in ("", "/new", "/accounts/main/menu", "/undelivered"):
        await page.goto(f"{gateway.url}/console/wechat{path}")
        found += await serious(page)
    assert found == []
