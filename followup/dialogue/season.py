"""Greetings by the time of day and by the festival, wishes, and a caring word (b9e91, 8035c, 63714; catalogue D).

What is said is in data/calendar/festivals.yml and seasons.yml; which days are off is known by `followup.holidays`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Iterator

from followup.holidays import is_working_day, public_holiday, read_calendar
from followup.reading.time.festivals import festivals

_WEEKEND_FROM = 15  # o'clock on a Friday


@dataclass(frozen=True)
class _Kept:
    """How a festival is kept."""

    festival: str
    greeting: str
    wish: str
    throughout: bool


def greeting(at: datetime) -> str:
    """新年好 and the like on public festivals; else 早上好 to 晚上好 by the hour, 您好 in the small hours."""
    kept = _kept_on(at.date())
    if kept is not None and kept.greeting:
        return kept.greeting
    return next(row["say"] for row in reversed(_sayings()["greetings"]) if at.hour >= row["from"])


def wish(at: datetime) -> str:
    """What follows 祝您: the festival's own wish, 假期愉快 on other days off, 周末愉快 from Friday afternoon on, else 工作顺利."""
    day, wishes = at.date(), _sayings()["wishes"]
    kept = _kept_on(day)
    if kept is not None:
        return kept.wish or wishes["festival"]
    if public_holiday(day) is not None:
        return wishes["holiday"]
    friday_afternoon = at.isoweekday() == 5 and at.hour >= _WEEKEND_FROM and not is_working_day(day + timedelta(days=1))
    return wishes["weekend"] if friday_afternoon or not is_working_day(day) else wishes["workday"]


def festival_on(day: date) -> str:
    """Id of the public festival that is kept on `day`; empty when none."""
    kept = _kept_on(day)
    return kept.festival if kept is not None else ""


def season(at: datetime) -> str:
    """spring | summer | autumn | winter: by the month, winter from 立冬 on, as the scripts speak of it."""
    seasons = _cares()["seasons"]
    by_month = next(name for name, spec in seasons.items() if at.month in spec["months"])
    begun = (name for name, spec in seasons.items() if "begins" in spec and _in_its_month(at.date(), spec["begins"]))
    return next(begun, by_month)


def _in_its_month(day: date, term: str) -> bool:
    """Whether the solar term `term` has come, in the month in which it comes."""
    comes = solar_term(term, day.year)
    return comes <= day and day.month == comes.month


def solar_term(term: str, year: int) -> date:
    """The day of 立冬, within 2000 to 2099. KeyError for a term nobody needed yet."""
    month, offset = {"lidong": (11, 7.438)}[term]
    since = year % 100
    return date(year, month, int(since * 0.2422 + offset) - since // 4)


def care(at: datetime, weather: str = "") -> str:
    """A caring word for the weather where it is known (`雨`, `高温` ...), else for the season."""
    known = _cares()
    return known["weather"].get(weather) or known["seasons"][season(at)]["say"]


def sentences() -> Iterator[str]:
    """Everything that these files can make the bot say."""
    said, cares = _sayings(), _cares()
    for row in said["festivals"]:
        yield from (row[key] for key in ("greeting", "wish") if key in row)
    yield from (row["say"] for row in said["greetings"])
    yield from said["wishes"].values()
    yield from (spec["say"] for spec in cares["seasons"].values())
    yield from cares["weather"].values()


def _kept_on(day: date) -> _Kept | None:
    """On a festival's own day that festival; on the other days of the holiday one that is kept throughout, once it has begun."""
    holiday = public_holiday(day)
    if holiday is None:
        return None
    own, lasting = None, None
    for kept in _festivals():
        first = festivals()[kept.festival].first_day(day.year) if kept.festival in holiday.festivals else None
        if first == day:
            own = kept
        elif first is not None and kept.throughout and (first < day or not kept.greeting):
            lasting = kept
    return own or lasting


@lru_cache(maxsize=1)
def _festivals() -> tuple[_Kept, ...]:
    return tuple(
        _Kept(row["festival"], row.get("greeting", ""), row.get("wish", ""), row.get("throughout", False))
        for row in _sayings()["festivals"]
    )


@lru_cache(maxsize=1)
def _sayings() -> Any:
    return read_calendar("festivals.yml")


@lru_cache(maxsize=1)
def _cares() -> Any:
    return read_calendar("seasons.yml")
