"""Cases, contacts and script revisions."""

import pytest

from followup.store import records
from followup.store.database import Database
from followup.talk.inbox import Trigger, accept, accept_trigger


async def test_a_case_keeps_the_script_it_began_with(database: Database) -> None:
    async with database.session() as session:
        contact = await records.create_contact(session, name="李红", title="女士")
        old = await records.save_revision(session, "tea", "1", {"questions": ["q1"]})
        case_id = await records.create_case(session, contact, old, {"product": "龙井"}, is_demo=True)
        new = await records.save_revision(session, "tea", "2", {"questions": ["q1", "q2"]})
        case = await records.load_case(session, case_id)
    assert new != old
    assert case.script == {"questions": ["q1"]}
    assert (case.script_id, case.contact_name, case.contact_title) == ("tea", "李红", "女士")
    assert (case.variables, case.status, case.outcome) == ({"product": "龙井"}, "new", None)
    assert (case.do_not_contact, case.is_demo) == (False, True)


async def test_the_same_content_is_one_revision_whatever_the_order_of_its_keys(database: Database) -> None:
    async with database.session() as session:
        first = await records.save_revision(session, "tea", "1", {"a": 1, "b": "茶"})
        second = await records.save_revision(session, "tea", "1", {"b": "茶", "a": 1})
        other = await records.save_revision(session, "coffee", "1", {"a": 1, "b": "茶"})
    assert first == second != other


async def test_a_case_id_is_32_hexadecimal_digits(case_id: str) -> None:
    assert len(case_id) == 32 and set(case_id) <= set("0123456789abcdef")


async def test_an_unknown_case_is_told_apart(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(records.UnknownCase):
            await records.load_case(session, "0" * 32)


async def test_a_contact_is_found_by_phone(database: Database) -> None:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", phone="13800000001", fields={"plate": "京A"})
        found = await records.find_contact_by_phone(session, "13800000001")
        assert found is not None and (found.id, found.fields) == (contact, {"plate": "京A"})
        assert await records.find_contact_by_phone(session, "139") is None


async def test_the_transcript_shows_what_was_said_and_no_trigger(database: Database, case_id: str) -> None:
    async with database.session() as session:
        await accept_trigger(session, case_id, Trigger.START, "start")
        first = await accept(session, case_id, "web", "a", "方便")
        await accept(session, case_id, "web", "b", "朋友介绍的")
        lines = await records.transcript(session, case_id)
        later = await records.transcript(session, case_id, after=first.message_id)
    assert [(line.direction, line.text) for line in lines] == [("in", "方便"), ("in", "朋友介绍的")]
    assert [line.text for line in later] == ["朋友介绍的"]
