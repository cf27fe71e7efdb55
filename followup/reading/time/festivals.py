"""Festivals by name, from data/lexicon/holidays.yml: which days they take in a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from followup.reading.lexicon import HOLIDAYS, load


@dataclass(frozen=True)
class Festival:
    id: str
    names: tuple[str, ...]
    days: int
    public: bool
    month_day: tuple[int, int] | None
    dates: tuple[date, ...]

    def first_day(self, year: int) -> date | None:
        """The festival's first day in a year; None for a lunar one outside the table."""
        if self.month_day:
            return date(year, *self.month_day)
        return next((day for day in self.dates if day.year == year), None)

    def coming(self, today: date) -> list[date]:
        """First days of this year's and the next years' festival that are not over today."""
        days = (self.first_day(today.year + n) for n in (-1, 0, 1, 2))
        return [day for day in days if day and day + timedelta(days=self.days) > today]


@lru_cache(maxsize=1)
def festivals() -> dict[str, Festival]:
    """All festivals by id."""
    known: dict[str, Festival] = {}
    for entry in load(HOLIDAYS).get("festivals", ()):
        known[entry["id"]] = Festival(
            id=entry["id"],
            names=tuple(str(name) for name in entry["names"]),
            days=int(entry["days"]),
            public=bool(entry["public"]),
            month_day=_month_day(entry),
            dates=_dates(entry, known),
        )
    return known


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Festival id by name."""
    return {name: festival.id for festival in festivals().values() for name in festival.names}


def _month_day(entry: dict[str, Any]) -> tuple[int, int] | None:
    if "date" not in entry:
        return None
    month, day = entry["date"].split("-")
    return int(month), int(day)


def _dates(entry: dict[str, Any], known: dict[str, Festival]) -> tuple[date, ...]:
    if "after" in entry:
        base = known[entry["after"]["festival"]]
        return tuple(day + timedelta(days=entry["after"]["days"]) for day in base.dates)
    return tuple(date.fromisoformat(day) for day in entry.get("dates", ()))
