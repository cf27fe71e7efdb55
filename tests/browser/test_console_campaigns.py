"""A campaign in a browser: made step by step, started, and the first customer opens the talk by the link."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from followup import clock
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.channels import Unclear
from followup.channels.invite import Invite
from followup.settings import SHANGHAI
from followup.store.campaign_models import Consent
from followup.store.models import Callback, Contact
from tests.browser.browsing import open_page
from tests.browser.console_login import log_in
from tests.browser.standin import OPENING
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.browser.test_chat_page import bubbles
from tests.integration.campaigns.conftest import Provider
from tests.integration.console.written_talks import write_talk

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=SHANGHAI)
FIELDS = {"签收日期": "2026-11-17", "商品": "红啤梨", "下单时间": "上周", "每箱销售价（元）": "68", "每箱个数": "12"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", NOW.isoformat())


async def customers(database, count: int, days: int = 3, group: str = "普通客户") -> None:
    """Customers who signed for their parcel some days ago, and agreed to mail."""
    fields = {**FIELDS, "签收日期": f"{NOW - timedelta(days=days):%Y-%m-%d}"}
    async with database.session() as session:
        people = [
            Contact(name=f"张{'甲乙丙丁'[n % 4]}", title="女士", phone=f"139{days:02}{n:06}", email=f"c{days}-{n}@example.com", fields=fields, groups=[group])
            for n in range(count)
        ]
        session.add_all(people)
        await session.flush()
        session.add_all(Consent(contact_id=one.id, channel=channel, given=True, source="测试") for one in people for channel in ("email", "sms"))


async def with_mail(gateway) -> None:
    """The gateway again, with a mail server to send by."""
    await gateway.stop()
    gateway.settings = replace(gateway.settings, smtp_url="smtp://127.0.0.1:9", mail_from="客服 <service@example.com>")
    await gateway.start()


async def make_campaign(page: Page) -> None:
    """From the empty list to the running campaign, by its forms alone."""
    await page.get_by_role("link", name="新建任务").click()
    await page.get_by_label("任务名称").fill("十一月签收回访")
    await page.get_by_label("话术").select_option("水果订单售后回访")
    await page.get_by_role("button", name="新建").click()
    await page.get_by_label("公司名称").fill("招远汇商城")
    await page.get_by_role("button", name="保存，看预览").click()
    await expect(page.locator(".preview blockquote")).to_contain_text("我是招远汇商城的智能助手小汇")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.locator("#count")).to_contain_text("5 位客户符合条件")
    await page.get_by_role("group", name="客户分组（选中的任何一组）").get_by_label("VIP").check()
    await expect(page.locator("#count")).to_contain_text("2 位客户符合条件")  # told before anything is saved
    await page.get_by_role("button", name="下一步").click()
    await expect(page.locator(".told-box")).to_contain_text("每位客户在签收后第3天联系，上午10:00–11:30或下午15:00–17:30，节假日不联系")
    await page.get_by_role("button", name="下一步").click()
    await page.get_by_role("button", name="下一步").click()
    await page.get_by_label("短信").select_option("")
    await page.get_by_label("邮件").select_option("第一")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.get_by_text("2 位客户，抽中 2 位")).to_be_visible()
    await page.get_by_role("link", name="2026-11-20，联系 2 次").click()
    await expect(page.locator("#day tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="启动").click()
    await expect(page.get_by_text("正在列出客户")).to_be_visible()


async def send_all(database, gateway, provider: Provider) -> None:
    await send_batch(database, {"email": provider}, Invite(gateway.settings), clock.now())


async def test_a_campaign_is_made_and_the_first_customer_opens_the_talk_by_its_link(devices, gateway, database, bot):
    await customers(database, 3)
    await customers(database, 2, days=4, group="VIP")
    await with_mail(gateway)
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/campaigns")
    await make_campaign(page)

    provider = Provider("email")
    await run_campaigns(database, clock.now(), 1)
    await send_all(database, gateway, provider)
    assert {one.to for one in provider.sent} == {"c4-0@example.com", "c4-1@example.com"}
    chat = await open_page(await devices.new(), provider.sent[0].link)
    await expect(bubbles(chat, "ai").last).to_have_text(OPENING)

    await page.reload()
    await expect(page.get_by_label("按进展")).to_contain_text("已打开")
    await page.get_by_label("按进展").get_by_role("link", name="已打开").click()
    await page.get_by_role("link", name="经过").click()
    await expect(page.locator(".way")).to_contain_text("第 1 次邀请已交给邮件发送。")
    await expect(page.locator(".way")).to_contain_text("客户打开了会话。")
    assert devices.errors == []


async def filled(devices, gateway, database, **options) -> Page:
    """Everything there is to see: a running campaign, an unknown delivery, a paused one, call-backs."""
    await customers(database, 3)
    await customers(database, 2, days=4, group="VIP")
    await with_mail(gateway)
    page = await log_in(await devices.new(), gateway, database, "admin", "/console/campaigns")
    await make_campaign(page)
    await customers(database, 4, days=1)
    await page.goto(f"{gateway.url}/console/campaigns/1/edit/audience")
    await page.get_by_role("group", name="客户分组（选中的任何一组）").get_by_label("普通客户").check()
    await page.get_by_role("button", name="下一步").click()
    await page.goto(f"{gateway.url}/console/campaigns/1")
    await run_campaigns(database, clock.now(), 1)
    await send_all(database, gateway, Provider("email", answers=[Unclear("timeout")]))
    await page.get_by_role("button", name="复制").click()
    talk = await write_talk(database, status="waiting", outcome="appointed", at=NOW - timedelta(days=1))
    async with database.session() as session:
        session.add(Callback(case_id=talk.case_id, at=NOW - timedelta(hours=1), reason="busy", words="九点再打", created_at=NOW, confirmed=True))
    if options:
        page = await log_in_again(await devices.new(**options), gateway)
    return page


async def log_in_again(context, gateway) -> Page:
    page = await context.new_page()
    await page.goto(f"{gateway.url}/console/login")
    await page.get_by_label("账号").fill("admin")
    await page.get_by_label("密码").fill("a long enough one")
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


PAGES = (
    "", "/new", "/1", "/1/calendar?day=2026-11-20", "/1/draws", "/1/entries/1", "/1/edit/talk", "/1/edit/audience", "/1/edit/when", "/1/edit/hours",
    "/1/edit/strategy", "/1/edit/check?day=2026-11-20", "/unknown", "/callbacks",
)  # fmt: skip


async def test_no_page_scrolls_sideways_on_a_phone(devices, gateway, database):
    page = await filled(devices, gateway, database, **PHONE)
    wide = []
    for path in PAGES:
        await page.goto(f"{gateway.url}/console/campaigns{path}")
        await page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        if not await page.evaluate(NO_SIDEWAYS):
            wide.append(path)
    assert wide == []


async def test_a_campaign_is_paused_from_the_list(devices, gateway, database):
    page = await filled(devices, gateway, database)
    await page.goto(f"{gateway.url}/console/campaigns?status=running")
    await page.get_by_text("暂停", exact=True).click()
    await page.get_by_label("为什么暂停").fill("等新价格")
    await page.get_by_role("button", name="暂停任务").click()
    await expect(page.get_by_text("已暂停：等新价格")).to_be_visible()
    await page.get_by_role("button", name="恢复").click()
    await expect(page.locator(".head .badge").first).to_have_text("进行中")


async def test_the_sentences_change_while_somebody_types(devices, gateway, database):
    await customers(database, 5)
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/campaigns")
    await page.get_by_role("link", name="新建任务").click()
    await page.get_by_label("任务名称").fill("十一月签收回访")
    await page.get_by_label("话术").select_option("水果订单售后回访")
    await page.get_by_role("button", name="新建").click()
    await page.goto(f"{gateway.url}/console/campaigns/1/edit/when")
    first = page.get_by_role("group", name="联系时间 1")
    await first.get_by_label("最晚到第几（一段日子才填）").fill("8")
    await expect(page.locator("#told")).to_contain_text("每位客户在签收后第3到8天之间（每位客户分到其中一天）联系")
    await first.locator("[name=after_number]").fill("九")
    await expect(page.locator("#told")).to_contain_text("还说不出来")
    await page.get_by_role("button", name="保存，下一步").click()
    await expect(first.locator("[name=after_number]")).to_have_value("九")
    await expect(first.locator(".wrong").first).to_contain_text("应当是 0 到")
    await first.locator("[name=after_number]").fill("2")
    await expect(page.locator("#told")).to_contain_text("每位客户在签收后第2到8天之间")
    assert devices.errors == []


async def test_the_preview_shows_the_customer_who_was_looked_for(devices, gateway, database):
    await customers(database, 4)
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/campaigns/new")
    await page.get_by_label("任务名称").fill("签收")
    await page.get_by_label("话术").select_option("水果订单售后回访")
    await page.get_by_role("button", name="新建").click()
    await page.get_by_text("换一位客户看看").click()
    await page.get_by_role("searchbox").fill("张丙")
    await page.get_by_role("button", name="查找").click()
    await page.get_by_role("link", name="张丙女士").click()
    await expect(page.locator(".preview blockquote")).to_contain_text("请问是张丙女士吗")
    await page.get_by_label("公司名称").fill("招远汇商城")
    await page.get_by_role("button", name="保存，看预览").click()
    await expect(page.locator(".preview blockquote")).to_contain_text("请问是张丙女士吗？我是招远汇商城的")
