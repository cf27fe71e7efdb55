"""The whole way in a browser, by a simulated clock: a file of customers, a campaign, a short message, a talk, the ledger.

And the pages of campaigns that have been running for weeks, for the accessibility checker.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.channels.account import SmsAccount
from followup.channels.invite import Invite
from followup.channels.trial import TrialSms, trial_messages
from followup.dialogue.effects import Outcome, SetOutcome
from followup.store.campaign_models import CampaignEntry
from followup.store.database import Database
from followup.store.effects import apply
from followup.store.models import Contact
from tests.browser import shop
from tests.browser.axe import serious
from tests.browser.console_login import PASSWORD, log_in
from tests.browser.standin import OPENING, Reply
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.browser.test_chat_page import bubbles, say
from tests.integration.contacts.working import a_worker

FILE = (
    "姓名,称呼,手机,签收日期,商品,下单时间,每箱销售价（元）,每箱个数\n"
    "陈静,女士,13900000001,2026-11-17,红啤梨,上周,68,12\n"
    "林强,先生,13900000002,2026-11-19,红啤梨,上周,68,12\n"
)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", shop.NOW.isoformat())


async def _with_trial_sms(gateway) -> None:
    await gateway.stop()
    gateway.settings = replace(gateway.settings, sms=SmsAccount("fake", templates={"first": "demo"}))
    await gateway.start()


async def _upload(page: Page) -> None:
    await page.get_by_role("link", name="导入客户").click()
    await page.get_by_label("CSV 或 Excel（xlsx）文件").set_input_files({"name": "签收名单.csv", "mimeType": "text/csv", "buffer": FILE.encode("gbk")})
    await page.get_by_role("button", name="上传并检查").click()
    await expect(page.locator("#result")).to_contain_text("新客户 2 位")
    await page.get_by_label("短信").check()
    await page.get_by_label("在哪里同意的").fill("购买时勾选")
    await page.get_by_role("button", name="重新检查").click()
    await page.wait_for_load_state()
    await expect(page.locator("#result")).to_contain_text("新客户 2 位")
    await page.get_by_role("button", name="导入 2 位客户").click()
    await page.wait_for_url("**/console/imports/*")


async def _make_campaign(page: Page) -> None:
    await page.get_by_label("任务名称").fill("十一月签收回访")
    await page.get_by_label("话术").select_option("水果订单售后回访")
    await page.get_by_role("button", name="新建").click()
    await page.get_by_label("公司名称").fill("招远汇商城")
    for _ in range(5):
        await page.get_by_role("button", name="保存，下一步").click()
    await expect(page.locator("#run")).to_contain_text("2 位客户，抽中 2 位")
    await page.get_by_role("button", name="启动").click()


async def _minute(database: Database, gateway, at: datetime) -> None:
    """What the clock and the senders do."""
    await run_campaigns(database, at, 1)
    trial = TrialSms(gateway.settings.home, gateway.settings.public_url)
    await send_batch(database, {"sms": trial}, Invite(gateway.settings), at)


async def test_from_a_file_to_a_finished_talk_in_the_ledger(devices, gateway, database, bot, monkeypatch):
    await _with_trial_sms(gateway)
    async with a_worker(database):
        context = await devices.new()
        context.set_default_timeout(60_000)  # ten pages are waited for, on whatever machine
        page = await log_in(context, gateway, database, "supervisor", "/console/customers")
        await _upload(page)
    await page.goto(f"{gateway.url}/console/campaigns/new")
    await _make_campaign(page)
    await _minute(database, gateway, shop.NOW)
    ledger = page.get_by_label("按进展")
    await page.goto(f"{gateway.url}/console/campaigns/1")
    await expect(page.locator(".ledger .why").first).to_contain_text("发出短信，等客户打开")
    await expect(ledger).to_contain_text("已发送1")
    await expect(page.locator(".ledger .why").last).to_have_text("等到 11月22日 10:00 联系")

    (message,) = trial_messages(gateway.settings.home)
    assert message.to == "13900000001"
    chat = await (await devices.new(**PHONE)).new_page()
    await chat.goto(re.search(r"https?://[^\s，。]+/s", message.text)[0])
    await chat.get_by_label("服务码").fill(re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", message.text)[0])
    await chat.get_by_role("button", name="开始").click()
    await chat.get_by_role("button", name="开始").or_(chat.locator("body[data-ready]")).first.wait_for()
    if await chat.get_by_role("button", name="开始").count():
        await chat.get_by_role("button", name="开始").click()
    await expect(bubbles(chat, "ai").last).to_have_text(OPENING)
    bot.script = [[Reply("好的，感谢您的支持，再见！")]]
    await say(chat, "方便，都很好")
    await expect(bubbles(chat, "ai").last).to_have_text("好的，感谢您的支持，再见！")
    async with database.session() as session:  # what the dialogue leaves when its last question is answered
        case_id = await session.scalar(select(CampaignEntry.case_id).where(CampaignEntry.case_id.is_not(None)))
        await apply(session, case_id, None, [SetOutcome(Outcome.COMPLETED)], shop.NOW)

    await page.reload()
    await expect(ledger).to_contain_text("完成1")
    await ledger.get_by_role("link", name="完成").click()
    await expect(page.locator(".ledger tbody tr")).to_have_count(1)
    await expect(page.locator(".ledger .why")).to_have_text("客户答完了")
    later = shop.NOW + timedelta(days=2)
    monkeypatch.setenv("FOLLOWUP_NOW", later.isoformat())
    await _minute(database, gateway, later)
    assert [one.to for one in trial_messages(gateway.settings.home)][:2].count("13900000002") == 1 and len(trial_messages(gateway.settings.home)) == 2
    assert devices.errors == []


PAGES = (
    "", "?status=paused", "/new", "/1", "/1?stage=waiting,queued", "/1/calendar?day=2026-11-19&what=sent", "/1/draws", "/1/entries/1", "/2", "/3", "/4",
    "/5/edit/talk", "/5/edit/talk?q=王", "/5/edit/audience", "/5/edit/when", "/5/edit/hours", "/5/edit/strategy", "/5/edit/check?day=2026-11-20", "/unknown", "/callbacks?which=coming",
)  # fmt: skip


async def test_campaigns_after_weeks_have_no_serious_finding_and_fit_a_phone(devices, gateway, database):
    await _with_trial_sms(gateway)
    await shop.live(database, 60, days=12)
    page = await log_in(await devices.new(bypass_csp=True), gateway, database, "supervisor", "/console/campaigns")
    async with database.session() as session:
        somebody = await session.scalar(select(Contact.id).order_by(Contact.id).limit(1))
    phone = await (await devices.new(bypass_csp=True, **PHONE)).new_page()
    await phone.goto(f"{gateway.url}/console/login")
    await phone.get_by_label("账号").fill("supervisor")
    await phone.get_by_label("密码").fill(PASSWORD)
    await phone.get_by_role("button", name="登录").click()
    await phone.wait_for_url(lambda url: "/login" not in url)
    found, wide = [], []
    for path in (*(f"/console/campaigns{one}" for one in PAGES), f"/console/customers/{somebody}", "/console/figures?campaign=1"):
        for one in (page, phone):
            answer = await one.goto(gateway.url + path)
            assert answer.ok, path
            await one.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        found += [f"{path}: {one['id']}: {one['nodes'][:2]}" for one in await serious(page)]
        if not await phone.evaluate(NO_SIDEWAYS):
            wide.append(path)
    assert (found, wide) == ([], [])
