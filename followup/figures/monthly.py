"""月度回访报告 (58741 五, 63714): counts, reasons, satisfaction, complaints by cause and customer group, suggestions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from followup.figures.forms import FORMS_DIR
from followup.figures.paper import Block, Paper, Row
from followup.settings import SHANGHAI

MOST_LINES = 300
"""Complaints, suggestions: more are for the console."""
_WIDTHS: Mapping[str, tuple[float, ...]] = {
    "reach": (90, 45, 45),
    "reasons": (45, 90, 45),
    "satisfaction": (40, 62, 16, 16, 16, 16, 16),
    "rates": (90, 45, 45),
    "causes": (90, 45),
    "groups": (90, 30, 30, 30),
    "complaints": (20, 20, 26, 46, 20, 30, 20),
    "lost": (90, 45),
    "suggestions": (22, 24, 34, 102),
}


@dataclass(frozen=True)
class Month:
    """A calendar month."""

    first: date

    @classmethod
    def parse(cls, text: str) -> Month | None:
        """`2026-11`; None for what is no month."""
        try:
            return cls(date.fromisoformat(f"{text}-01")) if len(text) == 7 else None
        except ValueError:
            return None

    @property
    def last(self) -> date:
        return (self.first + timedelta(days=32)).replace(day=1) - timedelta(days=1)

    @property
    def due(self) -> datetime:
        """The end of the 3rd of the next month (58741: 每月月初3日前)."""
        day = self.last + timedelta(days=texts()["due_day"])
        return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)

    @property
    def due_day(self) -> date:
        return self.last + timedelta(days=texts()["due_day"])

    @property
    def before(self) -> Month:
        return Month((self.first - timedelta(days=1)).replace(day=1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def shown(self) -> str:
        return f"{self.first.year}年{self.first.month}月"


@dataclass(frozen=True)
class Opinions:
    """What was said to one question of one script."""

    script: str
    question: str
    answered: int
    good: int | None
    """None for scores, which have no such steps."""
    fair: int | None
    bad: int
    mean: float | None


@dataclass(frozen=True)
class MonthFigures:
    """All that the report says; names as shown."""

    month: Month
    invited: int
    reach: Sequence[tuple[str, int]]
    """(name, talks): opened, replied …, then every outcome."""
    reasons: Sequence[tuple[str, str, int]]
    opinions: Sequence[Opinions]
    rates: Sequence[tuple[str, str, str]]
    causes: Sequence[tuple[str, int]]
    groups: Sequence[tuple[str, int, int, int]]
    complaints: Sequence[Row]
    lost: Sequence[tuple[str, int]]
    suggestions: Sequence[Row]


@cache
def texts() -> Mapping[str, Any]:
    return YAML(typ="safe").load((FORMS_DIR / "general" / "monthly_report.yml").read_text(encoding="utf-8"))


def monthly_paper(figures: MonthFigures) -> Paper:
    """The report; what there was nothing of is said to be nothing."""
    whole = figures.invited
    rows: dict[str, Sequence[Row]] = {
        "reach": [("邀请", whole, ""), *((name, count, _share(count, whole)) for name, count in figures.reach)] if whole else [],
        "reasons": figures.reasons,
        "satisfaction": [
            (one.script, one.question, one.answered, one.good, one.fair, one.bad, one.mean) for one in figures.opinions
        ],
        "rates": figures.rates,
        "causes": figures.causes,
        "groups": figures.groups,
        "complaints": figures.complaints,
        "lost": figures.lost,
        "suggestions": figures.suggestions,
    }
    blocks = tuple(_block(name, lines) for name, lines in rows.items())
    return Paper(texts()["title"], figures.month.shown, blocks, signatures=tuple(texts()["signatures"]))


def _block(name: str, rows: Sequence[Row]) -> Block:
    spec = texts()["blocks"][name]
    note = spec.get("note", "") if rows else texts()["nothing"]
    if len(rows) > MOST_LINES:
        rows, note = rows[:MOST_LINES], texts()["more"].format(most=MOST_LINES)
    return Block(spec["title"], tuple(spec["columns"]), rows, _WIDTHS[name], note)


def _share(part: int, whole: int) -> str:
    # As on the dashboard: of fewer than five a share says nothing.
    return f"{int(part * 1000 / whole + 0.5) / 10:g}%" if whole >= 5 else ""
