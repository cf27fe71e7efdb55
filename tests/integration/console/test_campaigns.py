"""Campaigns in the console: made step by step, started, accounted for, paused and ended."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from openpyxl import load_workbook
from sqlalchemy import select, text, update

from followup.campaigns import parse
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.channels import Unclear
from followup.console import sessions
from followup.console.campaigns import ledger_export, shared, trial
from followup.settings import SHANGHAI, Settings
from followup.store.campaign_models import Campaign, CampaignEntry, Consent, Delivery
from followup.store.database import Database
from followup.store.models import Callback, Case, Contact
from followup.store.staff_models import AuditEntry
from followup.web.app import make_app
from tests.integration.campaigns.conftest import Provider, invite
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.every_route import every_field, every_route
from tests.integration.console.test_every_route import EVIL, NASTY
from tests.integration.console.written_talks import write_talk

Enter = Callable[..., Awaitable[Browser]]
NOW = datetime(2026, 11, 20, 10, 5, tzinfo=SHANGHAI)
"""A Friday morning, inside the best hours."""
FIELDS = {"签收日期": "2026-11-17", "商品": "红啤梨", "下单时间": "上周", "每箱销售价（元）": "68", "每箱个数": "12"}


READ = {"q", "stage", "rule", "stratum", "reason", "draw", "after", "month", "day", "which", "page", "status", "script", "customer", "groups", "without", "field", "values", "imports"}
"""What addresses of campaigns hold."""


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", NOW.isoformat())

    async def ways(request: object) -> frozenset[str]:
        return frozenset({"sms", "link"})

    monkeypatch.setattr(shared, "ways", ways)
    for module in ("wizard", "pages", "check", "steps"):
        monkeypatch.setattr(f"followup.console.campaigns.{module}.ways", ways)


async def customers(database: Database, count: int = 5, **given: Any) -> list[int]:
    fields, groups = given.pop("fields", FIELDS), given.pop("groups", [])
    async with database.session() as session:
        people = [Contact(name=f"张{n}娘", title="女士", phone=f"139{n:08}", fields=fields, groups=groups, **given) for n in range(count)]
        session.add_all(people)
        await session.flush()
        session.add_all(Consent(contact_id=one.id, channel="sms", given=True, source="测试") for one in people)
        return [one.id for one in people]


async def draft(boss: Browser, script: str = "fruit_order", name: str = "签收回访") -> int:
    there = await boss.post("/console/campaigns", name=name, script=script)
    found = re.fullmatch(r"/console/campaigns/(\d+)/edit/talk", there)
    assert found, there
    return int(found[1])


async def row(database: Database, campaign_id: int) -> Campaign:
    async with database.session() as session:
        return await session.get_one(Campaign, campaign_id)


async def seen(database: Database, campaign_id: int) -> int:
    return (await row(database, campaign_id)).version


async def started(boss: Browser, database: Database) -> int:
    """A running campaign, enrolled and with its first messages sent."""
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}"
    await boss.post(f"{path}/edit/talk", name="签收回访", var_company="招远汇商城", var_agent="小汇", seen=1)
    assert await boss.post(f"{path}/start") == path
    return campaign_id


async def audited(database: Database) -> list[str]:
    async with database.session() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_an_empty_list_says_what_to_do(enter: Enter) -> None:
    boss = await enter("supervisor")
    assert "还没有回访任务" in await boss.get("/console/campaigns")
    assert "没有要核实的" in await boss.get("/console/campaigns/unknown")
    assert "没有到了时间" in await boss.get("/console/campaigns/callbacks")


async def test_a_draft_begins_with_the_scripts_own_time_and_the_customers_column(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    page = text_of(await boss.get(f"/console/campaigns/{campaign_id}/edit/when"))
    assert "每位客户在签收后第3天联系，上午10:00–11:30或下午15:00–17:30，节假日不联系；" in page, page
    assert "例如：11月20日签收的客户，11月23日（周一）10:00联系，最晚到12月7日。" in page
    assert (await row(database, campaign_id)).definition["rules"][0]["date_field"] == "签收日期"


async def test_the_preview_shows_the_opening_as_this_customer_would_read_it(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    there = await boss.post(f"/console/campaigns/{campaign_id}/edit/talk", name="签收", var_company="招远汇商城", var_agent="小汇", go="more", seen=1)
    assert there.endswith("/edit/talk#more")
    page = text_of(await boss.get(f"/console/campaigns/{campaign_id}/edit/talk"))
    assert "您好，请问是张0娘女士吗？我是招远汇商城的智能助手小汇。感谢您上周在我们商城订购了红啤梨" in page
    assert "您收到的红啤梨怎么样呢" in page


async def test_what_is_missing_for_the_talk_is_told_before_the_start(enter: Enter, database: Database) -> None:
    await customers(database, fields={"签收日期": "2026-11-17"})
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    assert "这位客户还缺：公司名称、商品、下单时间" in text_of(await boss.get(f"/console/campaigns/{campaign_id}/edit/talk"))
    assert "有 5 位客户缺少“商品”" in text_of(await boss.get(f"/console/campaigns/{campaign_id}/edit/check"))


async def test_the_live_count_follows_groups_and_columns(enter: Enter, database: Database) -> None:
    await customers(database, 3, groups=["VIP"])
    await customers(database, 4, fields={**FIELDS, "城市": "烟台"})
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    count = f"/console/campaigns/{campaign_id}/count"
    assert "7 位客户符合条件" in text_of(await boss.get(count))
    assert "3 位客户符合条件" in text_of(await boss.get(f"{count}?groups=VIP"))
    assert "4 位客户符合条件" in text_of(await boss.get(f"{count}?without=VIP"))
    assert "4 位客户符合条件" in text_of(await boss.get(f"{count}?field=城市&values=烟台、威海"))
    assert "请写明“城市”是什么值的客户" in await boss.get(f"{count}?field=城市&values=")


async def test_every_step_is_saved_and_read_back(enter: Enter, database: Database) -> None:
    await customers(database, 3, groups=["VIP"])
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}/edit"
    assert await boss.post(f"{path}/audience", groups="VIP", field="城市", values="烟台、威海", seen=1) == f"{path}/when"
    rule = {
        "rule": "8到15天", "date_field": "签收日期", "moment": "after", "after_number": "8", "after_unit": "days", "latest_number": "15",
        "deadline_number": "3", "deadline_unit": "weeks", "every": "3", "times": "4", "late": "tell",
    }  # fmt: skip
    assert await boss.post(f"{path}/when", **rule, seen=await seen(database, campaign_id)) == f"{path}/hours"
    hours = {"begin": "09:00", "end": "11:00", "weekdays": "12345", "season_first": "05-01", "season_last": "09-30", "holidays": "1"}
    assert await boss.post(f"{path}/hours", **hours, seen=await seen(database, campaign_id)) == f"{path}/strategy"
    strategy = {
        "order_sms": "2", "order_link": "1", "retry_times": "2", "interval_hours": "48", "expires_hours": "120", "stratum": "全部", "share": "30%",
        "top_up": "1", "per_minute": "20", "priority": "3", "starts_on": "2026-11-21", "ends_on": "2026-12-31",
    }  # fmt: skip
    assert await boss.post(f"{path}/strategy", **strategy, seen=await seen(database, campaign_id)) == f"{path}/check"
    campaign = await row(database, campaign_id)
    made = parse.definition(campaign.definition)
    assert campaign.version == 5 and campaign.priority == 3
    assert made.audience.groups == ("VIP",) and made.audience.conditions[0].values == ("烟台", "威海")
    assert (made.rules[0].after.number, made.rules[0].latest.number, made.rules[0].every, made.rules[0].late) == (8, 15, 3, "tell")
    assert made.hours.holidays and made.hours.windows[0].weekdays == (1, 2, 3, 4, 5) and made.hours.windows[0].season.first == (5, 1)
    assert made.channels == ("link", "sms") and made.sampling.strata[0].share == 0.3 and made.sampling.top_up
    assert made.ends_on == date(2026, 12, 31)
    for step in ("audience", "when", "hours", "strategy"):  # the forms hold what was saved: saving them again changes nothing
        await boss.get(f"{path}/{step}")
    page = text_of(await boss.get(f"{path}/check"))
    assert "签收后第8到15天之间（每位客户分到其中一天），以后每隔 3 个月一次，一共 4 次" in page
    assert "5月1日至9月30日周一至周五上午09:00–11:00，节假日也联系" in page
    assert "有时段" not in page and "节假日也会联系客户" in page


@pytest.mark.parametrize(
    ("step", "fields", "complaint"),
    [
        ("hours", {"begin": "07:00", "end": "11:00", "weekdays": "1"}, "第 1 个时段：只能在 08:30 到 21:00 之间联系客户"),
        ("hours", {"begin": "11:00", "end": "10:00", "weekdays": "1"}, "要晚于开始"),
        ("hours", {}, "请至少设一个可联系时段"),
        ("when", {}, "请至少设一个联系时间"),
        ("when", {"rule": "甲", "after_number": "两", "moment": "after"}, "第 1 个联系时间：“多久以后”应当是 0 到"),
        ("strategy", {"order_sms": "1", "stratum": "甲", "share": "abc"}, "“抽样比例”应当大于 0%"),
        ("strategy", {"stratum": "甲", "share": "100"}, "请至少选一个渠道"),
        ("audience", {"field": "城市", "values": ""}, "请写明“城市”是什么值的客户"),
        ("audience", {"imports": "-1"}, "“导入记录”有填得不对的"),
        ("talk", {"script": "nothing", "name": "x"}, "找不到话术“nothing”"),
    ],
)
async def test_what_is_wrong_is_told_in_its_step_and_not_saved(
    enter: Enter, database: Database, step: str, fields: dict[str, str], complaint: str
) -> None:
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    page = await boss.post(f"/console/campaigns/{campaign_id}/edit/{step}", status=400, seen=1, **fields)
    assert complaint in text_of(page), text_of(page)[:1500]
    assert (await row(database, campaign_id)).version == 1


@pytest.mark.parametrize(
    ("step", "fields", "path", "kept"),
    [
        ("hours", {"begin": "07:00", "end": "11:00", "weekdays": "1"}, "hours.windows.0.begin", 'value="07:00"'),
        ("hours", {"begin": "", "end": "11:00", "weekdays": "12"}, "hours.windows.0.begin", 'value="11:00"'),
        ("hours", {"begin": "09:00", "end": "11:00", "weekdays": "1", "season_first": "五月"}, "hours.windows.0.season.first", 'value="五月"'),
        ("when", {"rule": "甲", "after_number": "两", "moment": "after"}, "rules.0.after.number", 'value="两"'),
        ("when", {"rule": "", "date_field": "签收日期", "after_number": "3", "after_unit": "days", "moment": "after", "deadline_number": "很久"}, "rules.0.deadline.number", 'value="很久"'),
        ("when", {"rule": "", "after_number": "8", "after_unit": "days", "moment": "after", "latest_number": "5"}, "rules.0.latest", 'value="5"'),
        ("strategy", {"order_sms": "1", "stratum": "甲", "share": "三成"}, "sampling.strata.0.share", 'value="三成"'),
        ("strategy", {"order_sms": "1", "stratum": "", "share": "30", "per_minute": "9"}, "sampling.strata.0.name", 'value="30"'),
        ("strategy", {"order_sms": "1", "stratum": "甲", "share": "30", "interval_hours": "一天"}, "retry.interval_hours", 'value="一天"'),
        ("audience", {"field": "", "values": "烟台"}, "audience.conditions.0.field", 'value="烟台"'),
        ("talk", {"script": "nothing", "name": "新名字", "var_company": "招远汇"}, "script_id", 'value="招远汇"'),
        ("talk", {"script": "nothing", "name": "新名字"}, "script_id", 'value="新名字"'),
    ],
)
async def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    enter: Enter, database: Database, step: str, fields: dict[str, str], path: str, kept: str
) -> None:
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    page = await boss.post(f"/console/campaigns/{campaign_id}/edit/{step}", status=400, seen=1, **fields)
    mark = f"wrong-{path.replace('.', '-')}"
    assert f'<span class="wrong" id="{mark}">' in page and f'aria-describedby="{mark}"' in page, text_of(page)[:800]
    assert kept in page


async def test_what_was_chosen_for_a_new_campaign_stays_when_something_is_missing(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    page = await boss.post("/console/campaigns", 400, name="", script="fruit_order", is_demo="1")
    assert '<option value="fruit_order" selected>' in page and 'value="1" checked' in page and 'id="wrong-name"' in page
    page = await boss.post("/console/campaigns", 400, name="签收", script="")
    assert 'value="签收"' in page and "请选择话术" in page


async def test_the_sentences_follow_the_form_before_it_is_saved(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    told = f"/console/campaigns/{campaign_id}/told"
    rule = "rule=&date_field=签收日期&moment=after&after_number=8&after_unit=days&latest_number=15&deadline_number=&deadline_unit=days&every=&times=&late=tell"
    page = text_of(await boss.get(f"{told}/when?{rule}"))
    assert "每位客户在签收后第8到15天之间（每位客户分到其中一天）联系，" in page and "在11月28日（周六）10:00到12月5日（周六）10:00之间的某一天联系" in page, page
    assert "还说不出来" in await boss.get(f"{told}/when?rule=x&after_number=两&moment=after")
    assert "周末上午09:00–10:00，节假日也联系" in text_of(await boss.get(f"{told}/hours?begin=09:00&end=10:00&weekdays=67&holidays=1")).replace("周六至周日", "周末").replace("周六、周日", "周末")
    page = text_of(await boss.get(f"{told}/strategy?order_sms=1&order_email=2&retry_times=2&interval_hours=48&expires_hours=72&stratum=甲&share=30&per_minute=5&priority=5"))
    assert "隔 2 天提醒一次，最多 2 次；还没有打开，再隔 2 天改用邮件；最后一次联系以后 3 天还没有打开，记为“未响应”" in page, page
    assert (await row(database, campaign_id)).version == 1


async def test_another_customer_can_be_chosen_for_the_preview(enter: Enter, database: Database) -> None:
    ids = await customers(database, 12)
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}/edit/talk"
    assert "换一位客户看看" in await boss.get(path)
    assert f"?customer={ids[7]}#more" in await boss.get(f"{path}?q=张7娘") and f"?customer={ids[3]}#more" not in await boss.get(f"{path}?q=张7娘")
    assert "没有找到" in await boss.get(f"{path}?q=李")
    assert "请问是张7娘女士吗" in text_of(await boss.get(f"{path}?customer={ids[7]}"))
    there = await boss.post(f"{path}?customer={ids[7]}", name="签收", var_company="招远汇商城", go="more", seen=1)
    assert there == f"{path}?customer={ids[7]}#more"  # the same customer after saving


async def test_a_large_audience_is_planned_in_the_background_with_its_progress(
    enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "AT_ONCE", 3)
    await customers(database, 5, fields={"签收日期": "2026-11-20"})
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}"
    page = await boss.get(f"{path}/edit/check?month=2026-11")
    assert "正在试排" in page and f'hx-get="{path}/run?month=2026-11"' in page and "启动" in page
    async with asyncio.timeout(60):
        while "正在试排" in (page := await boss.get(f"{path}/run?month=2026-11")):
            await asyncio.sleep(0.01)
    assert "5 位客户，抽中 5 位" in text_of(page) and "有 5 位客户缺少“商品”" in page and "重新试排" in page
    assert "11月23日 10:00" in text_of(await boss.get(f"{path}/edit/check?day=2026-11-23"))  # at once: it is known by now
    await boss.post(f"{path}/edit/audience", groups="VIP", field="签收日期", values="2026-11-20", seen=1)
    assert "没有一位客户符合条件" in await boss.get(f"{path}/edit/check")


async def test_a_dry_run_is_found_by_every_web_process_and_reckoned_by_one(
    enter: Enter, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "AT_ONCE", 3)
    go, reckoned, real = asyncio.Event(), [], trial.make

    async def slow(*args: Any, **named: Any) -> trial.Trial:
        reckoned.append(1)
        await go.wait()
        return await real(*args, **named)

    monkeypatch.setattr(trial, "make", slow)
    await customers(database, 5, fields={"签收日期": "2026-11-20"})
    boss = await enter("supervisor")
    path = f"/console/campaigns/{await draft(boss)}"
    async with TestServer(make_app(settings)) as second, TestClient(second) as client:
        client.session.cookie_jar.update_cookies({sessions.COOKIE: boss.token}, client.make_url("/"))
        other = Browser(client, boss.user_id)
        pages = await asyncio.gather(*(one.get(f"{path}/edit/check") for one in (boss, other, other, boss)))
        assert all("正在试排" in page for page in pages) and "正在试排" in await other.get(f"{path}/run")
        go.set()
        async with asyncio.timeout(60):
            while "正在试排" in (page := await other.get(f"{path}/run")):
                await asyncio.sleep(0.01)
        assert "5 位客户，抽中 5 位" in text_of(page) and "11月23日 10:00" in text_of(await boss.get(f"{path}/edit/check?day=2026-11-23"))
        assert len(reckoned) == 1
        # The process that reckons ends: the next one that is asked takes over.
        go.clear()
        assert "正在试排" in await other.get(f"{path}/edit/check?anew=1")
        async with asyncio.timeout(60):
            while len(reckoned) < 2:
                await asyncio.sleep(0.01)
    go.set()
    async with asyncio.timeout(60):
        while "正在试排" in (page := await boss.get(f"{path}/run")):
            await asyncio.sleep(0.01)
    assert "5 位客户，抽中 5 位" in text_of(page) and len(reckoned) == 3


async def test_a_dry_run_that_failed_says_so_and_can_be_begun_again(enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "AT_ONCE", 3)
    real = trial.make

    async def breaks(*args: Any, **named: Any) -> trial.Trial:
        raise RuntimeError("broken")

    monkeypatch.setattr(trial, "make", breaks)
    await customers(database, 5, fields={"签收日期": "2026-11-20"})
    boss = await enter("supervisor")
    path = f"/console/campaigns/{await draft(boss)}"
    await boss.get(f"{path}/edit/check")
    async with asyncio.timeout(60):
        while "没有完成" not in (page := await boss.get(f"{path}/run")):
            await asyncio.sleep(0.01)
    assert "再试一次" in page
    monkeypatch.setattr(trial, "make", real)
    assert "正在试排" in await boss.get(f"{path}/edit/check")
    async with asyncio.timeout(60):
        while "抽中 <strong>5" not in await boss.get(f"{path}/run"):
            await asyncio.sleep(0.01)


async def test_two_people_do_not_overwrite_each_other(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}/edit/audience"
    await boss.post(path, groups="VIP", seen=1)
    assert "刚才被改过" in await boss.post(path, 409, groups="车队", seen=1)
    assert (await row(database, campaign_id)).definition["audience"]["groups"] == ["VIP"]


async def test_the_check_shows_a_month_and_who_is_due_on_a_day(enter: Enter, database: Database) -> None:
    await customers(database, 4, fields={**FIELDS, "签收日期": "2026-11-20"})
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    page = await boss.get(f"/console/campaigns/{campaign_id}/edit/check?month=2026-11&day=2026-11-23")
    shown = text_of(page)
    assert "4 位客户，抽中 4 位，45 天以内要联系 4 次" in shown
    assert "2026-11-23，联系 4 次" in page and "11月23日 10:00" in shown and "张**女士" in shown and "张0娘" not in shown
    assert "这一天没有要联系的客户" in await boss.get(f"/console/campaigns/{campaign_id}/edit/check?day=2026-11-24")


async def test_a_campaign_about_nobody_is_not_started(enter: Enter, database: Database) -> None:
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}"
    page = await boss.get(f"{path}/edit/check")
    assert "没有一位客户符合条件" in page and "disabled" in page
    assert "没有一位客户符合条件" in await boss.post(f"{path}/start", 400)
    assert (await row(database, campaign_id)).status == "draft"


async def test_a_campaign_whose_script_is_gone_or_whose_channel_is_not_set_up_is_not_started(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}"
    await boss.post(f"{path}/edit/strategy", order_email="1", stratum="甲", share="100", retry_times="0", interval_hours="24", expires_hours="24", per_minute="1", priority="5", seen=1)
    assert "还没有配置“邮件”的发送服务" in await boss.post(f"{path}/start", 400)
    async with database.session() as session:
        stored = {**(await session.get_one(Campaign, campaign_id)).definition, "script_id": "withdrawn", "channels": ["sms"]}
        await session.execute(update(Campaign).values(script_id="withdrawn", definition=stored))
    assert "找不到话术“withdrawn”" in await boss.post(f"{path}/start", 400)
    for step in ("talk", "when", "check"):
        assert "withdrawn" in await boss.get(f"{path}/edit/{step}") or step == "when"
    assert (await row(database, campaign_id)).status == "draft"


async def test_from_the_start_to_the_ledger_and_one_customers_way(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    path = f"/console/campaigns/{campaign_id}"
    assert "正在列出客户" in await boss.get(path)
    await run_campaigns(database, NOW, 1)
    provider = Provider("sms")
    async with database.session() as session:
        ids = list(await session.scalars(select(Delivery.id).order_by(Delivery.id)))
    assert len(ids) == 5
    await send_batch(database, {"sms": provider}, invite, NOW, limit=3)
    provider.answers = [Unclear("timeout")]
    await send_batch(database, {"sms": provider}, invite, NOW, limit=1)
    page = text_of(await boss.get(path))
    assert "5 位客户， 5 次联系 ＝ 排队发送 1 ＋ 待核实 1 ＋ 已发送 3" in page, page
    assert "张**" in page and "张0娘" not in page
    assert text_of(await boss.get(f"{path}?stage=unknown")).count("经过") == 1
    assert "没有符合条件的客户" in await boss.get(f"{path}?q=李")
    assert text_of(await boss.get(f"{path}?q=13900000002")).count("经过") == 1
    async with database.session() as session:
        entry = (await session.scalars(select(CampaignEntry).where(CampaignEntry.reason == "unknown"))).one()
    way = text_of(await boss.get(f"{path}/entries/{entry.id}"))
    assert "列入任务" in way and "抽样抽中" in way and "不知道是否送达，等待核实" in way
    listed = text_of(await boss.get("/console/campaigns"))
    assert "签收回访" in listed and "等待 1" in listed and "已发送 4" in listed and "有 1 条消息不知道" in listed
    assert "campaign.start" in await audited(database)


async def test_an_unknown_delivery_is_settled_once_by_a_colleague(enter: Enter, database: Database) -> None:
    await customers(database, 2)
    boss = await enter("supervisor")
    await started(boss, database)
    await run_campaigns(database, NOW, 1)
    async with database.session() as session:
        ids = list(await session.scalars(select(Delivery.id).order_by(Delivery.id)))
    await send_batch(database, {"sms": Provider("sms", answers=[Unclear("timeout") for _ in ids])}, invite, NOW)
    page = await boss.get("/console/campaigns/unknown")
    assert "已收到" in page and "未收到" in page
    assert await boss.post(f"/console/campaigns/unknown/{ids[0]}", arrived="yes") == "/console/campaigns/unknown"
    assert await boss.post(f"/console/campaigns/unknown/{ids[1]}", arrived="no") == "/console/campaigns/unknown"
    assert "可能已有同事处理" in await boss.post(f"/console/campaigns/unknown/{ids[0]}", 400, arrived="no")
    assert "没有要核实的" in await boss.get("/console/campaigns/unknown")
    async with database.session() as session:
        assert list(await session.scalars(select(Delivery.status).order_by(Delivery.id))) == ["delivered", "failed"]
    assert (await audited(database)).count("delivery.resolve") == 2


async def test_pause_resume_and_cancel_say_why_and_are_written_down(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    path = f"/console/campaigns/{campaign_id}"
    assert "请写明原因" in await boss.post(f"{path}/pause", 400)
    assert await boss.post(f"{path}/pause", why="等新价格") == path
    assert "已暂停：等新价格" in text_of(await boss.get(path)) and "等新价格" in await boss.get("/console/campaigns")
    assert await boss.post(f"{path}/resume") == path
    assert "请写明原因" in await boss.post(f"{path}/cancel", 400)
    await boss.post(f"{path}/cancel", why="活动取消")
    assert (await row(database, campaign_id)).status == "cancelled"
    assert await boss.post(f"{path}/edit/when", 303, seen=1) == path  # nothing is edited any more
    assert {"campaign.pause", "campaign.resume", "campaign.cancel"} <= set(await audited(database))


async def test_a_running_campaign_is_edited_and_copied_but_not_deleted(enter: Enter, database: Database) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    path = f"/console/campaigns/{campaign_id}"
    await boss.post(f"{path}/edit/audience", groups="VIP", seen=await seen(database, campaign_id))
    assert (await row(database, campaign_id)).version == 3
    assert "不能换话术" in await boss.post(f"{path}/edit/talk", 400, script="new_car_2h", name="x", seen=3)
    only = (await row(database, campaign_id)).definition["rules"][0]
    when = {"date_field": only["date_field"], "moment": "after", "after_number": only["after"]["number"], "after_unit": only["after"]["unit"]}
    page = await boss.post(f"{path}/edit/when", 400, rule="改个名", **when, late="now", seen=3)
    assert f"任务已经启动，联系时间“{only['id']}”不能改名为“改个名”" in text_of(page)
    assert (await row(database, campaign_id)).version == 3
    assert "只有草稿可以删除" in await boss.post(f"{path}/delete", 400)
    there = await boss.post(f"{path}/copy")
    copied = await row(database, int(there.split("/")[3]))
    assert copied.status == "draft" and copied.name == "签收回访 副本" and copied.seed != (await row(database, campaign_id)).seed
    assert await boss.post(f"/console/campaigns/{copied.id}/delete") == "/console/campaigns"


@pytest.mark.parametrize("at_once", [2, 5, 5000])
async def test_the_export_holds_every_entry_and_no_name(
    enter: Enter, database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(ledger_export, "_AT_ONCE", at_once)
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    await run_campaigns(database, NOW, 1)
    async with boss.client.get(f"/console/campaigns/{campaign_id}/ledger.csv") as answer:
        lines = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert len(lines) == 6 and lines[0][:3] == ["编号", "客户", "电话"] and lines[1][1] == "张**" and lines[1][2] == "139****0000"
    async with boss.client.get(f"/console/campaigns/{campaign_id}/ledger.xlsx") as answer:
        sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert [[str(cell or "") for cell in line] for line in sheet.iter_rows(values_only=True)] == lines
    async with boss.client.get(f"/console/campaigns/{campaign_id}/ledger.xlsx?stage=queued") as answer:
        assert answer.status == 200 and (await answer.read())[:2] == b"PK"


async def test_the_draws_can_be_repeated_by_an_auditor(enter: Enter, database: Database) -> None:
    await customers(database, 10)
    boss = await enter("supervisor")
    campaign_id = await draft(boss)
    path = f"/console/campaigns/{campaign_id}"
    sampling = {"order_sms": "1", "stratum": "普通", "share": "30", "retry_times": "1", "interval_hours": "24", "expires_hours": "168", "per_minute": "60", "priority": "5"}
    await boss.post(f"{path}/edit/strategy", **sampling, seen=1)
    await boss.post(f"{path}/edit/talk", name="抽样", var_company="甲", var_agent="乙", seen=2)
    await boss.post(f"{path}/start")
    await run_campaigns(database, NOW, 1)
    auditor = await enter("auditor")
    page = text_of(await auditor.get(f"{path}/draws"))
    assert str((await row(database, campaign_id)).seed) in page and "首次抽样" in page and "30%" in page
    assert "未抽中 7" in text_of(await auditor.get(path))


async def test_the_calendar_shows_what_is_planned_and_what_happened(enter: Enter, database: Database) -> None:
    await customers(database, 3)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    await run_campaigns(database, NOW, 1)
    await send_batch(database, {"sms": Provider("sms")}, invite, NOW, limit=1)
    await customers(database, 2, fields={**FIELDS, "签收日期": "2026-11-22"}, external_id=None)
    async with database.session() as session:
        await session.execute(text("UPDATE contacts SET updated_at = :at"), {"at": NOW + timedelta(minutes=1)})
    await run_campaigns(database, NOW + timedelta(minutes=2), 1)
    page = await boss.get(f"/console/campaigns/{campaign_id}/calendar?month=2026-11")
    days = re.findall(r'aria-label="(2026-11-\d\d，(?:计划|已发送) \d+)"', page)
    assert days == ["2026-11-20，已发送 1", "2026-11-25，计划 2"], text_of(page)
    assert "已发送，短信" in text_of(await boss.get(f"/console/campaigns/{campaign_id}/calendar?day=2026-11-20"))
    assert text_of(await boss.get(f"/console/campaigns/{campaign_id}/calendar?day=2026-11-25")).count("11月25日 10:00") == 2


async def test_talks_and_figures_can_be_limited_to_a_campaign(enter: Enter, database: Database) -> None:
    await customers(database, 2)
    await write_talk(database, name="别人的")
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    await run_campaigns(database, NOW, 1)
    page = text_of(await boss.get(f"/console/talks?campaign={campaign_id}"))
    assert "共 2 场" in page and "别人的" not in page
    assert "签收回访" in await boss.get(f"/console/figures?campaign={campaign_id}")
    await boss.get("/console/talks?campaign=1e9")
    page = await boss.get(f"/console/figures?campaign={campaign_id}&script=demo")
    scripts = page[page.index('name="script"') : page.index('name="campaign"')]
    assert re.findall(r'<option value="(\w*)"', scripts) == ["", "fruit_order"] and "selected" in scripts  # a campaign has one script


async def test_a_link_for_one_customer_is_shown_once_and_written_down(enter: Enter, database: Database) -> None:
    await customers(database, 1)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    path = f"/console/campaigns/{campaign_id}"
    await run_campaigns(database, NOW, 1)
    async with database.session() as session:
        entry = (await session.scalars(select(CampaignEntry))).one()
    page = await boss.post(f"{path}/entries/{entry.id}/link", 200)
    link = re.search(r"/c/([\w-]{22})", page)
    assert link and link[1] not in await boss.get(f"{path}/entries/{entry.id}")
    assert "campaign.link" in await audited(database)


async def test_call_backs_stand_by_when_they_are_due(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, name="王强", status="waiting", outcome="appointed")
    whens = {"overdue": NOW - timedelta(hours=1), "today": NOW + timedelta(hours=3), "coming": NOW + timedelta(days=2), "open": None}
    async with database.session() as session:
        for which, at in whens.items():
            case_id = talk.case_id if which == "overdue" else (await write_later(session, talk.case_id, which))
            session.add(Callback(case_id=case_id, at=at, reason="busy", words=f"约在{which}", created_at=NOW))
        failed = await write_later(session, talk.case_id, "failed")
        session.add(Callback(case_id=failed, at=NOW, reason="busy", words="约在failed", status="failed", tries=2, tried_at=NOW, created_at=NOW))
    agent = await enter("agent")
    for which in (*whens, "failed"):
        page = text_of(await agent.get(f"/console/campaigns/callbacks?which={which}"))
        assert page.count("约在") - page.count("约在 客户") >= 1 and f"约在{which}" in page, (which, page)
        assert sum(f"约在{other}" in page for other in (*whens, "failed")) == 1


async def write_later(session: Any, case_id: str, name: str) -> str:
    """Another talk of the same customer."""
    case = await session.get_one(Case, case_id)
    other = Case(id=name.encode().hex().ljust(32, "0"), contact_id=case.contact_id, script_id=case.script_id, revision_id=case.revision_id, created_at=NOW)
    session.add(other)
    await session.flush()
    return other.id


@pytest.mark.parametrize("role", ["agent", "auditor"])
async def test_who_only_reads_sees_no_button(enter: Enter, database: Database, role: str) -> None:
    await customers(database)
    boss = await enter("supervisor")
    campaign_id = await started(boss, database)
    left = await draft(boss, name="草稿")
    reader = await enter(role)
    for path in ("/console/campaigns", f"/console/campaigns/{campaign_id}", f"/console/campaigns/{left}", "/console/campaigns/unknown"):
        page = await reader.get(path)
        main = page[page.index("<main") :]
        assert "<form method=\"post\"" not in main and "/pause" not in main and "/edit/" not in main
    await reader.get(f"/console/campaigns/{left}/edit/talk", 403)
    await reader.post(f"/console/campaigns/{campaign_id}/pause", 403, why="x")
    trainer = await enter("trainer")
    await trainer.get("/console/campaigns", 403)


async def test_nonsense_about_a_campaign_that_there_is_breaks_nothing(enter: Enter, database: Database) -> None:
    await customers(database, 2, groups=[EVIL], external_id=None)
    boss = await enter("admin")
    campaign_id = await started(boss, database)
    await run_campaigns(database, NOW, 1)
    left = await draft(boss, name=EVIL)
    async with database.session() as session:
        entry = (await session.scalars(select(CampaignEntry))).first()
    fields, wrong = every_field(), []
    for known in ({"id": str(campaign_id), "entry": str(entry.id)}, {"id": str(left), "entry": "1"}):
        for route in every_route(known):
            if "/campaigns" not in route.path or route.path.endswith(("/delete", "/copy")):
                continue
            for value in NASTY[:15]:
                if route.method == "GET":
                    names = [name for name in fields if name in READ]
                    answer = await boss.client.get(route.path, params={name: value.encode("utf-8", "replace").decode() for name in names}, allow_redirects=False)
                else:
                    sent = {name: value.encode("utf-8", "replace").decode() for name in fields}
                    answer = await boss.client.post(route.path, data={"csrf": boss.csrf, **sent}, allow_redirects=False)
                page = await answer.text() if answer.content_type == "text/html" else ""
                if answer.status >= 500 or "<script>alert(1)" in page or "<img src=x" in page:
                    wrong.append(f"{route} {value[:15]!r}: {answer.status}")
    assert wrong == []
