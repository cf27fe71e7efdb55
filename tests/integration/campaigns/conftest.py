"""Campaigns on a real PostgreSQL, with a provider that only writes down what it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Amount, Definition, Rule, Unit
from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.channels import Accepted, Invitation
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry, Consent, Delivery
from followup.store.database import Database
from followup.store.models import Case, Contact

NOW = datetime(2026, 3, 10, 10, 5, tzinfo=SHANGHAI)
"""A Tuesday morning, inside the best hours."""
SCRIPT = "fruit_order"
GIVEN = {"company": "招远汇商城", "agent": "小汇", "bought_on": "上周", "box_price": "68", "box_count": "12"}
NEXT_DAY = Rule("1天", "签收日期", Amount(1, Unit.DAYS))
DEFINITION = Definition(SCRIPT, (NEXT_DAY,), variables=GIVEN)


@dataclass
class Provider:
    """Takes everything, unless `answers` holds an error to raise first."""

    channel: str = "sms"
    provider: str = "test"
    sent: list[Invitation] = field(default_factory=list)
    answers: list[Exception] = field(default_factory=list)

    async def send(self, invitation: Invitation) -> Accepted:
        if self.answers:
            raise self.answers.pop(0)
        self.sent.append(invitation)
        return Accepted(f"test-{invitation.delivery_id}")


async def invite(session: AsyncSession, delivery: Delivery, case: Case, contact: Contact, *, valid_for: timedelta) -> Invitation:
    to = {"sms": contact.phone, "email": contact.email}.get(delivery.channel) or ""
    return Invitation(delivery.id, to, "https://example.com/c/x", "ABCD2345", "", contact.name, "", delivery.kind)


@dataclass
class World:
    """A database, providers, and a clock that a test moves."""

    database: Database
    at: datetime = NOW
    providers: dict[str, Provider] = field(default_factory=lambda: {c: Provider(c) for c in ("sms", "email")})
    daily_cap: int = 1
    per_minute: dict[str, int] = field(default_factory=dict)

    async def customers(self, count: int, *, start: int = 0, agreed: tuple[str, ...] = ("sms",), **given: Any) -> list[int]:
        """Customers who signed for their parcel yesterday, with consent."""
        fields = given.pop("fields", {"签收日期": (NOW - timedelta(days=1)).strftime("%Y-%m-%d"), "商品": "红啤梨"})
        async with self.database.session() as session:
            people = [
                Contact(name=f"客户{start + n}", title="女士", phone=f"138{start + n:08}", fields=fields, updated_at=self.at, **given)
                for n in range(count)
            ]
            session.add_all(people)
            await session.flush()
            session.add_all(Consent(contact_id=p.id, channel=c, given=True, source="测试") for p in people for c in agreed)
            return [person.id for person in people]

    async def campaign(self, made: Definition = DEFINITION, *, status: str = "running", seed: int = 7, **changed: Any) -> int:
        made = replace(made, **changed)
        async with self.database.session() as session:
            row = Campaign(
                name="测试", script_id=made.script_id, definition=parse.as_json(made), status=status, seed=seed,
                priority=made.priority, started_at=self.at, created_at=self.at,
            )
            session.add(row)
            await session.flush()
            return row.id

    async def minute(self) -> None:
        """What the clock and the senders do in a minute."""
        await run_campaigns(self.database, self.at, self.daily_cap)
        await self.send_queued()

    async def send_queued(self, limit: int = 1000) -> None:
        await send_batch(self.database, self.providers, invite, self.at, daily_cap=self.daily_cap, per_minute=self.per_minute, limit=limit)

    async def later(self, **ahead: float) -> None:
        self.at += timedelta(**ahead)
        await self.minute()

    async def stages(self) -> dict[str, int]:
        async with self.database.session() as session:
            rows = await session.execute(text("SELECT stage, count(*) FROM campaign_ledger GROUP BY stage"))
            return dict(map(tuple, rows))

    async def reasons(self) -> dict[str, int]:
        async with self.database.session() as session:
            rows = await session.execute(
                select(CampaignEntry.reason, func.count()).where(CampaignEntry.reason != "").group_by(CampaignEntry.reason)
            )
            return dict(map(tuple, rows))

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.database.session() as session:
            await session.execute(text(statement), values)


@pytest_asyncio.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    database = Database(database_url, pool_size=4)
    yield World(database)
    await database.close()
