"""A customer of a campaign who was sent a short message, and the web application before the same database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from followup import clock
from followup.channels.reports import report_secret
from followup.settings import Settings
from followup.store.campaign_models import Campaign, CampaignEntry, Consent, Delivery
from followup.store.database import Database
from followup.store.models import Contact, DoNotContact, Note
from followup.web.app import make_app
from tests.integration.web.web_talk import Talk, make_talk

PHONE = "13800138000"
SECRET = "t" * 40


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret=SECRET)


@pytest_asyncio.fixture
async def visitor(settings: Settings) -> AsyncIterator[TestClient]:
    server = TestServer(make_app(settings))
    await server.start_server()
    async with TestClient(server) as client:
        yield client
    await server.close()


@dataclass
class Sent:
    """A delivery and what is known of it."""

    database: Database
    talk: Talk
    contact_id: int
    entry_id: int
    delivery_id: int

    async def row(self, model: Any, number: int) -> Any:
        async with self.database.session() as session:
            return await session.get_one(model, number)

    @property
    async def delivery(self) -> Delivery:
        return await self.row(Delivery, self.delivery_id)

    @property
    async def entry(self) -> CampaignEntry:
        return await self.row(CampaignEntry, self.entry_id)

    async def all(self, model: Any) -> list[Any]:
        async with self.database.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))

    async def change(self, model: Any, number: int, **values: Any) -> None:
        async with self.database.session() as session:
            found = await session.get_one(model, number)
            for name, value in values.items():
                setattr(found, name, value)

    async def standing_blocks(self) -> list[DoNotContact]:
        return [one for one in await self.all(DoNotContact) if one.lifted_at is None]

    async def notes(self) -> list[Note]:
        return await self.all(Note)


async def make_sent(database: Database, provider: str, provider_id: str | None = "9001^0", status: str = "accepted") -> Sent:
    talk = await make_talk(database)
    at: datetime = clock.now() - timedelta(minutes=1)
    async with database.session() as session:
        contact = await session.get_one(Contact, await contact_of(session, talk.case_id))
        contact.phone = PHONE
        session.add(Consent(contact_id=contact.id, channel="sms", given=True, source="测试"))
        campaign = Campaign(name="测试", script_id="fruit_order", definition={}, seed=1, status="running")
        session.add(campaign)
        await session.flush()
        unknown = status == "unknown"
        entry = CampaignEntry(
            campaign_id=campaign.id, contact_id=contact.id, rule="1天", state="queued" if status == "sending" else "sent", channel="sms",
            tries=1, case_id=talk.case_id, reason="unknown" if unknown else "", sent_at=None if unknown else at,
            next_at=None if unknown else at + timedelta(days=1),
        )  # fmt: skip
        session.add(entry)
        await session.flush()
        delivery = Delivery(
            case_id=talk.case_id, contact_id=contact.id, entry_id=entry.id, number=1, kind="first", channel="sms", provider=provider,
            provider_id=provider_id, status=status, day=at.date(), sending_at=at, done_at=at,
        )  # fmt: skip
        session.add(delivery)
        await session.flush()
        return Sent(database, talk, contact.id, entry.id, delivery.id)


async def contact_of(session: Any, case_id: str) -> int:
    from followup.store.models import Case

    return (await session.get_one(Case, case_id)).contact_id


@dataclass
class Mailman:
    """Speaks as a provider does."""

    client: TestClient
    provider: str
    secret: str = report_secret(SECRET)

    async def tells(self, body: Any) -> int:
        answer = await self.client.post(f"/sms/{self.provider}/{self.secret}", json=body)
        if answer.status != 404:
            said = await answer.json()
            assert (said.get("code", said.get("result")) == 0) == (answer.status == 200)
        return answer.status

    async def reports(self, sent: Sent, arrived: bool = True, *, code: str = "", provider_id: str = "9001^0", **changed: Any) -> int:
        return await self.tells([self.report(sent, arrived, code=code, provider_id=provider_id) | changed])

    def report(self, sent: Sent, arrived: bool = True, *, code: str = "", provider_id: str = "9001^0") -> dict[str, Any]:
        at = "2026-03-10 10:05:00"
        if self.provider == "aliyun":
            return {
                "phone_number": PHONE, "send_time": at, "report_time": at, "success": arrived, "err_code": code or "DELIVERED",
                "err_msg": "", "sms_size": "1", "biz_id": provider_id, "out_id": str(sent.delivery_id),
            }  # fmt: skip
        return {
            "user_receive_time": at, "nationcode": "86", "mobile": PHONE, "report_status": "SUCCESS" if arrived else "FAIL",
            "errmsg": code or "DELIVRD", "description": "", "sid": provider_id,
        }  # fmt: skip

    async def passes_on(self, text: str, phone: str = PHONE, moment: int = 1773108300) -> int:
        """What a customer texted."""
        if self.provider == "aliyun":
            said = {"phone_number": phone, "send_time": "2026-03-10 10:05:00", "content": text, "sign_name": "演示商城", "dest_code": "12", "sequence_id": moment}
            return await self.tells([said])
        return await self.tells({"extend": "", "mobile": phone, "nationcode": "86", "sign": "演示商城", "text": text, "time": moment})


@pytest.fixture(params=["aliyun", "tencent"])
def mailman(request: pytest.FixtureRequest, visitor: TestClient) -> Mailman:
    return Mailman(visitor, request.param)


@pytest_asyncio.fixture
async def sent(database: Database, mailman: Mailman) -> Sent:
    return await make_sent(database, mailman.provider)
