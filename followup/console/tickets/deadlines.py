"""When a ticket is due, late, or soon due. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from followup.holidays import next_working_day
from followup.settings import SHANGHAI
from followup.store.due import due_at

END_OF_DAY = time(18, 0)
SOON = timedelta(hours=2)
"""A ticket is soon due this long before its time."""
REVISIT_WITHIN = timedelta(days=3)
"""Complaint handling (58741): asked again within three days of the solution."""
RESPONSE = {1: timedelta(hours=1), 2: timedelta(hours=1), 3: timedelta(hours=8), 4: timedelta(hours=12)}
"""Service levels (34329): response to a fault of each level."""
UNFINISHED = ("open", "working")
PRESETS = ("keep", "same_day", "two_days", "by_level", "at")


def is_overdue(status: str, due: datetime, now: datetime) -> bool:
    """Whether it should have been done by now; what is due at 18:00 is late from 18:00:01 on."""
    return status in UNFINISHED and due < now


def is_due_soon(status: str, due: datetime, now: datetime) -> bool:
    return status in UNFINISHED and now <= due <= now + SOON


def preset(name: str, now: datetime, severity: int) -> datetime:
    """The due time that a preset gives, counted from `now` (aware). KeyError for what is none.

    same_day: the same working day (58741); two_days: two working days (34329); by_level: RESPONSE, round the clock.
    """
    if name == "same_day":
        return due_at(now)
    if name == "two_days":
        return _working_days_after(now, 2)
    if name == "by_level":
        return now + RESPONSE[severity]
    raise KeyError(name)


def _working_days_after(now: datetime, days: int) -> datetime:
    """18:00 of the `days`-th working day after today."""
    day = now.astimezone(SHANGHAI).date()
    for _ in range(days):
        day = next_working_day(day + timedelta(days=1))
    return datetime.combine(day, END_OF_DAY, SHANGHAI)
