"""微信客服 in a browser: the account's page is legible and accessible, full and empty, wide and narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp.test_utils import TestServer

from followup.channels.wechat.seal import seal
from followup.store.wecom_account_models import WecomAccount
from tests.browser.axe import serious
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.fakes.wecom import FakeWecom
from tests.integration.console.test_wecom import ACCOUNT, OF_FAKE, SECRET
from tests.integration.web.web_talk import make_talk


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[FakeWecom]:
    fake = FakeWecom(OF_FAKE)
    async with TestServer(fake.app()) as server:
        fake.callback = str(server.make_url("")).rstrip("/")
        yield fake
        await fake.close()


async def an_account(database, api: str) -> None:
    sealed = seal("t" * 40, "wecom:main", {"secret": SECRET, "token": OF_FAKE.token, "aes_key": OF_FAKE.aes_key})
    async with database.session() as session:
        kfids = list(OF_FAKE.kfids)
        session.add(WecomAccount(name="main", title="演示公司客服", corp_id=OF_FAKE.corp_id, kfids=kfids, api=api, sealed=sealed))


async def test_a_link_for_one_customer_is_copied(devices, gateway, database, fake):
    context = await devices.new()
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=gateway.url)
    await an_account(database, fake.callback)
    case_id = (await make_talk(database)).case_id
    page = await log_in(context, gateway, database, "admin", ACCOUNT)
    await page.get_by_label("会话的网址或者编号").fill(f"{gateway.url}/console/talks/{case_id}")
    await page.get_by_role("button", name="生成链接").click()
    await page.locator("[data-copy=case-link]").click()
    assert "scene_param=c_" in await page.evaluate("navigator.clipboard.readText()")
    assert devices.errors == []


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    page = await log_in(await devices.new(**PHONE), gateway, database, "admin", "/console/wechat/wecom")
    assert await page.evaluate(NO_SIDEWAYS)
    await an_account(database, "")
    for path in ("", "/new", "/main"):
        await page.goto(f"{gateway.url}/console/wechat/wecom{path}")
        assert await page.evaluate(NO_SIDEWAYS), path


async def test_no_page_has_a_serious_finding(devices, gateway, database, fake):
    await an_account(database, fake.callback)
    page = await log_in(await devices.new(bypass_csp=True), gateway, database, "admin", ACCOUNT)
    await page.get_by_role("button", name="检查").click()
    await page.locator(".checks").wait_for()
    found = await serious(page)
    for path in ("", "/new"):
        await page.goto(f"{gateway.url}/console/wechat/wecom{path}")
        found += await serious(page)
    assert found == []
