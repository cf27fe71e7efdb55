"""What a talk says about a customer for good: who complains is a key customer, who opts out has agreed to nothing more."""

from __future__ import annotations

from datetime import datetime

import pytest_asyncio

from followup.contacts import consent
from followup.dialogue.effects import RaiseTicket, StopContact
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.campaign_models import Consent
from followup.store.database import Database
from followup.store.models import Case, Contact

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


@pytest_asyncio.fixture
async def case(database: Database) -> Case:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", phone="13800000001")
        revision = await records.save_revision(session, "tea", "1", {"id": "tea", "questions": []})
        return await session.get_one(Case, await records.create_case(session, contact, revision))


async def apply(database: Database, case: Case, *effects: object) -> Contact:
    async with database.session() as session:
        await records.apply(session, case.id, None, effects, AT)  # type: ignore[arg-type]
    async with database.session() as session:
        return await session.get_one(Contact, case.contact_id)


async def test_who_complains_is_in_the_group_of_earlier_complaints_once(database: Database, case: Case) -> None:
    for topic in ("price", "price", "waiting"):
        contact = await apply(database, case, RaiseTicket(topic, "complaint", 1, "客服部", "太过分了"))
    assert contact.groups == ["曾投诉"] and contact.updated_at == AT


async def test_who_is_only_dissatisfied_is_not(database: Database, case: Case) -> None:
    assert (await apply(database, case, RaiseTicket("price", "dissatisfaction", 3, "销售部", "有点贵"))).groups == []


async def test_a_visitor_who_complains_is_nobodys_file(database: Database, case: Case) -> None:
    async with database.session() as session:
        (await session.get_one(Contact, case.contact_id)).is_anonymous = True
    assert (await apply(database, case, RaiseTicket("price", "complaint", 1, "客服部", "太过分了"))).groups == []


async def test_opting_out_takes_every_consent_back(database: Database, case: Case) -> None:
    async with database.session() as session:
        session.add_all([Consent(contact_id=case.contact_id, channel=channel, given=True, source="合同") for channel in ("sms", "email")])
    for _ in range(2):
        await apply(database, case, StopContact("别再打了"))
    async with database.session() as session:
        assert await consent.standing(session, case.contact_id) == {"sms": False, "email": False}
        assert len(await consent.history(session, case.contact_id)) == 4
        assert (await consent.history(session, case.contact_id))[0].source == "会话"
