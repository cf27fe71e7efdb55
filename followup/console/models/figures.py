"""How well customers are understood: by week, by intent, around each promotion; and how much was labelled. The SQL of it.

A customer's line counts as understood when a person said that the reading was right, and, where nobody said anything, when the
model was sure enough (UNSURE_BELOW, as in the transcripts). Demonstrations are left out. Days are those of Shanghai.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.models.report import intent_name
from followup.console.transcripts.conditions import UNSURE_BELOW
from followup.settings import SHANGHAI

WEEKS = 12
DAYS = 30
MISREAD_DAYS = 90
_MISREAD = 15
_PROMOTIONS = 20
_WEEK = timedelta(days=7)

# The newest word of staff on each message.
_SAID = """
    said AS (
        SELECT DISTINCT ON (a.message_id) a.message_id, a.intent FROM annotations a
        WHERE a.status <> 'ignored' ORDER BY a.message_id, a.id DESC
    )
"""
_RIGHT = "coalesce(s.intent IN (m.intent, split_part(m.intent, '/', 1)), m.confidence >= :sure, false)"
_LINES = "m.direction = 'in' AND m.intent IS NOT NULL"

_WEEKLY = text(
    f"""
    WITH {_SAID}
    SELECT CAST(date_trunc('week', m.created_at AT TIME ZONE 'Asia/Shanghai') AS date) AS week, count(*) AS lines,
           count(*) FILTER (WHERE {_RIGHT}) AS understood,
           count(*) FILTER (WHERE s.intent IS NOT NULL AND NOT {_RIGHT}) AS misread
    FROM messages m JOIN cases c ON c.id = m.case_id AND NOT c.is_demo LEFT JOIN said s ON s.message_id = m.id
    WHERE {_LINES} AND m.created_at >= :begin AND m.created_at < :end GROUP BY 1
    """
)
_BY_INTENT = text(
    f"""
    WITH {_SAID}
    SELECT s.intent, count(*) AS labelled, count(*) FILTER (WHERE NOT {_RIGHT}) AS misread,
           mode() WITHIN GROUP (ORDER BY m.intent) FILTER (WHERE NOT {_RIGHT}) AS mostly
    FROM said s JOIN messages m ON m.id = s.message_id JOIN cases c ON c.id = m.case_id AND NOT c.is_demo
    WHERE {_LINES} AND m.created_at >= :begin
    GROUP BY s.intent HAVING count(*) FILTER (WHERE NOT {_RIGHT}) > 0 ORDER BY misread DESC, labelled, s.intent LIMIT :most
    """
)
_DAILY = text(
    """
    SELECT CAST(at AT TIME ZONE 'Asia/Shanghai' AS date) AS day, count(*) FILTER (WHERE kind = 'label') AS labels,
           count(*) FILTER (WHERE kind = 'example') AS examples
    FROM (SELECT at, 'label' AS kind FROM annotations WHERE at >= :begin
          UNION ALL SELECT at, 'example' FROM example_changes WHERE at >= :begin AND state <> 'withdrawn') done
    GROUP BY 1
    """
)
_DEPLOYMENTS = text(
    """
    SELECT d.id, d.version_id, d.kind, d.at, d.reason, d.overridden, coalesce(u.name, '') AS by,
           lag(d.at) OVER (ORDER BY d.id) AS before, lead(d.at) OVER (ORDER BY d.id) AS after
    FROM model_deployments d LEFT JOIN users u ON u.id = d.by_user_id
    WHERE d.kind <> 'baseline' ORDER BY d.id DESC LIMIT :most
    """
)
# One pass over the messages, however many spans are asked for: `segment` n is from the nth of the sorted moments to the next.
_SEGMENTS = text(
    f"""
    WITH {_SAID}
    SELECT width_bucket(m.created_at, CAST(:moments AS timestamptz[])) AS segment, count(*), count(*) FILTER (WHERE {_RIGHT})
    FROM messages m JOIN cases c ON c.id = m.case_id AND NOT c.is_demo LEFT JOIN said s ON s.message_id = m.id
    WHERE {_LINES} AND m.created_at >= :begin AND m.created_at < :end GROUP BY 1
    """
)


@dataclass(frozen=True, slots=True)
class Share:
    """How many customers' lines, and how many of them were understood."""

    lines: int
    understood: int

    @property
    def rate(self) -> float | None:
        return self.understood / self.lines if self.lines else None


@dataclass(frozen=True, slots=True)
class Week:
    """From a Monday on. `misread`: a person said that it was something else."""

    first: date
    share: Share
    misread: int


@dataclass(frozen=True, slots=True)
class Misread:
    """An intent that was heard as something else, most often as `mostly`."""

    intent: str
    labelled: int
    misread: int
    mostly: str

    @property
    def name(self) -> str:
        return intent_name(self.intent)

    @property
    def heard_as(self) -> str:
        return intent_name(self.mostly)


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    labels: int
    examples: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A promotion or rollback, with at most a week before and after it, none of it under another model."""

    version: int
    kind: str
    at: datetime
    by: str
    reason: str
    overridden: bool
    before: Share
    after: Share
    complete: bool
    """A whole week has passed since, or another model came."""

    @property
    def change(self) -> float | None:
        """In shares of 1; None where one side has no lines."""
        before, after = self.before.rate, self.after.rate
        return after - before if before is not None and after is not None else None


async def by_week(session: AsyncSession, at: datetime) -> list[Week]:
    """The last WEEKS weeks, the present one among them, the oldest first; weeks without a line too. Empty when there was none."""
    today = at.astimezone(SHANGHAI).date()
    monday = today - timedelta(days=today.weekday())
    first = monday - (WEEKS - 1) * _WEEK
    begin = datetime(first.year, first.month, first.day, tzinfo=SHANGHAI)
    rows = await session.execute(_WEEKLY, {"begin": begin, "end": at + timedelta(days=1), "sure": UNSURE_BELOW})
    found = {week: Week(week, Share(lines, understood), misread) for week, lines, understood, misread in rows}
    weeks = [first + number * _WEEK for number in range(WEEKS)]
    return [found.get(week, Week(week, Share(0, 0), 0)) for week in weeks if found and week >= min(found)]


async def misread_intents(session: AsyncSession, at: datetime) -> list[Misread]:
    """What staff had to put right most often in the last MISREAD_DAYS days."""
    values = {"begin": at - timedelta(days=MISREAD_DAYS), "sure": UNSURE_BELOW, "most": _MISREAD}
    return [Misread(*row) for row in await session.execute(_BY_INTENT, values)]


async def by_day(session: AsyncSession, at: datetime) -> list[Day]:
    """The last DAYS days, the oldest first, days without work too. Empty when nothing was done."""
    today = at.astimezone(SHANGHAI).date()
    first = today - timedelta(days=DAYS - 1)
    rows = await session.execute(_DAILY, {"begin": datetime(first.year, first.month, first.day, tzinfo=SHANGHAI)})
    found = {day: Day(day, labels, examples) for day, labels, examples in rows}
    return [found.get(day, Day(day, 0, 0)) for day in (first + timedelta(days=n) for n in range(DAYS))] if found else []


async def effects(session: AsyncSession, at: datetime) -> list[Effect]:
    """Of the newest promotions and rollbacks, the newest first."""
    rows = (await session.execute(_DEPLOYMENTS, {"most": _PROMOTIONS})).all()
    spans = [(max(row.at - _WEEK, row.before or row.at - _WEEK), row.at, min(row.at + _WEEK, row.after or row.at + _WEEK)) for row in rows]
    share = await _shares(session, sorted({moment for span in spans for moment in span}))
    return [
        Effect(row.version_id, row.kind, row.at, row.by, row.reason, row.overridden, share(begin, middle), share(middle, end), at >= end)
        for row, (begin, middle, end) in zip(rows, spans, strict=True)
    ]


async def _shares(session: AsyncSession, moments: Sequence[datetime]) -> Callable[[datetime, datetime], Share]:
    """What customers said between any two of the moments, which are in order."""
    found: dict[int, tuple[int, int]] = {}
    if len(moments) > 1:
        values = {"moments": list(moments), "begin": moments[0], "end": moments[-1], "sure": UNSURE_BELOW}
        found = {segment: (lines, understood) for segment, lines, understood in await session.execute(_SEGMENTS, values)}

    def share(begin: datetime, end: datetime) -> Share:
        parts = [found.get(one, (0, 0)) for one in range(moments.index(begin) + 1, moments.index(end) + 1)]
        return Share(sum(lines for lines, _ in parts), sum(understood for _, understood in parts))

    return share
