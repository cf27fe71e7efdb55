"""Means over filled sheets: per colleague and for the bot, month by month or week by week. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from followup.settings import SHANGHAI

BOT = None
"""The bot's key where colleagues have their id."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled sheet."""

    id: int
    agent_id: int | None
    """Whose work; None: the bot's."""
    agent: str
    at: datetime
    total: int
    scores: Mapping[str, int]
    sheet: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Mean:
    count: int
    total: float
    lowest: int
    highest: int
    parts: Mapping[str, float]
    """Criterion id -> mean in percent of its points: sheets of other points can be compared."""


@dataclass(frozen=True, slots=True)
class Results:
    periods: Sequence[str]
    """`2026-11`, or the Monday of a week `2026-11-16`; oldest first."""
    people: Sequence[tuple[int | None, str]]
    """Colleagues by name, then the bot."""
    all_of: Mapping[int | None, Mean]
    by_period: Mapping[tuple[int | None, str], Mean]
    criteria: Mapping[str, str]
    """Id -> name, in the sheet's order."""


def results(sheets: Iterable[Filled], by: str) -> Results:
    """`by`: month | week, in Shanghai, of the day on which it was filled in."""
    rows = list(sheets)
    names = {one.agent_id: one.agent for one in rows}
    people = sorted(names.items(), key=lambda pair: (pair[0] is BOT, pair[1], pair[0] or 0))
    groups: dict[tuple[int | None, str], list[Filled]] = defaultdict(list)
    for one in rows:
        groups[one.agent_id, period_of(one.at, by)].append(one)
    criteria: dict[str, str] = {}
    for one in sorted(rows, key=lambda row: (row.at, row.id), reverse=True):  # as it is named today
        for criterion in one.sheet:
            criteria.setdefault(str(criterion["id"]), str(criterion["name"]))
    return Results(
        periods=sorted({period for _, period in groups}),
        people=people,
        all_of={person: mean([one for one in rows if one.agent_id == person]) for person, _ in people},
        by_period={key: mean(group) for key, group in groups.items()},
        criteria=criteria,
    )


def mean(sheets: Sequence[Filled]) -> Mean:
    """Of at least one sheet."""
    shares: dict[str, list[float]] = defaultdict(list)
    for one in sheets:
        for criterion in one.sheet:
            name = str(criterion["id"])
            if name in one.scores:
                shares[name].append(one.scores[name] * 100 / int(str(criterion["points"])))
    totals = [one.total for one in sheets]
    return Mean(
        count=len(sheets),
        total=sum(totals) / len(totals),
        lowest=min(totals),
        highest=max(totals),
        parts={name: sum(values) / len(values) for name, values in shares.items()},
    )


def period_of(at: datetime, by: str) -> str:
    """The month, or the week's Monday, of a moment."""
    day = at.astimezone(SHANGHAI).date()
    return f"{day:%Y-%m}" if by == "month" else (day - timedelta(days=day.weekday())).isoformat()
