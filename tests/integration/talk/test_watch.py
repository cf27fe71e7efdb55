"""What time brings: call-backs, silence, work that was left behind."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from followup import clock
from followup.dialogue.effects import BookCallback, Outcome, SetOutcome, StopContact
from followup.store import records
from followup.store.models import Attempt, Callback, Case
from followup.talk.inbox import Trigger, accept_trigger
from followup.talk.watch import (
    end_the_silent,
    nudge_the_silent,
    rescue_messages,
    resume_due_callbacks,
)

from .conftest import Line

NOON = datetime.fromisoformat("2026-11-20T12:00:00+08:00")


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", NOON.isoformat())


async def open_talk(line: Line) -> None:
    async with line.database.session() as session:
        await accept_trigger(session, line.case_id, Trigger.START, "start")
    await line.drain()


async def apply(line: Line, *effects: object) -> None:
    async with line.database.session() as session:
        await records.apply(session, line.case_id, None, effects, clock.now())


async def run(line: Line, step, at: datetime) -> int:
    async with line.database.session() as session:
        return await step(session, at)


async def triggers(line: Line) -> list[str]:
    return [row.text for row in await line.rows("system")][1:]


async def callback(line: Line) -> str:
    async with line.database.session() as session:
        return (await session.scalars(select(Callback))).one().status


async def test_a_call_back_is_made_when_its_time_has_come_and_once(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(NOON + timedelta(hours=3), "开会", "三点"), SetOutcome(Outcome.APPOINTED))
    assert await run(line, resume_due_callbacks, NOON + timedelta(hours=2)) == 0
    assert await run(line, resume_due_callbacks, NOON + timedelta(hours=3)) == 1
    assert await run(line, resume_due_callbacks, NOON + timedelta(hours=3)) == 0
    assert await triggers(line) == ["/resume_followup"]
    assert await callback(line) == "due"
    async with line.database.session() as session:
        assert (await session.get_one(Case, line.case_id)).status == "open"
        reasons = (await session.scalars(select(Attempt.reason).order_by(Attempt.number))).all()
    assert reasons == ["first", "callback"]


async def test_a_call_back_that_was_held_is_done(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(NOON, "开会", "现在"), SetOutcome(Outcome.APPOINTED))
    await run(line, resume_due_callbacks, NOON)
    await apply(line, SetOutcome(Outcome.COMPLETED))
    assert await callback(line) == "done"


async def test_a_call_back_without_a_time_waits_for_one(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(None, "开会", "晚点"), SetOutcome(Outcome.APPOINTED))
    assert await run(line, resume_due_callbacks, NOON + timedelta(days=30)) == 0


async def test_nobody_is_called_back_after_an_opt_out(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(NOON, "开会", "现在"), SetOutcome(Outcome.APPOINTED))
    async with line.database.session() as session:  # the list was filled elsewhere, for the same phone
        twin = await records.create_contact(session, name="王太太", phone="13800000001")
        revision = await records.save_revision(session, "tea", "1", {"id": "tea"})
        other = await records.create_case(session, twin, revision)
        await records.apply(session, other, None, [StopContact("退订")], NOON)
    assert await run(line, resume_due_callbacks, NOON) == 0
    assert (await triggers(line), await callback(line)) == ([], "cancelled")


async def test_a_customer_who_came_back_first_is_not_called(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(NOON, "开会", "现在"))  # the talk is still open
    assert await run(line, resume_due_callbacks, NOON) == 0
    assert (await triggers(line), await callback(line)) == ([], "done")


async def test_a_person_calls_when_the_talk_was_handed_over(line: Line) -> None:
    await open_talk(line)
    await apply(line, BookCallback(NOON, "转人工", "现在"), SetOutcome(Outcome.HANDED_OVER))
    assert await run(line, resume_due_callbacks, NOON) == 0
    assert (await triggers(line), await callback(line)) == ([], "due")


async def test_a_silent_customer_is_asked_once(line: Line) -> None:
    await open_talk(line)
    assert await run(line, nudge_the_silent, NOON + timedelta(minutes=4)) == 0
    assert await run(line, nudge_the_silent, NOON + timedelta(minutes=5)) == 1
    await line.drain()
    assert await run(line, nudge_the_silent, NOON + timedelta(minutes=50)) == 0
    assert await triggers(line) == ["/silence"]


async def test_a_customer_who_answered_the_nudge_may_be_nudged_again(line: Line) -> None:
    await open_talk(line)
    await run(line, nudge_the_silent, NOON + timedelta(minutes=5))
    await line.hears("在的")
    await line.drain()
    assert await run(line, nudge_the_silent, NOON + timedelta(minutes=5)) == 1
    assert await triggers(line) == ["/silence", "/silence"]


async def test_a_customer_whose_message_waits_is_not_silent(line: Line) -> None:
    await open_talk(line)
    await line.hears("在的")
    assert await run(line, nudge_the_silent, NOON + timedelta(hours=1)) == 0


async def test_a_talk_that_has_ended_is_left_in_peace(line: Line) -> None:
    await open_talk(line)
    await apply(line, SetOutcome(Outcome.COMPLETED))
    assert await run(line, nudge_the_silent, NOON + timedelta(hours=1)) == 0


async def test_a_talk_ends_early_a_day_after_the_nudge(line: Line) -> None:
    await open_talk(line)
    await run(line, nudge_the_silent, NOON + timedelta(minutes=5))
    await line.drain()
    assert await run(line, end_the_silent, NOON + timedelta(hours=24)) == 0
    assert await run(line, end_the_silent, NOON + timedelta(hours=24, minutes=5)) == 1
    assert await run(line, end_the_silent, NOON + timedelta(hours=24, minutes=6)) == 0
    assert await triggers(line) == ["/silence", "/silence"]


async def test_a_message_without_a_job_gets_one(line: Line) -> None:
    await line.hears("在吗")
    assert await run(line, lambda session, _: rescue_messages(session), NOON) == 0
    async with line.database.session() as session:
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))  # its worker was killed
    assert await run(line, lambda session, _: rescue_messages(session), NOON) == 1
    assert await run(line, lambda session, _: rescue_messages(session), NOON) == 0


async def test_a_handled_message_is_not_rescued(line: Line) -> None:
    await line.hears("在吗")
    await line.drain()
    async with line.database.session() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    assert await run(line, lambda session, _: rescue_messages(session), NOON) == 0
