"""How often Rasa asks the action server in a turn: each call takes the state along and brings it back."""

from __future__ import annotations

import json

from sqlalchemy import select

from followup.store.database import Database
from followup.store.models import RasaEvent
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial
from tests.e2e.conftest import Addresses
from tests.e2e.dialogue_file import set_now


async def test_an_answer_and_the_next_question_are_one_call(addresses: Addresses) -> None:
    set_now("2026-11-23T10:00")
    database = Database(addresses.database_url, pool_size=2)
    try:
        async with RasaClient(addresses.rasa_url) as rasa:
            trial = await Trial.open(database, rasa, "auto_loan_satisfaction", {"voice": "calls"})
            await trial.start()
            for words in ("方便", "朋友介绍的", "不满意，太贵了"):
                assert await trial.say(words)
        async with database.session() as session:
            rows = await session.scalars(select(RasaEvent.data).where(RasaEvent.sender_id == trial.case_id).order_by(RasaEvent.id))
            events = [json.loads(row) for row in rows]
    finally:
        await database.close()
    calls: list[int] = []
    for event in events:
        if event["event"] == "user":
            calls.append(0)
        elif event["event"] == "slot" and event["name"] == "talk":
            calls[-1] += 1
    assert calls == [1, 1, 1, 1]
