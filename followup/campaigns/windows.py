"""When customers may be contacted 可联系时段: the open stretches of a day, and the next one. Pure.

Catalogue D "windows": never outside 8:30 to 21:00, whatever a campaign says; no public holiday unless it says so.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from followup.campaigns.definition import EARLIEST, LATEST, Hours, Window
from followup.holidays import is_worked_weekend, public_holiday
from followup.settings import SHANGHAI

_LOOK_AHEAD = 400
"""Days. Longer than any season; hours that do not open in that time never do."""
_WORKWEEK = frozenset(range(1, 6))


@lru_cache(maxsize=4096)
def stretches(hours: Hours, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The open stretches of `day`, in order, merged where they touch: from the first moment, before the second."""
    if not hours.holidays and public_holiday(day) is not None:
        return ()
    found: list[tuple[datetime, datetime]] = []
    for begin, end in sorted((max(w.begin, EARLIEST), min(w.end, LATEST)) for w in hours.windows if _holds_on(w, day)):
        if begin >= end:
            continue
        opens, closes = _at(day, begin), _at(day, end)
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        else:
            found.append((opens, closes))
    return tuple(found)


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether a customer may be contacted at this moment."""
    local = at.astimezone(SHANGHAI)
    return any(opens <= local < closes for opens, closes in stretches(hours, local.date()))


def next_open(hours: Hours, at: datetime) -> datetime | None:
    """`at` itself when it is open, else the first open moment after it; None when there is none in 400 days."""
    local = at.astimezone(SHANGHAI)
    for ahead in range(_LOOK_AHEAD):
        for opens, closes in stretches(hours, local.date() + timedelta(days=ahead)):
            if local < closes:
                return max(local, opens)
    return None


def _holds_on(window: Window, day: date) -> bool:
    if window.season is not None and not window.season.holds(day):
        return False
    if day.isoweekday() in window.weekdays:
        return True
    return is_worked_weekend(day) and _WORKWEEK <= set(window.weekdays)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SHANGHAI)
