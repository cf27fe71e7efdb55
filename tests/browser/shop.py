"""A shop with campaigns that have been running for weeks: customers, four campaigns and a draft, lived through by the engine itself.

The life is that of tests/integration/campaigns/year.py, by a simulated clock; only the shop is another one. For tests that look at
filled pages, and for the pictures of the manual.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from followup.campaigns import actions, parse
from followup.campaigns.definition import Amount, Audience, Definition, Hours, Late, Retry, Rule, Sampling, Stratum, Unit
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, Consent, Import, ImportedContact
from followup.store.database import Database
from followup.store.models import Contact, DoNotContact
from tests.integration.campaigns.year import TIMES, Worker, Year, provider_log

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=SHANGHAI)
"""A Friday morning inside the best hours: where the life ends."""
DAYS = 39
SCRIPT = "fruit_order"
GIVEN = {"company": "招远汇商城（演示）", "agent": "小汇"}
CHANNELS = frozenset({"sms", "email", "link"})
_SURNAMES, _GIVEN_NAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗", ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "杰", "秀英", "桂兰", "建华", "晓东")
_TOWNS = ("招远", "烟台", "威海", "青岛", "济南")
_FRUIT = ("红啤梨", "烟台苹果", "大樱桃")
_SOME = Stratum("普通客户", (), 0.3)


def definitions() -> list[tuple[str, Definition]]:
    """What the shop does: a sample after each parcel, all key customers twice, the fleet in a span of days, old customers by mail."""
    common: dict[str, Any] = {"variables": GIVEN, "hours": Hours(), "per_minute": 600}
    return [
        (
            "签收后三天回访",
            Definition(
                SCRIPT, (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),), channels=("sms", "email"), retry=Retry(1, timedelta(days=1), timedelta(days=3)),
                sampling=Sampling((Stratum("重点客户", ("VIP", "车队"), 1.0), _SOME), top_up=True), priority=3, **common,
            ),
        ),
        (
            "重点客户一周和一个月回访",
            Definition(
                SCRIPT,
                (Rule("1周", "签收日期", Amount(1, Unit.WEEKS), late=Late.TELL), Rule("每月", "签收日期", Amount(1, Unit.MONTHS), every=1, deadline=Amount(5, Unit.DAYS))),
                audience=Audience(groups=("VIP",)), priority=1, retry=Retry(2, timedelta(days=2), timedelta(days=5)), **common,
            ),
        ),
        (
            "车队 8 到 15 天回访",
            Definition(
                SCRIPT, (Rule("8-15天", "签收日期", Amount(8, Unit.DAYS), latest=Amount(15, Unit.DAYS), late=Late.SKIP),), audience=Audience(groups=("车队",)),
                channels=("email", "sms"), **common,
            ),
        ),
        ("老客户年末问候", Definition(SCRIPT, (Rule("启动后", ""),), channels=("email",), sampling=Sampling((replace(_SOME, share=0.4),)), **common)),
    ]  # fmt: skip


@dataclass
class Shop(Year):
    """`customers` come by a file every week."""

    log: Any = None

    async def begin(self) -> None:
        async with self.database.session() as session:
            await session.execute(
                text("CREATE TABLE provider_log (id bigserial PRIMARY KEY, at timestamptz, delivery_id bigint, channel text, told boolean)")
            )

    async def open_campaign(self, number: int, at: datetime, user_id: int | None) -> None:
        name, made = definitions()[number]
        async with self.database.session() as session:
            campaign = await actions.create(session, name, parse.as_json(made), at, user_id=user_id)
            campaign.seed = 20261012 + number
            await actions.start(session, campaign.id, at, CHANNELS)

    async def file_comes(self, week: int, weeks: int, at: datetime) -> None:
        first, last = self.customers * week // weeks, self.customers * (week + 1) // weeks
        people = [_customer(n, at) for n in range(first, last)]
        async with self.database.session() as session:
            file = Import(source="console", file_name=f"签收名单-第{week + 1}周.xlsx", digest=f"{week:064}", rows=len(people), created=len(people), updated=0, merged=0, at=at)
            session.add_all([file, *people])
            await session.flush()
            session.add_all(ImportedContact(import_id=file.id, contact_id=one.id) for one in people)
            for number, one in enumerate(people, first):
                if number % 17 != 5:
                    session.add_all(Consent(contact_id=one.id, channel=channel, given=True, source="购买时勾选", import_id=file.id, at=at) for channel in ("sms", "email"))
                if number % 41 == 8:
                    session.add(DoNotContact(contact_id=one.id, phone=one.phone, reason="customer", at=at))


def _customer(n: int, at: datetime) -> Contact:
    fields = {
        "签收日期": f"{at.date() + timedelta(days=n % 7 - 2):%Y-%m-%d}", "城市": _TOWNS[n % 5], "商品": _FRUIT[n % 3], "下单时间": "上周",
        "每箱销售价（元）": str(58 + n % 4 * 10), "每箱个数": "12",
    }  # fmt: skip
    if n % 53 == 9:
        del fields["商品"]
    if n % 47 == 11:
        del fields["签收日期"]
    groups = ["VIP"] if n % 20 == 0 else ["车队"] if n % 20 == 1 else ["普通客户"]
    name = _SURNAMES[n * 7 % 20] + _GIVEN_NAMES[n * 5 % 16]
    phone, email = None if n % 61 == 13 else f"139{n:08}", f"c{n}@example.com" if n % 3 == 0 else None
    return Contact(name=name, title="先生" if n % 2 else "女士", phone=phone, email=email, groups=groups, fields=fields, created_at=at, updated_at=at)


async def live(database: Database, customers: int, *, days: int = DAYS, user_id: int | None = None) -> None:
    """Fill the database with the shop's last days up to NOW; the clock of the caller stays as it is."""
    await asyncio.create_task(_live(database, customers, days, user_id))


async def _live(database: Database, customers: int, days: int, user_id: int | None) -> None:
    first = NOW.date() - timedelta(days=days)
    log = await provider_log(database.url)
    try:
        shop, worker = Shop(database, customers, days), Worker(database, log)
        await shop.begin()
        moments = [datetime.combine(first + timedelta(days=day), hour, SHANGHAI) for day in range(days + 1) for hour in TIMES]
        for number, at in enumerate(one for one in moments if one <= NOW):
            day = number // len(TIMES)
            if number % (7 * len(TIMES)) == 0:
                await shop.file_comes(day // 7, days // 7 + 1, at - timedelta(hours=2))
            if number in (0, 1, 2):
                await shop.open_campaign(number, at, user_id)
            if day == days * 2 // 3 and number % len(TIMES) == 0:
                await shop.open_campaign(3, at, user_id)
            await worker.minute(at)
            await worker.send_all(at)
            await shop.react(at)
        await _settle(database, NOW)
    finally:
        await log.close()


async def _settle(database: Database, at: datetime) -> None:
    """One is paused, one cancelled, one not started yet."""
    async with database.session() as session:
        await actions.pause(session, 3, "等车队确认联系人")
        await actions.cancel(session, 4, "内容改到十二月再发", at)
        draft = Definition(SCRIPT, (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),), variables=GIVEN, audience=Audience(groups=("普通客户",)))
        made = await actions.create(session, "十二月签收回访", parse.as_json(draft), at)
        (await session.get_one(Campaign, made.id)).seed = 20261120
