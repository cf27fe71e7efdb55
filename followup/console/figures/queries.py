"""The counts. All that asks of whole talks is one grouped query: each talk is looked at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.figures import facts
from followup.console.figures.filters import FigureFilters
from followup.console.labels import labels
from followup.console.transcripts.conditions import complained, conditions
from followup.scripts.walk import NOTHING
from followup.store.figures import held_at
from followup.store.models import (
    Answer,
    Attempt,
    Case,
    Contact,
    Message,
    ScriptRevision,
)

MOST_GROUPS = 30
"""Groups in one table."""
_SAMPLE = 2000
"""Customers whose columns are looked at for groups."""
PASSED, SAID = "passed", "said"
"""In place of a value: the question was passed; something was said to an open question."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many talks; and how many of them were opened, replied to …"""

    talks: int = 0
    opened: int = 0
    replied: int = 0
    completed: int = 0
    low: int = 0
    """With a dissatisfied answer."""
    complained: int = 0


@dataclass(frozen=True)
class Talks:
    """Counts of talks by all that is known of a whole talk: dimension -> key -> count."""

    total: Count
    by: Mapping[str, Mapping[Any, Count]]
    outcomes_why: Mapping[tuple[str, str], int]
    """(outcome, kind of reason) -> talks."""
    medians: Mapping[str, float | None]
    """Seconds: length, wait, reply; messages: said."""


DIMENSIONS = ("outcome", "script", "begin", "group", "named", "length", "said", "wait", "reply", "stopped")


async def prepare(session: AsyncSession) -> None:
    """Tell the planner, for this transaction, what these queries are like: much is in memory, and compiling does not pay."""
    wanted = {"jit": "off", "random_page_cost": "1.1", "work_mem": "32MB"}
    await session.execute(select(*(func.set_config(name, value, True) for name, value in wanted.items())))


async def talks(session: AsyncSession, filters: FigureFilters) -> Talks:
    """One pass over the talks of the filters."""
    seen = _facts(filters)
    sets = [tuple_(), *(tuple_(seen.c[name]) for name in DIMENSIONS), tuple_(seen.c.outcome, seen.c.why)]
    columns = [seen.c[name] for name in (*DIMENSIONS, "why")]

    def those(flag: Any) -> Any:
        return func.count().filter(flag)

    counts = [
        func.count().label("talks"),
        those(seen.c.opened).label("opened"),
        those(seen.c.replied).label("replied"),
        those(seen.c.outcome == "completed").label("completed"),
        those(seen.c.low).label("low"),
        those(seen.c.complained).label("complained"),
    ]
    query = select(func.grouping(*columns).label("set"), *columns, *counts, *_medians(seen)).group_by(
        func.grouping_sets(*sets)
    )
    rows = (await session.execute(query)).all()
    return _talks(rows)


def _facts(filters: FigureFilters) -> CTE:
    """A row for each talk: what is known of it, measures as the keys of their ranges.

    What stands in other tables is joined in whole, not asked for talk by talk: for a year that is many times faster.
    """
    # The values that are needed, not the wide rows: they are gone through several times.
    picked = select(Case.id, Case.revision_id).where(*_where(filters)).cte("picked").prefix_with("MATERIALIZED")
    spoken, held, low = _spoken(picked), _held(picked), _low(picked)
    query = (
        select(
            Case.outcome,
            Case.script_id.label("script"),
            _begin(filters.step).label("begin"),
            (facts.shown(Contact.fields[filters.by].astext) if filters.by else cast(null(), Text)).label("group"),
            (facts.named_of(filters.who) if filters.who else cast(null(), Text)).label("named"),
            held.c.seconds.label("length"),
            facts.wait().label("wait"),
            func.coalesce(spoken.c.count, 0).label("said"),
            facts.reply_after(spoken.c.first).label("reply"),
            (facts.stopped_after() if filters.talks.script else cast(null(), Text)).label("stopped"),
            facts.why().label("why"),
            facts.opened().label("opened"),
            spoken.c.first.is_not(None).label("replied"),
            low.c.case_id.is_not(None).label("low"),
            complained().label("complained"),
        )
        .select_from(Case)
        .outerjoin(spoken, spoken.c.case_id == Case.id)
        .outerjoin(held, held.c.case_id == Case.id)
        .outerjoin(low, low.c.case_id == Case.id)
        .where(*_where(filters))
    )
    if filters.by:
        query = query.join(Contact, Contact.id == Case.contact_id)
    measured = query.cte("measured").prefix_with("MATERIALIZED")
    plain = [column for column in measured.c if column.name not in MEASURES]
    ranges = [steps.of(measured.c[name]).label(name) for name, steps in MEASURES.items()]
    raw = [measured.c[name].label(f"{name}_raw") for name in MEASURES]
    return select(*plain, *ranges, *raw).cte("seen").prefix_with("MATERIALIZED")


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


MEASURES = {"length": facts.LENGTH, "said": facts.SAID, "wait": facts.WAIT, "reply": facts.REPLY}


def _medians(seen: CTE) -> list[ColumnElement[Any]]:
    """Each computed once, not for every group. Only over talks that have the measure; silent ones said nothing."""
    found = []
    for name in MEASURES:
        raw = seen.c[f"{name}_raw"]
        middle = func.percentile_cont(0.5).within_group(raw)
        found.append(select(middle).where(seen.c.replied if name == "said" else raw.is_not(None)).scalar_subquery().label(f"median_{name}"))
    return found


def _begin(step: str) -> ColumnElement[Any]:
    local = func.timezone(literal_column("'Asia/Shanghai'"), held_at())
    return cast(func.date_trunc(literal_column(f"'{step}'"), local), Date)


def _talks(rows: Sequence[Any]) -> Talks:
    # grouping() sets a bit for each of its columns that a row is *not* grouped by; the first is the highest.
    names = (*DIMENSIONS, "why")
    every = (1 << len(names)) - 1
    bit = {name: 1 << (len(names) - 1 - place) for place, name in enumerate(names)}
    by: dict[str, dict[Any, Count]] = {name: {} for name in DIMENSIONS}
    outcomes_why: dict[tuple[str, str], int] = {}
    total, medians = Count(), dict.fromkeys(MEASURES)
    for row in rows:
        of = row._mapping
        count = Count(*(of[name] for name in Count.__slots__))
        if row.set == every:
            total, medians = count, {name: of[f"median_{name}"] for name in MEASURES}
        elif row.set == every ^ bit["outcome"] ^ bit["why"]:
            if row.why is not None:
                outcomes_why[row.outcome, row.why] = count.talks
        else:
            name = next(name for name in DIMENSIONS if row.set == every ^ bit[name])
            by[name][of[name]] = count
    return Talks(total, by, outcomes_why, medians)


def _where(filters: FigureFilters) -> list[ColumnElement[bool]]:
    return list(conditions(filters.talks, personal=True))


# —— answers ——————————————————————————————————————————————————————————


async def answers(session: AsyncSession, filters: FigureFilters, closed: Sequence[str]) -> dict[str, dict[Any, int]]:
    """Question -> value -> talks, over valid answers. Of questions that are not `closed` only whether something was said.

    Values are text ("true" and "false" for yes and no), several chosen options a tuple; PASSED, SAID, NOTHING.
    """
    answer = aliased(Answer)
    value = type_coerce(answer.value, JSONB)
    short = case((answer.question_id.in_(closed), value), (value == _json(NOTHING), value), else_=_json(True))
    shown = case((value.is_(None), cast(null(), JSONB)), else_=short)
    rows = await session.execute(
        select(answer.question_id, shown.label("value"), func.count().label("talks"))
        .join(Case, Case.id == answer.case_id)
        .where(~answer.superseded, *_where(filters))
        .group_by(answer.question_id, literal_column("value"))
    )
    found: dict[str, dict[Any, int]] = {}
    for question, value, count in rows:
        key = _key(value) if question in closed or value in (None, NOTHING) else SAID
        values = found.setdefault(question, {})
        values[key] = values.get(key, 0) + count
    return found


def _key(value: Any) -> Any:
    if value is None:
        return PASSED
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return str(value)


async def aspects(session: AsyncSession, filters: FigureFilters) -> dict[str, int]:
    """Aspect -> talks in which it was named in a complaint or a dissatisfied answer.

    The texts are read here: looking for a thousand words is many times slower in the database.
    """
    rows = (await session.execute(facts.complaints(*_where(filters)))).all()
    named = await asyncio.to_thread(_named, rows)
    return {aspect: len(cases) for aspect, cases in named.items()}


def _named(rows: Sequence[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for case_id, text in rows:
        for aspect in facts.aspects_in(text):
            found.setdefault(aspect, set()).add(case_id)
    return found


# —— what can be chosen ————————————————————————————————————————————————————


async def group_columns(session: AsyncSession) -> list[str]:
    """Columns of the customer list that divide customers into groups: few values for many customers."""
    newest = select(Contact.fields).order_by(Contact.id.desc()).limit(_SAMPLE).subquery("newest")
    pairs = func.jsonb_each_text(newest.c.fields).table_valued("key", "value", name="pair").render_derived()
    values = func.count(pairs.c.value.distinct())
    rows = await session.execute(
        select(pairs.c.key)
        .select_from(newest)
        .join(pairs, literal(True))
        .where(pairs.c.value != "")
        .group_by(pairs.c.key)
        .having(and_(values <= MOST_GROUPS, or_(values * 2 <= func.count(), func.count() <= MOST_GROUPS)))
        .order_by(func.count().desc(), pairs.c.key)
    )
    # 58741 divides customers into 集团用户 and 私家车用户: what says the kind of customer comes first.
    return sorted((name for (name,) in rows), key=lambda name: not re.search(labels()["figure_named"]["groups"], name))


async def variables(session: AsyncSession, script_id: str) -> dict[str, str]:
    """Variable -> what it is called, of one script, or of all: their newest revisions."""
    newest = select(func.max(ScriptRevision.id)).group_by(ScriptRevision.script_id)
    if script_id:
        newest = newest.where(ScriptRevision.script_id == script_id)
    path = literal_column("""'lax $.script.variables.keyvalue()'""")
    pairs = select(func.jsonb_path_query(ScriptRevision.content, path, type_=JSONB).label("pair")).where(ScriptRevision.id.in_(newest)).subquery()
    name, called = pairs.c.pair["key"].astext, pairs.c.pair[("value", "label")].astext
    rows = await session.execute(select(name, func.min(func.coalesce(called, name))).group_by(name).order_by(name))
    return {name: called for name, called in rows}


async def newest_content(session: AsyncSession, script_id: str) -> Mapping[str, Any]:
    """The newest revision of a script; empty when it was never used."""
    found = await session.scalar(
        select(ScriptRevision.content).where(ScriptRevision.script_id == script_id).order_by(ScriptRevision.id.desc()).limit(1)
    )
    return found or {}


def _json(value: Any) -> ColumnElement[Any]:
    return type_coerce(value, JSONB)
