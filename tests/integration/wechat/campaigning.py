"""Campaigns that invite by WeChat: the engine, the fake platform, our web application for its events, and a carrier for the next channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import select, update

from followup import clock
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.channels.invite import Invite
from followup.channels.wechat.account import Account
from followup.channels.wechat.notifier import WechatNotifier
from followup.channels.wechat.notifier_reports import settle
from followup.channels.wechat.notifier_resume import invite_undelivered
from followup.channels.wechat.send import Sender
from followup.channels.wechat.template import Notices, Way, parse_notice
from followup.contacts.consent import standing
from followup.settings import Settings
from followup.store.campaign_models import CampaignEntry, Delivery
from followup.store.database import Database
from followup.store.wechat_models import WechatUser
from followup.web.app import make_app
from tests.fakes.wechat import FakeWechat, Phone
from tests.integration.campaigns.conftest import NOW, Provider, World

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
FIELDS = "thing1={company};time2={time};thing3={customer}，请您说说感受"
TEMPLATE = Notices((("first", parse_notice(Way.TEMPLATE, "TPL_1", FIELDS)),))
SUBSCRIBE = Notices((), (("first", parse_notice(Way.SUBSCRIBE, "SUB_1", "thing1={company};phrase2=待回访")),))
ACCOUNT = Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, aes_key=KEY, mode="aes")
OPENID = "oUser1"
CHANNELS = ("wechat", "sms")


@dataclass
class Shop(World):
    """`customer`: agreed to both channels and follows the account, but wrote long ago."""

    fake: FakeWechat = field(kw_only=True)
    sender: Sender = field(kw_only=True)
    settings: Settings = field(kw_only=True)
    patch: pytest.MonkeyPatch = field(kw_only=True)
    customer: int = 0

    @property
    def phone(self) -> Phone:
        return self.fake.phone(OPENID)

    @property
    def texted(self) -> int:
        return len(self.providers["sms"].sent)

    @property
    def asked(self) -> list[tuple[str, int]]:
        """(last part of the address, code answered) of what WeChat was asked."""
        return [(path.rsplit("/", 1)[-1] if "custom" not in path else "custom", code) for path, _, code in self.fake.calls]

    def move(self, at: datetime) -> None:
        self.at = at
        self.patch.setenv("FOLLOWUP_NOW", at.isoformat())

    async def later(self, **ahead: float) -> None:
        self.move(self.at + timedelta(**ahead))
        await self.minute()

    async def minute(self) -> None:
        await run_campaigns(self.database, self.at, self.daily_cap)
        await self.send_queued()

    async def send_queued(self) -> None:
        while (await send_batch(self.database, self.providers, Invite(self.settings), self.at)).more:
            pass

    async def tidy(self) -> None:
        """What the clock does for WeChat."""
        async with self.database.session() as session:
            await settle(session, self.at)
        async with self.database.session() as session:
            await invite_undelivered(session, await self.sender.known(), self.at)
        await self.send_queued()

    async def wrote(self, ago: timedelta = timedelta(0)) -> None:
        """The customer's window is open since then."""
        at = self.at - ago
        self.phone.message_at, self.phone.sent_by_message = at, 0
        async with self.database.session() as session:
            await session.execute(update(WechatUser).where(WechatUser.openid == OPENID).values(message_at=at, sent=[]))

    async def deliveries(self) -> list[Delivery]:
        async with self.database.session() as session:
            return list(await session.scalars(select(Delivery).order_by(Delivery.id)))

    async def states(self) -> list[tuple[str, str, str]]:
        return [(one.channel, one.status, one.error) for one in await self.deliveries()]

    async def entry(self) -> CampaignEntry:
        async with self.database.session() as session:
            return (await session.scalars(select(CampaignEntry))).one()

    async def user(self) -> WechatUser:
        async with self.database.session() as session:
            return (await session.scalars(select(WechatUser).where(WechatUser.openid == OPENID))).one()

    async def agreed(self) -> dict[str, bool]:
        async with self.database.session() as session:
            return await standing(session, self.customer)

    async def only_delivery(self) -> Any:
        (one,) = await self.deliveries()
        return one


@asynccontextmanager
async def open_shop(
    database: Database, home: Path, patch: pytest.MonkeyPatch, notices: Notices, *, bound: bool = True
) -> AsyncIterator[Shop]:
    patch.setenv("FOLLOWUP_NOW", NOW.isoformat())
    fake = FakeWechat(replace(ACCOUNT, notices=notices), clock=clock.now, wait=2.0)
    async with TestServer(fake.app()) as platform:
        account = replace(ACCOUNT, notices=notices, api=str(platform.make_url("")).rstrip("/"))
        settings = Settings(home=home, database_url=database.url, secret="t" * 40, wechat=(account,), company="招远汇商城")
        sender = Sender(database, (account,))
        async with TestServer(make_app(settings)) as server:
            fake.callback = str(server.make_url("/wechat/shop"))
            shop = Shop(database, fake=fake, sender=sender, settings=settings, patch=patch)
            shop.providers = {"sms": Provider("sms"), "wechat": WechatNotifier(sender)}  # type: ignore[dict-item]
            fake.phone(OPENID)
            if bound:
                (shop.customer,) = await shop.customers(1, agreed=CHANNELS)
                async with database.session() as session:
                    session.add(WechatUser(account="shop", openid=OPENID, contact_id=shop.customer))
            yield shop
            await sender.close()
            await fake.close()
