"""Turns whose requests have gone are watched on, and those that never end make room."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import update

from followup.channels.wechat.patience import Patience
from followup.store.database import Database
from followup.store.models import Message
from followup.talk.inbox import accept
from followup.web import wechat_turns
from followup.web.fanout import Fanout
from followup.web.wechat_turns import Turns
from tests.integration.web.web_talk import make_talk


class _Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest_asyncio.fixture
async def turns(database: Database):
    found = Turns(database, Fanout(database.url), Patience(4, 0.6, _Clock()))
    yield found
    await found.close()


async def _heard(database: Database, count: int) -> tuple[str, list[int]]:
    case_id = (await make_talk(database)).case_id
    async with database.session() as session:
        return case_id, [(await accept(session, case_id, "wechat:shop", str(n), "你好")).message_id for n in range(count)]


async def _until(true) -> None:
    for _ in range(3000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


async def test_a_turn_that_ends_later_lets_the_next_request_wait_again(database, turns):
    patience = turns.patience
    case_id, (number,) = await _heard(database, 1)
    waiting = patience.waiting()
    patience.clock.at = 4.0
    await turns.wait(case_id, number, waiting)
    assert patience.waiting().left() == 0
    async with database.session() as session:
        await session.execute(update(Message).where(Message.id == number).values(status="handled"))
    await _until(lambda: patience.waiting().left() > 0)


@pytest.mark.parametrize("change, waits_again", [({"tries": 1}, False), ({"status": "handled"}, True)])
async def test_a_turn_that_failed_ends_its_wait_but_is_no_sign_of_life(database, turns, change, waits_again):
    patience = turns.patience
    case_id, (number, other) = await _heard(database, 2)
    gone = patience.waiting()
    patience.clock.at = 4.0
    await turns.wait(case_id, other, gone)
    patience.in_vain = False
    waiting = asyncio.create_task(turns.wait(case_id, number, patience.waiting()))
    patience.in_vain = True
    async with database.session() as session:
        await session.execute(update(Message).where(Message.id == number).values(change))
    await asyncio.wait_for(waiting, 60)
    assert (patience.waiting().left() > 0) == waits_again


async def test_what_never_ends_makes_room(database, turns, monkeypatch):
    monkeypatch.setattr(wechat_turns, "_MOST_LEFT", 2)
    patience = turns.patience
    case_id, numbers = await _heard(database, 4)
    patience.in_vain = True
    for number in numbers[:3]:
        await turns.wait(case_id, number, patience.waiting())
    assert list(turns._turns) == numbers[:2]
    patience.clock.at = 100.0
    await turns.wait(case_id, numbers[3], patience.waiting())
    assert list(turns._turns) == [numbers[1], numbers[3]]
