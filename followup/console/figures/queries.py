"""The counts, grouped out of `talk_facts`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
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
from followup.console.figures.table import MEASURES
from followup.console.labels import labels
from followup.console.transcripts.conditions import conditions
from followup.scripts.walk import NOTHING
from followup.store.fact_models import TalkFact
from followup.store.models import Answer, Case, Contact, ScriptRevision

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


async def talks(session: AsyncSession, filters: FigureFilters, beside: AsyncSession | None = None) -> Talks:
    """Counts of the talks of the filters, out of `talk_facts` as it is: see `table.refresh`.

    With a second connection `beside`, half of it is counted there meanwhile.
    """
    if beside is None:
        (whole, named), (measured, group, medians) = await _first(session, filters), await _second(session, filters)
    else:
        (whole, named), (measured, group, medians) = await asyncio.gather(_first(session, filters), _second(beside, filters))
    by: dict[str, dict[Any, Count]] = {name: {} for name in DIMENSIONS}
    outcomes_why: dict[tuple[str, str], int] = {}
    total = Count()
    for row in whole:
        count = Count(*(row._mapping[name] for name in Count.__slots__))
        if row.set == "total":
            total = count
        elif row.set == "why":
            outcomes_why[row.outcome, row.why] = count.talks
        else:
            by[row.set][row._mapping[row.set]] = count
    for row in measured:
        by[row.set][row._mapping[row.set]] = Count(row.talks)
    by["group"], by["named"] = group, named
    return Talks(total, by, outcomes_why, medians)


async def _first(session: AsyncSession, filters: FigureFilters) -> tuple[Sequence[Any], dict[Any, Count]]:
    return await _whole(session, filters), await _divided(session, filters, "named", filters.who)


async def _second(session: AsyncSession, filters: FigureFilters) -> tuple[Sequence[Any], dict[Any, Count], dict[str, float | None]]:
    return await _measured(session, filters), await _divided(session, filters, "group", filters.by), await _medians(session, filters)


def _where(filters: FigureFilters) -> list[ColumnElement[bool]]:
    """Over `talk_facts`, what `transcripts.conditions` says over `cases`."""
    talks = filters.talks
    found = [TalkFact.day >= filters.first, TalkFact.day <= filters.last]
    if talks.script:
        found.append(TalkFact.script_id == talks.script)
    if talks.demo:
        found.append(TalkFact.is_demo.is_(talks.demo == "yes"))
    if talks.starts in ("us", "customer"):
        found.append(TalkFact.by_customer.is_(talks.starts == "customer"))
    # Whatever else there is to filter by is asked of the talks themselves.
    if rest := list(conditions(replace(talks, first=None, last=None, script="", demo="", starts=""), personal=True)):
        found.append(TalkFact.case_id.in_(select(Case.id).where(*rest)))
    return found


_FLAGS: Mapping[str, ColumnElement[bool]] = {
    "opened": TalkFact.opened,
    "replied": TalkFact.replied,
    "completed": func.coalesce(TalkFact.outcome, "") == "completed",
    "low": TalkFact.low,
    "complained": TalkFact.complained,
}


def _counts(rows: Any = None) -> list[ColumnElement[Any]]:
    """The columns of `Count`; over rows of several talks each, where `rows` says of how many."""
    if rows is None:
        return [func.count().label("talks"), *(func.count().filter(flag).label(name) for name, flag in _FLAGS.items())]
    # PostgreSQL's sum of whole numbers is a decimal one.
    those = [cast(func.coalesce(func.sum(rows.c.talks).filter(rows.c[name]), 0), BigInteger).label(name) for name in _FLAGS]
    return [cast(func.coalesce(func.sum(rows.c.talks), 0), BigInteger).label("talks"), *those]


def _sets(rows: Any, sets: Mapping[str, Sequence[Any]]) -> tuple[ColumnElement[str], Any]:
    """(name of a row's set, what to group by). Grouped twice: talks that are alike first, then the few that differ."""
    every = list(dict.fromkeys(column for columns in sets.values() for column in columns))
    bits = {name: sum(1 << place for place, column in enumerate(reversed(every)) if column not in columns) for name, columns in sets.items()}
    # grouping() sets a bit for each of its columns that a row is *not* grouped by; the first is the highest.
    found = case({bit: name for name, bit in bits.items()}, value=func.grouping(*every))
    return found.label("set"), func.grouping_sets(*(tuple_(*columns) for columns in sets.values()))


async def _whole(session: AsyncSession, filters: FigureFilters) -> Sequence[Any]:
    columns = [
        TalkFact.outcome,
        TalkFact.why,
        TalkFact.script_id.label("script"),
        _begin(filters.step).label("begin"),
        (TalkFact.stopped if filters.talks.script else cast(null(), Text)).label("stopped"),
        *(flag.label(name) for name, flag in _FLAGS.items()),
    ]
    alike = select(*columns, func.count().label("talks")).where(*_where(filters)).group_by(*columns).cte("alike").prefix_with("MATERIALIZED")
    of = alike.c
    sets = {"total": (), "outcome": (of.outcome,), "why": (of.outcome, of.why), "script": (of.script,), "begin": (of.begin,), "stopped": (of.stopped,)}
    name, grouped = _sets(alike, sets)
    rows = await session.execute(select(name, of.outcome, of.why, of.script, of.begin, of.stopped, *_counts(alike)).group_by(grouped))
    return [row for row in rows if row.set != "why" or row.why is not None]


async def _measured(session: AsyncSession, filters: FigureFilters) -> Sequence[Any]:
    columns = [getattr(TalkFact, f"{name}_step").label(name) for name in MEASURES]
    alike = select(*columns, func.count().label("talks")).where(*_where(filters)).group_by(*columns).cte("alike").prefix_with("MATERIALIZED")
    name, grouped = _sets(alike, {name: (alike.c[name],) for name in MEASURES})
    return (await session.execute(select(name, *(alike.c[one] for one in MEASURES), cast(func.sum(alike.c.talks), BigInteger).label("talks")).group_by(grouped))).all()


async def _divided(session: AsyncSession, filters: FigureFilters, dimension: str, column: str) -> dict[Any, Count]:
    """By what the customer list, or a variable of the talk, says in `column`."""
    if not column:
        return {}
    if dimension == "group":
        key, other, on = facts.shown(Contact.fields[column].astext), Contact, Contact.id == TalkFact.contact_id
    else:
        key, other, on = facts.named_of(column), Case, Case.id == TalkFact.case_id
    query = select(key.label("key"), *_counts()).select_from(TalkFact).join(other, on).where(*_where(filters))
    rows = await session.execute(query.group_by(literal_column("key")))
    return {row.key: Count(*row[1:]) for row in rows}


async def _medians(session: AsyncSession, filters: FigureFilters) -> dict[str, float | None]:
    """Only over talks that have the measure; silent ones said nothing."""
    found = []
    for name in MEASURES:
        middle = func.percentile_cont(0.5).within_group(getattr(TalkFact, name))
        found.append((middle.filter(TalkFact.replied) if name == "said" else middle).label(name))
    row = (await session.execute(select(*found).where(*_where(filters)))).one()
    return dict(row._mapping)


def _begin(step: str) -> ColumnElement[Any]:
    # Without a time zone: it is a day in Shanghai already.
    day = cast(TalkFact.day, DateTime(timezone=False))
    return TalkFact.day.expression if step == "day" else cast(func.date_trunc(literal_column(f"'{step}'"), day), Date)


# —— answers ——————————————————————————————————————————————————————————


async def answers(session: AsyncSession, filters: FigureFilters, closed: Sequence[str]) -> dict[str, dict[Any, int]]:
    """Question -> value -> talks, over valid answers. Of questions that are not `closed` only whether something was said.

    Values are text ("true" and "false" for yes and no), several chosen options a tuple; PASSED, SAID, NOTHING. Of texts
    longer than `table.LONGEST` only that something was said.
    """
    each = func.unnest(TalkFact.answers).table_valued("given", name="each").render_derived()
    given = each.c.given
    question = func.split_part(given, "=", 1)
    plain = or_(question.in_(closed), given.like("%=null"), given == question.concat(f'="{NOTHING}"'))
    shown = case((plain, given), else_=question.concat("={}"))
    query = select(shown.label("shown"), func.count()).select_from(TalkFact).join(each, literal(True)).where(*_where(filters))
    found: dict[str, dict[Any, int]] = {}
    for text, count in await session.execute(query.group_by(literal_column("shown"))):
        question_id, _, value = text.partition("=")
        key = _key(json.loads(value))
        values = found.setdefault(question_id, {})
        values[key] = values.get(key, 0) + count
    return found


def _key(value: Any) -> Any:
    if value is None:
        return PASSED
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return SAID if isinstance(value, dict) else str(value)


async def texts(session: AsyncSession, filters: FigureFilters, question: str) -> dict[str, int]:
    """What was said to a question, however long -> talks."""
    answer = aliased(Answer)
    value = type_coerce(answer.value, JSONB).op("#>>", return_type=Text())(literal_column("'{}'"))
    rows = await session.execute(
        select(value, func.count())
        .join(TalkFact, TalkFact.case_id == answer.case_id)
        .where(~answer.superseded, answer.question_id == question, value.is_not(None), value != NOTHING, *_where(filters))
        .group_by(value)
    )
    return {said: count for said, count in rows}


async def aspects(session: AsyncSession, filters: FigureFilters) -> dict[str, int]:
    """Aspect -> talks in which it was named in a complaint or a dissatisfied answer."""
    each = func.unnest(TalkFact.aspects).table_valued("aspect", name="each").render_derived()
    rows = await session.execute(
        select(each.c.aspect, func.count())
        .select_from(TalkFact)
        .join(each, literal(True))
        .where(TalkFact.aspects != literal_column("'{}'::text[]"), *_where(filters))
        .group_by(each.c.aspect)
    )
    return {aspect: count for aspect, count in rows}


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

