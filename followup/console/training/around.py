"""The talk around a line, masked as trainers see it; one query a table for many lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.transcripts.detail import personal_words
from followup.console.transcripts.masking import Mask
from followup.console.transcripts.questions import Questions
from followup.store.models import Answer, Case, Contact, Message, ScriptRevision

LINES = 4
"""Shown before and after."""


@dataclass(frozen=True, slots=True)
class Said:
    mine: bool
    text: str
    here: bool
    """The line itself."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What is shown of a talk: its script's name, and how its texts are masked."""

    script: str
    mask: Mask


async def talks(session: AsyncSession, case_ids: Iterable[str]) -> dict[str, Talk]:
    """The talks by their ids; each masks its own customer's data."""
    ids = list(dict.fromkeys(case_ids))
    claimed = aliased(Contact)
    rows = (
        await session.execute(
            select(Case, Contact, ScriptRevision, claimed)
            .join(Contact, Contact.id == Case.contact_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .outerjoin(claimed, claimed.id == Case.claimed_contact_id)
            .where(Case.id.in_(ids))
        )
    ).all()
    answers: dict[str, list[Answer]] = {}
    for answer in await session.scalars(select(Answer).where(Answer.case_id.in_(ids))):
        answers.setdefault(answer.case_id, []).append(answer)
    found = {}
    for case, contact, revision, other in rows:
        questions = Questions(revision.content, case.variables)
        mask = Mask(personal_words(case, contact, other, answers.get(case.id, []), questions))
        found[case.id] = Talk(questions.script.name if questions.script else case.script_id, mask)
    return found


async def around(session: AsyncSession, wanted: Sequence[tuple[int, str]], found: dict[str, Talk]) -> dict[int, list[Said]]:
    """(message id, case id) -> the lines around it, it among them."""
    cases = list({case_id for _, case_id in wanted})
    by_case: dict[str, list[Message]] = {}
    rows = await session.scalars(select(Message).where(Message.case_id.in_(cases), Message.direction != "system").order_by(Message.id))
    for row in rows:
        by_case.setdefault(row.case_id, []).append(row)
    shown = {}
    for number, case_id in wanted:
        lines, talk = by_case.get(case_id, []), found.get(case_id)
        place = next((at for at, line in enumerate(lines) if line.id == number), None)
        if place is None or talk is None:
            continue
        near = lines[max(0, place - LINES) : place + LINES + 1]
        shown[number] = [Said(one.direction == "out", talk.mask(one.text), one.id == number) for one in near]
    return shown
