"""Ten customers at once, each saying something else: everyone is asked the next question of their own talk. No times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bench.load import talks
from bench.load.talks import Said
from followup.store.database import Database
from followup.store.models import Case, Message
from followup.supervise.stack import Stack
from tests.integration.faults.page import Page
from tests.integration.faults.talk import shown_once

TALKS = 10


@pytest.fixture
async def database(running_stack: Stack) -> AsyncIterator[Database]:
    database = Database(running_stack.database_url)
    yield database
    await database.close()


async def test_ten_talks_at_once_are_each_asked_the_right_question(running_stack: Stack, database: Database) -> None:
    planned = talks.talks(seed=9)
    async with asyncio.TaskGroup() as group:
        for case_id, token in await talks.make_cases(database, TALKS):
            group.create_task(_hold(running_stack, database, case_id, token, next(planned)))


async def _hold(stack: Stack, database: Database, case_id: str, token: str, planned: list[Said]) -> None:
    assert stack.web_url is not None
    async with Page(stack.web_url, token) as page:
        await page.click()
        for said in planned:
            number = await page.send(said.text)
            await page.reply_to(number)
            answer = "\n".join(line.text for line in page.lines if line.direction == "out" and line.id > number)
            assert said.fault(answer) is None, (said, answer)
        await shown_once(database, case_id, page)
    async with database.session() as session:
        case = await session.get_one(Case, case_id)
        rows = list(await session.scalars(select(Message).where(Message.case_id == case_id)))
    assert (case.status, case.outcome) == ("closed", "completed")
    assert {row.status for row in rows if row.direction != "out"} == {"handled"}
    assert all(row.text.strip() for row in rows if row.direction == "out")


def test_an_answer_that_is_empty_or_asks_the_wrong_question_is_noticed() -> None:
    first, second = talks.questions()[:2]
    said = Said("方便", first, (second,))
    assert said.fault(f"好的。{first}") is None
    assert said.fault(" ") == "empty answer"
    assert "was not asked" in (said.fault(second) or "")
    assert "not its turn" in (said.fault(f"{first}{second}") or "")


def test_the_same_seed_gives_the_same_talks_and_the_last_reply_no_question() -> None:
    one, other = talks.talks(3), talks.talks(3)
    for _ in range(5):
        held = next(one)
        assert held == next(other)
        assert [said.wanted for said in held] == [*talks.questions(), ""][: len(held)] and held[-1].wanted == ""


def test_as_many_talks_arrive_as_the_rate_asks_for() -> None:
    assert talks.number_of_talks(rate=20, minutes=60) == round(20 * 3600 / 7)
    assert talks.number_of_talks(rate=0.01, minutes=0.01) == 1
