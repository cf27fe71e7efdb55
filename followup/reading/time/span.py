"""A span of time in a customer's words, made definite. Naive datetimes are local time in Asia/Shanghai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

MINUTE, HOUR, DAY_PART, DAY, WEEK, MONTH = "minute", "hour", "day_part", "day", "week", "month"


class DaySpan(NamedTuple):
    """Whole days from `start` up to and without `end`; `precision` is day, week or month."""

    start: date
    end: date
    precision: str = DAY


@dataclass(frozen=True)
class TimeSpan:
    """`end` equals `start` for a point and is exclusive for a span (a day ends at the next midnight)."""

    start: datetime
    end: datetime
    precision: str

    def as_value(self) -> dict[str, str]:
        """{"start", "end": ISO local time without offset, "precision"}"""
        return {
            "start": self.start.isoformat(timespec="seconds"),
            "end": self.end.isoformat(timespec="seconds"),
            "precision": self.precision,
        }
