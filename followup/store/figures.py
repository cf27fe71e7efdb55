"""What figures are made of, read from the records: one query for each kind of row. Only valid answers are read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.figures.talks import Given, TalkAnswers
from followup.settings import SHANGHAI
from followup.store.models import Answer, Case, Contact


async def talks_between(
    session: AsyncSession, script_id: str, first: date, last: date, *, demo: bool = False
) -> list[TalkAnswers]:
    """Talks of the script with an answer that ended, or were last spoken in, from `first` to `last` (days in Shanghai).

    Demonstrations and trials are left out; with `demo` they are read too.
    """
    return await talks_where(
        session, Case.script_id == script_id, held_between(first, last), *([] if demo else [~Case.is_demo])
    )


async def talks_where(session: AsyncSession, *conditions: ColumnElement[bool], most: int | None = None) -> list[TalkAnswers]:
    """Talks with an answer for which the conditions over `cases` hold, oldest first; at most `most`."""
    wanted = select(Case.id).where(*conditions, exists().where(Answer.case_id == Case.id, ~Answer.superseded))
    if most is not None:
        wanted = wanted.order_by(held_at(), Case.id).limit(most)
    rows = await session.execute(
        select(Case, Contact.name, Contact.title, Answer.question_id, Answer.value, Answer.words)
        .join(Contact, Contact.id == Case.contact_id)
        .join(Answer, and_(Answer.case_id == Case.id, ~Answer.superseded))
        .where(Case.id.in_(wanted))
        .order_by(held_at(), Case.id, Answer.id)
    )
    found: dict[str, tuple[Case, str, dict[str, Given]]] = {}
    for case, name, title, question_id, value, words in rows:
        _, _, answers = found.setdefault(case.id, (case, f"{name}{title}", {}))
        answers[question_id] = Given(value, words)
    return [
        TalkAnswers(case.id, customer, case.variables, answers, case.ended_at or case.last_message_at)
        for case, customer, answers in found.values()
    ]


def held_between(first: date, last: date) -> ColumnElement[bool]:
    """Whether a case belongs to the days `first` to `last`, both included."""
    begin = datetime.combine(first, time(), SHANGHAI)
    end = datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    return and_(held_at() >= begin, held_at() < end)


def held_at() -> Any:
    """The moment by which a case belongs to a day."""
    return func.coalesce(Case.ended_at, Case.last_message_at, Case.created_at)
