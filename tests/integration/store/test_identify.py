"""Whose number a visitor gives: a pointer for staff, and the do-not-contact list."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from followup.dialogue.effects import BookCallback, IdentifyCustomer, RaiseTicket, StopContact, TakeNote
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.models import Case, Contact

AT = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
PHONE = "13800000001"


@pytest.fixture
def write(database: Database):
    async def write(case_id: str, *effects) -> None:
        async with database.session() as session:
            await records.apply(session, case_id, None, effects, AT)

    return write


async def case_of(database: Database, *, phone: str | None = None, visitor: bool = False, status: str = "open") -> str:
    async with database.session() as session:
        contact = await records.create_contact(session, name="访客" if visitor else "王强", phone=phone, is_anonymous=visitor)
        revision = await records.save_revision(session, "demo", "1", {"id": "demo"})
        case_id = await records.create_case(session, contact, revision, {})
        (await session.get_one(Case, case_id)).status = status
        return case_id


async def row_of(database: Database, case_id: str) -> tuple[Case, Contact]:
    async with database.session() as session:
        case = await session.get_one(Case, case_id)
        return case, await session.get_one(Contact, case.contact_id)


async def test_a_number_points_to_the_newest_open_case_of_its_customer(database, write):
    known = await case_of(database, phone=PHONE)
    await case_of(database, phone=PHONE, status="closed")
    visit = await case_of(database, visitor=True)
    await write(visit, RaiseTicket("quality", "dissatisfaction", 3, "售后部", "梨坏了"), IdentifyCustomer(phone=PHONE))
    case, contact = await row_of(database, visit)
    assert (case.claimed_case_id, contact.phone, contact.is_anonymous) == (known, PHONE, True)
    async with database.session() as session:
        assert [ticket.reason for ticket in await records.tickets_of(session, known)] == ["梨坏了"]
        assert await records.enquiries_of(session, case.claimed_contact_id) == [visit]


async def test_without_an_open_case_it_points_to_the_customer_alone(database, write):
    over = await case_of(database, phone=PHONE, status="closed")
    visit = await case_of(database, visitor=True)
    await write(visit, IdentifyCustomer(phone=PHONE))
    case, _ = await row_of(database, visit)
    assert case.claimed_case_id is None
    assert case.claimed_contact_id == (await row_of(database, over))[0].contact_id


async def test_a_number_nobody_has_is_kept_with_the_visitor_and_is_nobodys(database, write):
    visit, later = await case_of(database, visitor=True), await case_of(database, visitor=True)
    await write(visit, IdentifyCustomer(phone=PHONE), IdentifyCustomer(name="李"))
    await write(later, IdentifyCustomer(phone=PHONE))
    _, contact = await row_of(database, visit)
    assert (contact.phone, contact.name) == (PHONE, "李")
    assert (await row_of(database, later))[0].claimed_contact_id is None
    async with database.session() as session:
        assert await records.find_contact_by_phone(session, PHONE) is None


async def test_a_corrected_number_points_elsewhere_and_twice_is_once(database, write):
    await case_of(database, phone=PHONE)
    other = await case_of(database, phone="13900000002")
    visit = await case_of(database, visitor=True)
    await write(visit, IdentifyCustomer(phone=PHONE))
    for _ in range(2):
        await write(visit, IdentifyCustomer(phone="13900000002"))
    case, contact = await row_of(database, visit)
    assert (case.claimed_case_id, contact.phone) == (other, "13900000002")


async def test_who_came_by_a_link_keeps_their_number_and_a_colleague_sees_the_other(database, write):
    own = await case_of(database, phone=PHONE)
    await write(own, IdentifyCustomer(phone="13900000002"))
    assert (await row_of(database, own))[1].phone == PHONE
    async with database.session() as session:
        assert [(note.kind, note.text) for note in await records.notes_of(session, own)] == [("stated_number", "13900000002")]


async def test_an_opt_out_with_a_number_blocks_the_customer_and_cancels_what_was_booked(database, write):
    known = await case_of(database, phone=PHONE)
    await write(known, BookCallback(AT + timedelta(days=1), "busy", "明天"))
    visit = await case_of(database, visitor=True)
    await write(visit, StopContact("别再联系我"))
    customer = (await row_of(database, known))[0].contact_id
    async with database.session() as session:
        assert not await records.is_blocked(session, customer)
    await write(visit, IdentifyCustomer(phone=PHONE), StopContact(PHONE))
    async with database.session() as session:
        assert await records.is_blocked(session, customer)
        assert await records.callback_of(session, known) is None


async def test_a_listed_number_is_told_to_staff(database, write):
    known = await case_of(database, phone=PHONE)
    await write(known, StopContact("别打了"))
    visit = await case_of(database, visitor=True)
    await write(visit, TakeNote("enquiry", "梨"), IdentifyCustomer(phone=PHONE))
    async with database.session() as session:
        kinds = [note.kind for note in await records.notes_of(session, visit)]
    assert kinds == ["enquiry", "blocked_number"]
