"""A turn asks the database as little as it does now: who adds a statement to every message's way, does so knowingly."""

from __future__ import annotations

from datetime import datetime

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import context
from actions.talk import FORM, HearAnswer, StartFollowup
from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.talk.inbox import Trigger, accept
from followup.talk.turn import drain
from tests.integration.budget import counted

from .conftest import APOLOGY, Line


async def test_a_turn_of_the_worker_is_six_statements_and_one_commit(line: Line) -> None:
    await line.hears("有点贵")
    own = Database(line.database.url, pool_size=2)  # not the one that the fake Rasa writes by
    try:
        with counted(own.engine.sync_engine) as spent:
            assert await drain(own, line.client, line.case_id, apology=APOLOGY) == 1
        spent.within(statements=6, commits=1)
    finally:
        await own.close()


async def test_three_messages_that_wait_are_not_three_times_a_job(line: Line) -> None:
    for words in ("有点贵", "还行", "没有了"):
        await line.hears(words)
    own = Database(line.database.url, pool_size=2)
    try:
        with counted(own.engine.sync_engine) as spent:
            assert await drain(own, line.client, line.case_id, apology=APOLOGY) == 3
        spent.within(statements=4 + 3 * 2, commits=3)
    finally:
        await own.close()


async def test_an_answer_is_written_by_three_statements_and_one_commit(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = load.load_script("auto_loan_satisfaction")
    async with database.session() as session:
        contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
        revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
        case_id = await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)
        await accept(session, case_id, "web", "opened", Trigger.START, direction="system")
        accepted = await accept(session, case_id, "web", "3", "朋友介绍的")
    own = Database(database_url)
    monkeypatch.setattr(context, "database", lambda: own)  # a fake Rasa of an earlier test may have left its own there
    try:
        slots: dict[str, object] = {}
        await _run(StartFollowup(), case_id, slots, Trigger.START, "start_followup")
        await _run(HearAnswer(), case_id, slots, "方便", "consent")
        with counted(own.engine.sync_engine) as spent:
            await _run(HearAnswer(), case_id, slots, "朋友介绍的", "inform", accepted.message_id)
        assert any("UPDATE answers" in statement for statement in spent.statements)
        spent.within(statements=3, commits=1)
    finally:
        await own.close()


async def _run(action: StartFollowup | HearAnswer, case_id: str, slots: dict[str, object], words: str, intent: str, message_id: int | None = None) -> None:
    """As Rasa calls it, and what it does with the slots that come back."""
    at = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI).isoformat()
    metadata = {"case_id": case_id, "message_id": message_id, "received_at": at}
    message = {"text": words, "intent": {"name": intent, "confidence": 0.99}, "acts": [], "metadata": metadata}
    heard = [{"event": "user", "text": words}, {"event": "slot", "name": "answer", "value": words}]
    tracker = Tracker(case_id, dict(slots), message, heard, False, None, {"name": FORM}, None)
    for event in await action.run(CollectingDispatcher(), tracker, {}):
        if event.get("event") == "slot":
            slots[event["name"]] = event["value"]
