"""The talk around a line, masked as trainers see it; one query a table for many lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.transcripts.detail import personal_words
from followup.console.transcripts.masking import Mask
from followup.console.transcripts.questions import Questions
from followup.store.models import Answer, Case, Contact, Message, ScriptRevision

LINES = 4
"""Shown before and after."""
_SENTENCE, _VARIABLE = re.compile(r"[^。！？]*？"), re.compile(r"\{[a-z][a-z0-9_:]*\}")
_TELLING = 5
"""Characters from which a sentence tells its question from others."""


@dataclass(frozen=True, slots=True)
class Said:
    mine: bool
    text: str
    here: bool
    """The line itself."""


@dataclass(frozen=True)
class Talk:
    """What is shown of a talk: its script's name, and how its texts are masked."""

    script: str
    mask: Mask
    script_id: str
    questions: Questions

    def asked(self, said: Sequence[Said]) -> str:
        """Id of the question that the line in `said` answers, by what we said last before it; empty where none is found."""
        here = next((at for at, one in enumerate(said) if one.here), 0)
        first = next((at + 1 for at in range(here - 1, -1, -1) if not said[at].mine), 0)
        heard = " ".join(one.text for one in said[first:here])
        found = [(place.end(), one.id) for one in self._asking if (place := one.pattern.search(heard))]
        return max(found)[1] if found else ""

    @cached_property
    def _asking(self) -> list[_Asking]:
        """How each question is asked, the customer's data left open."""
        made = []
        for question in self.questions.script.questions if self.questions.script else ():
            for sentence in (_SENTENCE.findall(question.ask) or [question.ask])[-1:] + [question.on_unclear]:
                if len(sentence) >= _TELLING:
                    pattern = ".*?".join(re.escape(part) for part in _VARIABLE.split(sentence.strip()))
                    made.append(_Asking(question.id, re.compile(pattern)))
        return made


@dataclass(frozen=True, slots=True)
class _Asking:
    id: str
    pattern: re.Pattern[str]


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
        found[case.id] = Talk(questions.script.name if questions.script else case.script_id, mask, case.script_id, questions)
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
