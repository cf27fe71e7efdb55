"""A visitor's talk is begun in one statement; it must leave what the records leave one after the other."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from followup import clock
from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.store.models import Attempt, Base, Case, Contact, Message, ScriptRevision
from followup.talk.inbox import Trigger, accept
from followup.talk.visitor import begin_as_visitor, prepared

SCRIPT, NAME, CHANNEL, VARIABLES = "inbound_enquiry", "访客", "wechat:shop", {"company": "演示公司"}


async def _step_by_step(database: Database) -> str:
    async with database.session() as session:
        contact_id = await records.create_contact(session, name=NAME, is_anonymous=True)
        script = load.load_script(SCRIPT)
        revision = await records.save_revision(session, script.id, str(script.version), load.content(SCRIPT))
        case_id = await records.create_case(session, contact_id, revision, VARIABLES)
        await accept(session, case_id, CHANNEL, "start", Trigger.START.value, direction="system")
    return case_id


async def _at_once(database: Database) -> str:
    async with database.session() as session:
        return await begin_as_visitor(session, prepared(SCRIPT), VARIABLES, NAME, CHANNEL)


async def _left(database: Database, case_id: str) -> dict[str, list[dict[str, object]]]:
    """Every column of every row, but for what numbers them."""
    async with database.session() as session:
        case = await session.get_one(Case, case_id)
        found: dict[str, list[Base]] = {
            "case": [case],
            "contact": [await session.get_one(Contact, case.contact_id)],
            "attempts": list(await session.scalars(select(Attempt).where(Attempt.case_id == case_id))),
            "messages": list(await session.scalars(select(Message).where(Message.case_id == case_id))),
        }
        jobs = text("SELECT queue_name, task_name, lock, queueing_lock, status::text FROM procrastinate_jobs WHERE args ->> 'case_id' = :case")
        left = {name: [_plain(row) for row in rows] for name, rows in found.items()}
        return {**left, "jobs": [dict(row) for row in (await session.execute(jobs, {"case": case_id})).mappings()]}


def _plain(row: Base) -> dict[str, object]:
    numbers = ("id", "case_id", "contact_id", "updated_at")
    return {column.name: getattr(row, column.key) for column in row.__table__.columns if column.name not in numbers}


@pytest.mark.parametrize("revision", ["unknown", "known"])
async def test_one_statement_leaves_what_the_steps_leave(database, monkeypatch, revision):
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)
    if revision == "known":
        await _at_once(database)
    quick = await _at_once(database)
    slow = await _step_by_step(database)
    assert await _left(database, quick) == await _left(database, slow)
    async with database.session() as session:
        assert len(list(await session.scalars(select(ScriptRevision.id)))) == 1


def test_a_script_is_prepared_once_for_each_of_its_texts():
    assert prepared(SCRIPT) is prepared(SCRIPT)
    assert prepared(SCRIPT).script == load.load_script(SCRIPT)
