"""Every message enters once, or not at all."""

import asyncio

import pytest
from sqlalchemy import select, text

from followup import clock
from followup.dialogue.effects import Outcome, SetOutcome
from followup.store.effects import apply
from followup.store.models import Attempt, Case, Contact, DoNotContact
from followup.store.records import UnknownCase
from followup.talk.inbox import EmptyMessage, Trigger, accept, accept_trigger

from .conftest import Line


async def jobs(line: Line) -> int:
    async with line.database.session() as session:
        return await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'run_turn'")) or 0


async def case_of(line: Line) -> Case:
    async with line.database.session() as session:
        return await session.get_one(Case, line.case_id)


async def attempts(line: Line) -> list[tuple[int, str]]:
    async with line.database.session() as session:
        rows = await session.scalars(select(Attempt).order_by(Attempt.number))
        return [(row.number, row.reason) for row in rows]


async def test_a_message_and_its_job_are_stored_together(line: Line) -> None:
    accepted = await line.hears("方便")
    (row,) = await line.rows("in")
    assert (row.id, row.text, row.status) == (accepted.message_id, "方便", "received")
    assert await jobs(line) == 1


async def test_a_rolled_back_message_leaves_no_job(line: Line) -> None:
    with pytest.raises(RuntimeError):
        async with line.database.session() as session:
            await accept(session, line.case_id, "web", "a", "方便")
            raise RuntimeError
    assert (await line.rows("in"), await jobs(line)) == ([], 0)


async def test_a_duplicate_is_accepted_once_and_known_as_such(line: Line) -> None:
    first = await line.hears("方便", "a")
    second = await line.hears("方便", "a")
    assert (first.duplicate, second.duplicate) == (False, True)
    assert first.message_id == second.message_id
    assert (len(await line.rows("in")), await jobs(line)) == (1, 1)


async def test_fifty_copies_at_once_are_one_message(line: Line) -> None:
    accepted = await asyncio.gather(*(line.hears("方便", "a") for _ in range(50)))
    assert len({one.message_id for one in accepted}) == 1
    assert sum(not one.duplicate for one in accepted) == 1
    assert (len(await line.rows("in")), await jobs(line)) == (1, 1)


async def test_the_same_key_in_another_case_or_channel_is_another_message(line: Line, make_case) -> None:
    other = Line(line.database, line.rasa, line.client, await make_case())
    accepted = [await line.hears("方便", "a"), await other.hears("方便", "a"), await line.hears("方便", "a", "wechat")]
    assert not any(one.duplicate for one in accepted)


async def test_control_characters_are_dropped_and_everything_else_is_kept(line: Line) -> None:
    await line.hears("\x00<b>'; DROP TABLE messages; --</b>\u0007😀\nok\ud800 ", "a")
    (row,) = await line.rows("in")
    assert row.text == "<b>'; DROP TABLE messages; --</b>😀\nok"


async def test_ten_thousand_characters_are_stored_whole(line: Line) -> None:
    await line.hears("好" * 10_000, "a")
    (row,) = await line.rows("in")
    assert len(row.text) == 10_000


@pytest.mark.parametrize("nothing", ["", "  \n", "\x00\x07"])
async def test_nothing_is_not_accepted(line: Line, nothing: str) -> None:
    with pytest.raises(EmptyMessage):
        await line.hears(nothing, "a")
    assert await jobs(line) == 0


async def test_a_message_for_no_case_is_refused(line: Line) -> None:
    async with line.database.session() as session:
        with pytest.raises(UnknownCase):
            await accept(session, "0" * 32, "web", "a", "方便")


async def test_only_known_triggers_are_accepted_as_such(line: Line) -> None:
    async with line.database.session() as session:
        with pytest.raises(ValueError, match="restart"):
            await accept(session, line.case_id, "system", "a", "/restart", direction="system")


async def test_opening_the_talk_begins_the_first_attempt_once(line: Line) -> None:
    for _ in range(2):
        async with line.database.session() as session:
            await accept_trigger(session, line.case_id, Trigger.START, "start")
    case = await case_of(line)
    assert case.status == "open" and case.opened_at is not None
    assert await attempts(line) == [(1, "first")]


async def test_a_customer_who_speaks_is_no_longer_silent(line: Line) -> None:
    async with line.database.session() as session:
        (await session.get_one(Case, line.case_id)).nudged_at = (await case_of(line)).created_at
    await line.hears("在的")
    case = await case_of(line)
    assert case.nudged_at is None and case.last_message_at is not None


async def test_nothing_is_opened_for_whoever_wants_no_contact(line: Line) -> None:
    async with line.database.session() as session:
        contact = (await session.scalars(select(Contact))).one()
        session.add(DoNotContact(contact_id=contact.id))
    async with line.database.session() as session:
        await accept_trigger(session, line.case_id, Trigger.RESUME, "callback-1")
    assert (await case_of(line)).status == "new"
    assert await attempts(line) == []


async def test_a_customer_who_opens_the_link_again_begins_another_attempt(line: Line) -> None:
    async with line.database.session() as session:
        await accept(session, line.case_id, "web", "start", Trigger.START, direction="system")
        await apply(session, line.case_id, None, [SetOutcome(Outcome.APPOINTED)], clock.now())
    async with line.database.session() as session:
        await accept(session, line.case_id, "web", "return-1", Trigger.RESUME, direction="system")
    assert (await case_of(line)).status == "open"
    assert await attempts(line) == [(1, "first"), (2, "return")]
