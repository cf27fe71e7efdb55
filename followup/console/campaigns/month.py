"""A month as a calendar shows it. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from aiohttp import web

from followup.console.forms import query
from followup.holidays import is_worked_weekend, public_holiday

T = TypeVar("T")
WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


@dataclass(frozen=True, slots=True)
class Cell(Generic[T]):
    """A day of the grid. `note`: 休 on a public holiday, 班 on a weekend worked in exchange."""

    day: date
    inside: bool
    note: str
    content: T | None


@dataclass(frozen=True, slots=True)
class Month(Generic[T]):
    first: date
    days: Mapping[date, T]

    @property
    def name(self) -> str:
        return f"{self.first.year}年{self.first.month}月"

    @property
    def before(self) -> str:
        return f"{self.first - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{self.last + timedelta(days=1):%Y-%m}"

    @property
    def last(self) -> date:
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    @property
    def weeks(self) -> list[list[Cell[T]]]:
        grid = calendar.Calendar().monthdatescalendar(self.first.year, self.first.month)
        return [[Cell(day, day.month == self.first.month, _note(day), self.days.get(day)) for day in week] for week in grid]


def _note(day: date) -> str:
    return "休" if public_holiday(day) is not None else "班" if is_worked_weekend(day) else ""


def month_of(request: web.Request, otherwise: date) -> tuple[date, date | None]:
    """(first day of the month, the day chosen) of an address with ?month=2026-12&day=2026-12-03; the latter wins."""
    day = _date(query(request, "day"))
    first = day or _date(query(request, "month") + "-01") or otherwise
    return first.replace(day=1), day


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return found if found is not None and 2000 <= found.year <= 2099 else None
