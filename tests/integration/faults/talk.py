"""The talk that is disturbed, and what an undisturbed one leaves in the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.store.models import Answer, Attempt, Case, Message
from followup.talk.links import create_link

from .page import Page

SCRIPT = "auto_loan_satisfaction"
REPLIES = ("方便", "朋友介绍的", "价格有点贵", "期限还可以", "服务很好,谢谢", "没有了")
ANSWERS = {
    "source": ("朋友介绍", "朋友介绍的"),
    "price": ("不满意", "价格有点贵"),
    "term": ("一般", "期限还可以"),
    "service": ("很满意", "服务很好,谢谢"),
    "suggestions": ("无", "没有了"),
}


@dataclass(frozen=True)
class Left:
    """What a talk left behind. Equal for two talks of the same replies, whichever sentences were picked."""

    outcome: str | None
    status: str
    said: list[tuple[str, str]]
    """(in | out, text); a sentence that has alternatives stands as their place in the wording."""
    states: list[tuple[str, str]]
    """(direction, status) of every message that had to be handled, triggers included."""
    answers: list[tuple[str, Any, str]]
    """(question, value, words) of every row, in the order they were written, superseded ones included."""
    tickets: list[tuple[str, str, list[str]]]
    """(topic, kind, words)"""
    notes: list[tuple[str, str, str]]
    attempts: list[tuple[int, str | None]]
    """(number, outcome)"""


async def new_talk(database: Database) -> tuple[str, str]:
    """A case of the script, and the token of its link."""
    script = load.load_script(SCRIPT)
    async with database.session() as session:
        revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
        contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
        case_id = await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)
        return case_id, await create_link(session, case_id, valid_for=timedelta(hours=2))


async def look_back(database: Database, case_id: str) -> Left:
    """Everything that the talk left."""
    async with database.session() as session:
        case = await session.get_one(Case, case_id)
        rows = list(
            await session.scalars(select(Message).where(Message.case_id == case_id).order_by(Message.id))
        )
        answers = await session.scalars(select(Answer).where(Answer.case_id == case_id).order_by(Answer.id))
        attempts = await session.scalars(select(Attempt).where(Attempt.case_id == case_id).order_by(Attempt.id))
        return Left(
            outcome=case.outcome,
            status=case.status,
            said=[(row.direction, _alike(row.text)) for row in rows if row.direction != "system"],
            states=[(row.direction, row.status) for row in rows if row.direction != "out"],
            answers=[(row.question_id, row.value, row.words) for row in answers],
            tickets=[
                (ticket.topic, ticket.kind, [word["text"] for word in ticket.words])
                for ticket in await records.tickets_of(session, case_id)
            ],
            notes=[(note.kind, note.topic, note.text) for note in await records.notes_of(session, case_id)],
            attempts=[(attempt.number, attempt.outcome) for attempt in attempts],
        )


async def tries_of(database: Database, case_id: str) -> int:
    """How many messages of the talk needed more than one turn."""
    async with database.session() as session:
        tries = await session.scalars(select(Message.tries).where(Message.case_id == case_id))
        return sum(1 for count in tries if count)


async def shown_once(database: Database, case_id: str, page: Page) -> None:
    """The page got every line of the transcript, in its order, none of them twice."""
    async with database.session() as session:
        lines = [(line.message_id, line.direction, line.text) for line in await records.transcript(session, case_id)]
    await page.has_got(lines[-1][0])
    assert [(line.id, line.direction, line.text) for line in page.lines] == lines


def as_it_should_be(left: Left) -> None:
    """An undisturbed talk of these replies; so that two talks that fail alike are not taken for a success."""
    assert (left.outcome, left.status) == ("completed", "closed")
    assert {question: (value, words) for question, value, words in left.answers} == ANSWERS
    assert len(left.answers) == len(ANSWERS)
    assert len(left.tickets) == 1
    assert [text for direction, text in left.said if direction == "in"] == list(REPLIES)
    assert {status for _, status in left.states} == {"handled"}
    said = "\n".join(text for direction, text in left.said if direction == "out")
    places = [said.find(question) for question in _questions()]
    assert -1 not in places and places == sorted(places)
    assert all(said.count(question) == 1 for question in _questions())


def _questions() -> list[str]:
    script = load.load_script(SCRIPT)
    return [str(question.ask).format_map(script.demo_variables()) for question in script.questions]


def _alike(text: str) -> str:
    """The text with each sentence that is picked from several replaced by where it stands."""
    for sentence, place in _alternatives():
        text = text.replace(sentence, f"<{place}>")
    return text


def _alternatives() -> list[tuple[str, str]]:
    found = list(_lists(load.load_script(SCRIPT).wording, "wording"))
    return sorted(found, key=lambda pair: -len(pair[0]))


def _lists(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _lists(child, f"{place}.{key}")
    elif isinstance(node, list) and len(node) > 1:
        yield from ((sentence, place) for sentence in node if isinstance(sentence, str) and len(sentence) > 3)
