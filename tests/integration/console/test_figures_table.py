"""`talk_facts`: which changes a talk is counted anew for, and that none is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update

from followup import clock
from followup.console.figures import table
from followup.store.database import Database
from followup.store.fact_models import DirtyTalk, TalkFact
from followup.store.models import Answer, Attempt, Case, Message, Ticket
from tests.integration.console.written_talks import Said, write_talk


async def a_talk(database: Database) -> str:
    written = await write_talk(database, [Said("方便", "consent"), Said("利息太高", "dissatisfied", answers=[("price", "不满意")])])
    return written.case_id


async def fact(database: Database, case_id: str) -> TalkFact | None:
    async with database.session() as session:
        await table.refresh(session)
        return await session.get(TalkFact, case_id)


async def marked(database: Database) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(DirtyTalk)) or 0


async def do(database: Database, statement: Any) -> None:
    async with database.session() as session:
        await session.execute(statement)


async def test_a_talk_is_counted_as_it_is(database: Database) -> None:
    found = await fact(database, await a_talk(database))
    assert found is not None
    assert (found.said, found.replied, found.low, found.aspects) == (2, True, True, ["price"])
    assert 'price="不满意"' in found.answers
    assert await marked(database) == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (update(Answer).values(superseded=True), lambda one: not one.low and one.answers == []),
        (delete(Answer), lambda one: not one.low and one.aspects == []),
        (update(Case).values(outcome="refused", outcome_reason="没时间"), lambda one: one.why == "no_time"),
        (update(Case).values(is_demo=True), lambda one: one.is_demo),
        (update(Case).values(ended_at=clock.now() + timedelta(days=400)), lambda one: one.day > clock.now().date() + timedelta(days=390)),
        (update(Attempt).values(ended_at=Attempt.started_at + timedelta(seconds=700)), lambda one: one.length == 700),
        (delete(Message).where(Message.direction == "in", ~select(Answer.id).where(Answer.message_id == Message.id).exists()), lambda one: one.said == 1),
    ],
)
async def test_what_changes_a_figure_is_seen_at_the_next_look(database: Database, change: Any, what: Any) -> None:
    case_id = await a_talk(database)
    before = await fact(database, case_id)
    assert before is not None and not what(before)
    await do(database, change)
    after = await fact(database, case_id)
    assert after is not None and what(after)


async def test_a_ticket_and_a_further_message_are_seen(database: Database) -> None:
    case_id = await a_talk(database)
    assert await fact(database, case_id) is not None
    async with database.session() as session:
        session.add(Ticket(case_id=case_id, topic="t", kind="complaint", severity=2, department="", reason="态度差", due_at=clock.now()))
        session.add(Message(case_id=case_id, direction="in", channel="web", channel_message_id="more", text="好", status="received"))
    found = await fact(database, case_id)
    assert found is not None and found.complained and found.said == 3 and "price" in found.aspects and len(found.aspects) > 1


async def test_what_changes_no_figure_marks_nothing(database: Database) -> None:
    case_id = await a_talk(database)
    await fact(database, case_id)
    await do(database, update(Message).values(status="sent", handled_at=clock.now()))
    await do(database, update(Case).values(nudged_at=clock.now()))
    async with database.session() as session:
        session.add(Message(case_id=case_id, direction="out", channel="web", channel_message_id="ours", text="好", status="queued"))
    assert await marked(database) == 0


async def test_a_change_that_is_committed_after_an_earlier_one_was_counted_is_not_lost(database: Database) -> None:
    case_id = await a_talk(database)
    async with database.session() as late:
        # Marked already by the talk itself, and changed again by somebody who has not committed yet.
        await late.execute(update(Case).values(outcome="refused"))
        before = await fact(database, case_id)
        assert before is not None and before.outcome != "refused"
    after = await fact(database, case_id)
    assert after is not None and after.outcome == "refused"


async def test_a_talk_that_is_gone_is_no_longer_counted(database: Database) -> None:
    case_id = await a_talk(database)
    await fact(database, case_id)
    async with database.session() as session:
        for name in ("answers", "messages", "attempts", "cases"):
            column = "id" if name == "cases" else "case_id"
            await session.execute(text(f"DELETE FROM {name} WHERE {column} = :case"), {"case": case_id})
    assert await fact(database, case_id) is None


async def test_other_definitions_count_every_talk_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = await a_talk(database)
    await fact(database, case_id)
    await do(database, update(TalkFact).values(said=99))
    found = await fact(database, case_id)
    assert found is not None and found.said == 99
    monkeypatch.setattr(table, "digest", lambda: "others")
    found = await fact(database, case_id)
    assert found is not None and found.said == 2


async def test_the_worker_leaves_nothing_to_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_MOST", 3)
    await a_talk(database)
    assert await table.refresh_all(database) >= 1
    assert await marked(database) == 0
