"""The monthly report out of the records, and whether somebody has fetched and confirmed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Text,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.figures import dashboard, facts, queries, table
from followup.console.figures.filters import FigureFilters, read
from followup.console.figures.results import mean, others, scores_of
from followup.console.labels import label, labels
from followup.console.show import value as shown_value
from followup.console.transcripts.conditions import conditions
from followup.console.transcripts.queries import script_names
from followup.console.transcripts.questions import Questions
from followup.dialogue import aspects as aspect_names
from followup.figures.forms import with_form
from followup.figures.monthly import MOST_LINES, Month, MonthFigures, Opinions, texts
from followup.scripts.walk import NOTHING
from followup.settings import SHANGHAI
from followup.store.figures import held_at
from followup.store.models import Answer, Case, Contact, Ticket
from followup.store.staff_models import AuditEntry

_GOOD = ("非常满意", "很满意", "满意")
_FAIR = ("一般",)
_RATES = ("yes_share", "score_share")
FETCHED, CONFIRMED = "report.fetch", "report.confirm"


@dataclass(frozen=True, slots=True)
class State:
    """What became of a month's report."""

    month: Month
    now: datetime
    fetched_at: datetime | None = None
    fetched_by: str = ""
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    numbers: Mapping[str, int] | None = None
    """The first line of the report as it was when it was confirmed."""

    @property
    def is_over(self) -> bool:
        """Whether the month is over, so that there is something to report."""
        return self.now.astimezone(SHANGHAI).date() > self.month.last

    @property
    def is_late(self) -> bool:
        return self.confirmed_at is None and self.now >= self.month.due

    @property
    def was_late(self) -> bool:
        return self.confirmed_at is not None and self.confirmed_at >= self.month.due


async def states(session: AsyncSession, months: Sequence[Month], now: datetime) -> list[State]:
    """The state of each month's report, out of the log of what staff did: it can only grow."""
    rows = await session.scalars(
        select(AuditEntry)
        .where(AuditEntry.object_type == "report", AuditEntry.object_id.in_([str(one) for one in months]))
        .order_by(AuditEntry.id)
    )
    found = {str(one): State(one, now) for one in months}
    for row in rows:
        state = found[row.object_id]
        if row.action == FETCHED:
            found[row.object_id] = _with(state, fetched_at=row.at, fetched_by=row.user_name)
        elif row.action == CONFIRMED:
            numbers = row.detail.get("numbers")
            found[row.object_id] = _with(
                state, confirmed_at=row.at, confirmed_by=row.user_name, numbers=numbers if isinstance(numbers, dict) else None
            )
    return list(found.values())


def _with(state: State, **changed: Any) -> State:
    from dataclasses import replace

    return replace(state, **changed)


def month_filters(month: Month, *, by: str = "", demo: bool = False) -> FigureFilters:
    """The talks of the month: those that we began, without demonstrations."""
    query = {"first": month.first.isoformat(), "last": month.last.isoformat(), "by": by, "demo": "1" if demo else ""}
    return read(query, month.last)


async def first_month(session: AsyncSession) -> date | None:
    """The day of the oldest talk."""
    oldest = await session.scalar(select(func.min(held_at())).where(~Case.is_demo))
    return oldest.astimezone(SHANGHAI).date() if oldest else None


async def month_figures(session: AsyncSession, month: Month, *, demo: bool = False) -> MonthFigures:
    """Everything the report says, as it is now: corrections made since count."""
    await table.refresh(session)
    await queries.prepare(session)
    columns = await queries.group_columns(session)
    filters = month_filters(month, by=columns[0] if columns else "", demo=demo)
    talks = await queries.talks(session, filters)
    scripts = await script_names(session)
    total = talks.total
    reach = [(label(name, "figure_columns"), getattr(total, name)) for name in ("opened", "replied", "low", "complained")]
    by = talks.by["outcome"]
    reach += [(label(one, "outcomes"), by[one].talks) for one in labels()["outcomes"] if one in by]
    reach += [("还没有结果", by[None].talks)] if None in by else []
    reasons = sorted(talks.outcomes_why.items(), key=lambda pair: (pair[0][0], -pair[1], pair[0][1]))
    causes = sorted((await queries.aspects(session, filters)).items(), key=lambda pair: (-pair[1], pair[0]))
    groups = sorted(talks.by["group"].items(), key=lambda pair: (-pair[1].talks, str(pair[0]))) if filters.by else []
    return MonthFigures(
        month=month,
        invited=total.talks,
        reach=reach,
        reasons=[(label(one, "outcomes"), label(why, "refusal_reasons"), count) for (one, why), count in reasons],
        opinions=await _opinions(session, filters, scripts),
        rates=[row for script in with_form("by") if (row := await _rates(session, filters, script, scripts))],
        causes=[(aspect_names.label(one), count) for one, count in causes],
        groups=[("没有写明" if one == facts.MISSING else one, count.talks, count.low, count.complained) for one, count in groups],
        complaints=await _complaints(session, filters, scripts),
        lost=await _lost(session, filters),
        suggestions=await _suggestions(session, filters, scripts),
    )


async def _opinions(session: AsyncSession, filters: FigureFilters, scripts: Mapping[str, str]) -> list[Opinions]:
    answer = aliased(Answer)
    value = type_coerce(answer.value, JSONB)
    words = value.in_([type_coerce(word, JSONB) for word in (*_GOOD, *_FAIR, *facts.LOW_WORDS)])
    score = and_(func.jsonb_typeof(value) == "number", tuple_(Case.revision_id, answer.question_id).in_(facts.score_questions()))
    rows = await session.execute(
        select(Case.script_id, answer.question_id, value.label("value"), func.count())
        .join(Case, Case.id == answer.case_id)
        .where(~answer.superseded, or_(words, score), *conditions(filters.talks, personal=True))
        .group_by(Case.script_id, answer.question_id, value)
    )
    found: dict[tuple[str, str], dict[Any, int]] = {}
    for script, question, given, count in rows:
        found.setdefault((script, question), {})[given] = count
    made = []
    for script in sorted({script for script, _ in found}, key=lambda one: scripts.get(one, one)):
        questions = _named(await queries.newest_content(session, script))
        order = [one.id for one in questions.script.questions] if questions.script else []
        short = dashboard.short_names(script)
        mine = sorted((one for one in found if one[0] == script), key=lambda one: (order.index(one[1]) if one[1] in order else 99, one[1]))
        for _, question in mine:
            name = short.get(question) or questions.label(question)
            made.append(_opinion(scripts.get(script, script), name, found[script, question]))
    return made


def _opinion(script: str, question: str, values: Mapping[Any, int]) -> Opinions:
    scores = [(score, count) for score, count in scores_of(values)]
    if scores:
        middle = mean(scores)
        bad = sum(count for score, count in scores if score < facts.LOW_SCORE)
        return Opinions(script, question, sum(count for _, count in scores), None, None, bad, float(middle) if middle is not None else None)

    def those(words: Sequence[str]) -> int:
        return sum(values.get(word, 0) for word in words)

    return Opinions(script, question, sum(values.values()), those(_GOOD), those(_FAIR), those(facts.LOW_WORDS), None)


def _named(content: Mapping[str, Any]) -> Questions:
    variables = (content.get("script") or {}).get("variables") or {}
    return Questions(content, dict.fromkeys(variables, "…"))


async def _rates(
    session: AsyncSession, filters: FigureFilters, script: str, scripts: Mapping[str, str]
) -> tuple[str, str, str] | None:
    """落实度 and 满意度 of a script over its talks of the month; None when there were none."""
    content = await queries.newest_content(session, script)
    built = _named(content).script if content else None
    if built is None:
        return None
    of = {one.compute: one.of for one in built.questions if one.compute in _RATES}
    mine = _for_script(filters, script)
    answers = await queries.answers(session, mine, [question for every in of.values() for question in every])
    results = [dashboard.result([answers.get(one, {}) for one in of.get(name, ())], name) for name in _RATES]
    return (scripts.get(script, script), results[0][1], results[1][1]) if any(count for count, _ in results) else None


def _for_script(filters: FigureFilters, script: str) -> FigureFilters:
    from dataclasses import replace

    return replace(filters, talks=replace(filters.talks, script=script))


async def _lost(session: AsyncSession, filters: FigureFilters) -> list[tuple[str, int]]:
    spec = texts()["lost"]
    said = await queries.texts(session, _for_script(filters, spec["script"]), spec["question"])
    return list(others(said, ()).items())


async def _complaints(session: AsyncSession, filters: FigureFilters, scripts: Mapping[str, str]) -> list[tuple[str, ...]]:
    """What was complained of and what was done about it, newest first."""
    again = aliased(Case)
    rows = await session.execute(
        select(Ticket, Case.script_id, Contact.name, Contact.title, again.status, again.outcome, _verdict(again))
        .join(Case, Case.id == Ticket.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .outerjoin(again, again.id == Ticket.revisit_case_id)
        .where(Ticket.kind.in_(("complaint", "dissatisfaction")), *conditions(filters.talks, personal=True))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(MOST_LINES + 1)
    )
    return [
        (
            _day(ticket.created_at),
            f"{name}{title}",
            scripts.get(script, script),
            "；".join(dict.fromkeys(str(word.get("text", "")) for word in ticket.words)) or ticket.reason,
            ticket.department,
            label(ticket.status, "ticket_status") + (f"：{ticket.solution}" if ticket.solution else ""),
            "" if status is None else shown_value(verdict) if verdict is not None else label(outcome, "outcomes") or label(status, "case_status"),
        )
        for ticket, script, name, title, status, outcome, verdict in rows
    ]


def _verdict(again: Any) -> Any:
    """The first satisfaction said in the revisit."""
    value = type_coerce(Answer.value, JSONB)
    words = value.in_([type_coerce(word, JSONB) for word in (*_GOOD, *_FAIR, *facts.LOW_WORDS)])
    return (
        select(value)
        .where(Answer.case_id == again.id, ~Answer.superseded, or_(words, func.jsonb_typeof(value) == "number"))
        .order_by(Answer.id)
        .limit(1)
        .correlate(again)
        .scalar_subquery()
    )


async def _suggestions(session: AsyncSession, filters: FigureFilters, scripts: Mapping[str, str]) -> list[tuple[str, ...]]:
    answer = aliased(Answer)
    value = type_coerce(answer.value, JSONB)
    rows = await session.execute(
        select(answer.created_at, Contact.name, Contact.title, Case.script_id, value.op("#>>", return_type=Text())(literal_column("'{}'")))
        .join(Case, Case.id == answer.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .where(
            ~answer.superseded,
            answer.question_id.in_(texts()["suggestions"]),
            value.is_not(None),
            value != type_coerce(NOTHING, JSONB),
            *conditions(filters.talks, personal=True),
        )
        .order_by(answer.created_at.desc(), answer.id.desc())
        .limit(MOST_LINES + 1)
    )
    return [(_day(at), f"{name}{title}", scripts.get(script, script), words) for at, name, title, script, words in rows]


def _day(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d}"
