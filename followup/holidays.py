"""Public holidays and working days of China, from data/calendar/public_holidays.yml. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Collection

from ruamel.yaml import YAML

from followup.reading.time.festivals import festivals

CALENDAR_DIR = Path(__file__).resolve().parents[1] / "data" / "calendar"


@dataclass(frozen=True)
class Holiday:
    """Days off around one festival, or two that fall together."""

    festivals: tuple[str, ...]
    """Ids of data/lexicon/holidays.yml."""
    first: date
    last: date
    working: tuple[date, ...] = ()
    """Weekend days worked in exchange 调休."""


def public_holiday(day: date) -> Holiday | None:
    """The public holiday that `day` is part of.

    In a year whose arrangement is not in the file yet, only the days that the law itself names.
    """
    return next((holiday for holiday in _holidays(day.year) if holiday.first <= day <= holiday.last), None)


def is_worked_weekend(day: date) -> bool:
    """A Saturday or Sunday that is worked in exchange for a holiday."""
    return any(day in holiday.working for holiday in _holidays(day.year))


def is_working_day(day: date) -> bool:
    """Monday to Friday without public holidays, and the weekend days worked in exchange."""
    return works_on(day, range(1, 6))


def next_working_day(day: date) -> date:
    """`day` itself when it is a working day, else the next one."""
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def works_on(day: date, weekdays: Collection[int]) -> bool:
    """Whether somebody who works on these weekdays (1 Monday to 7 Sunday) works on `day`.

    Holidays are off and the weekend days worked in exchange are on; all seven weekdays: holidays as well.
    """
    if len(set(weekdays)) == 7:
        return True
    return (day.isoweekday() in weekdays or is_worked_weekend(day)) and public_holiday(day) is None


def read_calendar(name: str) -> Any:
    """The content of a file of data/calendar."""
    return YAML(typ="safe").load((CALENDAR_DIR / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def _holidays(year: int) -> tuple[Holiday, ...]:
    arranged = _file()["years"].get(year)
    if arranged is None:
        return tuple(_statutory(year))
    return tuple(
        Holiday(_ids(row["festival"]), row["from"], row["to"], tuple(row.get("working", ())))
        for row in arranged["holidays"]
    )


def _statutory(year: int) -> list[Holiday]:
    found = []
    for festival, days in _file()["statutory"]["days"].items():
        first = festivals()[festival].first_day(year)
        if first is not None:
            found.append(Holiday((festival,), first, first + timedelta(days=days - 1)))
    return found


@lru_cache(maxsize=1)
def _file() -> Any:
    return read_calendar("public_holidays.yml")


def _ids(raw: str | list[str]) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(raw)
