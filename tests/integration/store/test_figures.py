"""Talks for the figures, read from the records."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from followup.dialogue.effects import Outcome, SetOutcome, StoreAnswer
from followup.figures.talks import Given
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.figures import talks_between

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


async def hold(
    database: Database, at: datetime, *answers: tuple[str, Any], script: str = "survey", is_demo: bool = False, name: str = "王强"
) -> str:
    """A completed talk with these answers, in this order."""
    async with database.session() as session:
        contact = await records.create_contact(session, name=name, title="先生", is_demo=is_demo)
        revision = await records.save_revision(session, script, "1", {"id": script, "questions": []})
        case_id = await records.create_case(session, contact, revision, {"client": "演示公司"}, is_demo=is_demo)
    for number, (question, value) in enumerate(answers):
        async with database.session() as session:
            # Each answer would have a message of its own; without one a second answer replaces the first in place.
            await records.apply(session, case_id, None, [StoreAnswer(question, value, f"words {number}", "test")], at)
    async with database.session() as session:
        await records.apply(session, case_id, None, [SetOutcome(Outcome.COMPLETED)], at)
    return case_id


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


async def read(database: Database, *days: date, **more: Any) -> list[Any]:
    async with database.session() as session:
        return await talks_between(session, "survey", *(days or NOVEMBER), **more)


async def test_a_talk_comes_with_its_customer_header_and_answers(database: Database) -> None:
    case_id = await hold(database, local("2026-11-05T10:00"), ("price", "不满意"), ("term", None))
    (talk,) = await read(database)
    assert (talk.case_id, talk.customer, talk.variables) == (case_id, "王强先生", {"client": "演示公司"})
    assert talk.answers == {"price": Given("不满意", "words 0"), "term": Given(None, "words 1")}
    assert talk.at == local("2026-11-05T10:00")


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        ("2026-10-31T23:59", False),
        ("2026-11-01T00:00", True),
        ("2026-11-30T23:59", True),  # the last day is included, by the clock in Shanghai
        ("2026-12-01T00:00", False),
    ],
)
async def test_the_period_is_of_whole_days_in_shanghai(database: Database, at: str, counted: bool) -> None:
    await hold(database, local(at), ("price", "一般"))
    assert len(await read(database)) == counted


async def test_only_the_answer_that_stands_is_read(database: Database) -> None:
    case_id = await hold(database, local("2026-11-05T10:00"), ("price", "很满意"))
    async with database.session() as session:
        from followup.talk.inbox import accept

        message = (await accept(session, case_id, "web", "m1", "刚才说错了，是不满意")).message_id
        await records.apply(
            session, case_id, message, [StoreAnswer("price", "不满意", "不满意", "corrected")], local("2026-11-05T10:01")
        )
    (talk,) = await read(database)
    assert talk.answers == {"price": Given("不满意", "不满意")}


async def test_demonstrations_are_left_out_unless_asked_for(database: Database) -> None:
    await hold(database, local("2026-11-05T10:00"), ("price", "一般"), is_demo=True)
    assert await read(database) == []
    assert len(await read(database, demo=True)) == 1


async def test_talks_of_other_scripts_and_without_answers_are_left_out(database: Database) -> None:
    await hold(database, local("2026-11-05T10:00"), ("price", "一般"), script="another")
    await hold(database, local("2026-11-05T10:00"))
    assert await read(database) == []


async def test_talks_come_in_the_order_in_which_they_were_held(database: Database) -> None:
    for name, day in (("第二位", 6), ("第一位", 5)):
        await hold(database, local(f"2026-11-{day:02}T10:00"), ("price", "一般"), name=name)
    assert [talk.customer for talk in await read(database)] == ["第一位先生", "第二位先生"]
