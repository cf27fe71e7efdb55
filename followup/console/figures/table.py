"""`talk_facts`: what `facts` says of every talk, written down, so that a year of talks is counted without looking at messages.

Triggers (migration 0011) name the talks that changed. Whoever counts first brings those up to date, in the same
transaction: figures are exact, however long ago the worker did it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Insert,
    Subquery,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from followup.console.figures import facts
from followup.console.transcripts.conditions import complained
from followup.store.database import Database
from followup.store.fact_models import DirtyTalk, FactState, TalkFact
from followup.store.figures import held_at
from followup.store.models import Answer, Attempt, Case, Message

MEASURES = {"length": facts.LENGTH, "said": facts.SAID, "wait": facts.WAIT, "reply": facts.REPLY}
BATCH = 5_000
"""Talks that are written in one statement."""
_MOST = 20_000
"""Changes that the worker takes up in one transaction."""
LONGEST = 60
"""Of a text that is counted as a value of its own; longer ones only say that something was said."""
_NONE: ColumnElement[Any] = literal_column("'{}'::text[]")
_LOCK = 0x46616374
_VERSION = 1
"""Counted up when what Python does of a fact (`facts.Aspect.is_named`) changes: every talk is counted anew."""


async def refresh(session: AsyncSession, most: int | None = None) -> int:
    """Bring `talk_facts` up to date, for this transaction and all later ones; how many talks were written.

    `most`: no more changes than so many are taken up.
    """
    state = select(FactState.digest, select(DirtyTalk.id).limit(1).scalar_subquery())
    known, dirty = (await session.execute(state)).one()
    if known == digest() and dirty is None:
        return 0
    # One at a time: who comes second waits, so that nobody counts what somebody else has taken up and not yet written.
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    if await session.scalar(select(FactState.digest)) != digest():
        await session.execute(text("INSERT INTO dirty_talks (case_id) SELECT id FROM cases"))
        await session.execute(update(FactState).values(digest=digest()))
    taken = delete(DirtyTalk).returning(DirtyTalk.case_id)
    if most is not None:
        taken = taken.where(DirtyTalk.id.in_(select(DirtyTalk.id).order_by(DirtyTalk.id).limit(most)))
    cases = sorted(set((await session.scalars(taken)).all()))
    for begin in range(0, len(cases), BATCH):
        await _write(session, cases[begin : begin + BATCH])
    if len(cases) >= BATCH:
        await session.execute(text("ANALYZE talk_facts"))
    return len(cases)


async def refresh_all(database: Database) -> int:
    """The same for the worker: batch after batch, each of its own, until nothing is left."""
    total = 0
    while True:
        async with database.session() as session:
            count = await refresh(session, _MOST)
        total += count
        if not count:
            return total


async def _write(session: AsyncSession, cases: Sequence[str]) -> None:
    texts = (await session.execute(facts.complaints(_is_one_of(Case.id)), {"cases": list(cases)})).all()
    aspects: dict[str, set[str]] = {}
    for case_id, said in texts:
        if named := facts.aspects_in(said):
            aspects.setdefault(case_id, set()).update(named)
    values = {
        "cases": list(cases),
        "named_cases": list(aspects),
        "named": [",".join(sorted(named)) for named in aspects.values()],
    }
    # By the connection: the ORM would take the values for columns.
    await (await session.connection()).execute(_upsert(), values)
    there = select(Case.id).where(Case.id == TalkFact.case_id).correlate(TalkFact).exists()
    await session.execute(delete(TalkFact).where(_is_one_of(TalkFact.case_id), ~there), {"cases": list(cases)})


def _is_one_of(column: Any) -> ColumnElement[bool]:
    return column == any_(bindparam("cases", type_=ARRAY(Text)))


@cache
def digest() -> str:
    """What the facts of this version of the product are: SQL with its words, and the aspects that Python looks for."""
    said = [_VERSION, *facts.aspects().values()]
    for statement in (_upsert(), facts.complaints(_is_one_of(Case.id))):
        compiled = statement.compile(dialect=postgresql.dialect())
        said += [str(compiled), sorted(compiled.params.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()


@cache
def _upsert() -> Insert:
    """Talks `cases` as they are now. What stands in other tables is joined in whole, not asked for talk by talk."""
    # The values that are needed, not the wide rows: they are gone through several times.
    picked = select(Case.id, Case.revision_id).where(_is_one_of(Case.id)).cte("picked").prefix_with("MATERIALIZED")
    spoken, held, low, given = _spoken(picked), _held(picked), _low(picked), _given(picked)
    named = select(
        func.unnest(bindparam("named_cases", type_=ARRAY(Text))).label("case_id"),
        func.unnest(bindparam("named", type_=ARRAY(Text))).label("aspects"),
    ).subquery("named")
    measured = (
        select(
            Case.id.label("case_id"),
            Case.contact_id,
            cast(func.timezone(literal_column("'Asia/Shanghai'"), held_at()), Date).label("day"),
            Case.is_demo,
            facts.begun_by_customer().label("by_customer"),
            facts.opened().label("opened"),
            spoken.c.first.is_not(None).label("replied"),
            low.c.case_id.is_not(None).label("low"),
            complained().label("complained"),
            held.c.seconds.label("length"),
            facts.wait().label("wait"),
            facts.reply_after(spoken.c.first).label("reply"),
            func.coalesce(spoken.c.count, 0).label("said"),
            Case.script_id,
            Case.outcome,
            facts.why().label("why"),
            facts.stopped_after().label("stopped"),
            func.coalesce(func.string_to_array(named.c.aspects, literal_column("','")), _NONE).label("aspects"),
            func.coalesce(given.c.answers, _NONE).label("answers"),
        )
        .select_from(Case)
        .join(picked, picked.c.id == Case.id)
        .outerjoin(spoken, spoken.c.case_id == Case.id)
        .outerjoin(held, held.c.case_id == Case.id)
        .outerjoin(low, low.c.case_id == Case.id)
        .outerjoin(given, given.c.case_id == Case.id)
        .outerjoin(named, named.c.case_id == Case.id)
        .cte("measured")
        .prefix_with("MATERIALIZED")
    )
    steps = [steps.of(measured.c[name]).label(f"{name}_step") for name, steps in MEASURES.items()]
    rows = select(*measured.c, *steps)
    statement = insert(TalkFact.__table__).from_select([column.name for column in rows.selected_columns], rows)
    written = {column.name: statement.excluded[column.name] for column in rows.selected_columns if column.name != "case_id"}
    return statement.on_conflict_do_update(index_elements=["case_id"], set_=written)


def _spoken(picked: CTE) -> Subquery:
    """How many messages the customer wrote, and when the first."""
    return (
        select(Message.case_id, func.count().label("count"), func.min(Message.created_at).label("first"))
        .where(Message.direction == literal_column("'in'"), Message.case_id.in_(select(picked.c.id)))
        .group_by(Message.case_id)
        .subquery("spoken")
    )


def _held(picked: CTE) -> Subquery:
    return (
        select(Attempt.case_id, facts.seconds_of_attempts().label("seconds"))
        .join(Case, Case.id == Attempt.case_id)
        .where(Attempt.case_id.in_(select(picked.c.id)))
        .group_by(Attempt.case_id)
        .subquery("held")
    )


def _low(picked: CTE) -> Subquery:
    answer = aliased(Answer)
    return (
        select(answer.case_id)
        .join(picked, picked.c.id == answer.case_id)
        .where(~answer.superseded, facts.is_low(answer, picked.c.revision_id))
        .distinct()
        .subquery("low")
    )


def _given(picked: CTE) -> Subquery:
    """`question=value as JSON` of every valid answer."""
    value = type_coerce(Answer.value, JSONB)
    kind = func.jsonb_typeof(value)
    long = and_(kind == "string", func.length(value.op("#>>", return_type=Text())(literal_column("'{}'"))) > LONGEST)
    shown = case((value.is_(None), "null"), (or_(long, kind == "object"), "{}"), else_=cast(value, Text))
    return (
        select(Answer.case_id, func.array_agg(Answer.question_id.concat("=").concat(shown)).label("answers"))
        .where(~Answer.superseded, Answer.case_id.in_(select(picked.c.id)))
        .group_by(Answer.case_id)
        .subquery("given")
    )
