"""Times within a day: parts of the day, clock times, everyday events. Minutes count from the day's midnight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from followup.reading.time.span import DAY_PART, HOUR, MINUTE

DAY_MINUTES = 24 * 60


class Part(NamedTuple):
    """A part of the day in hours; `ongoing`: it may be meant while it is already running."""

    name: str
    start: int
    end: int
    ongoing: bool = True


DAWN = Part("dawn", 0, 6, False)
EARLY = Part("early", 8, 10, False)
MORNING = Part("morning", 8, 12)
NOON = Part("noon", 12, 14)
AFTERNOON = Part("afternoon", 14, 18)
DUSK = Part("dusk", 17, 19)
EVENING = Part("evening", 18, 21)
NIGHT = Part("night", 21, 24)
DAYTIME = Part("daytime", 8, 18)


class InDay(NamedTuple):
    """Minutes from midnight; more than 1440 is past the next midnight. `end` equals `start` for a point."""

    start: int
    end: int
    precision: str
    ongoing: bool = False


@dataclass(frozen=True)
class Clock:
    """A clock time as said. `later`: the second hour of 七八点 or of a range within one day.

    `exact24`: written so that only one hour of the day can be meant (08:30, 15点).
    """

    hour: int
    minute: int | None = None
    exact24: bool = False

    @property
    def precision(self) -> str:
        return HOUR if self.minute is None else MINUTE


@dataclass(frozen=True)
class Event:
    """下班后, 午饭后: an everyday event that stands for a clock time (minutes)."""

    minutes: int
    name: str


def hours_of(clock: Clock, part: Part | None, today: bool, morning_gone: bool) -> list[int]:
    """Hours of the day (24 and more: after midnight) that a clock time can mean, the likeliest first.

    Without a part of the day, 1-6 is the afternoon; 7-11 is the morning, and, when the day is today,
    the evening once the morning hour has passed. 12 is noon.
    """
    hour = clock.hour
    if part is not None and hour <= 12:
        return [_hour_in(part, hour)]
    if hour > 12 or clock.exact24 or hour == 0:
        return [hour]
    if hour <= 6:
        return [hour + 12]
    if hour == 12:
        return [12]
    return [hour, hour + 12] if today and morning_gone else [hour]


def _hour_in(part: Part, hour: int) -> int:
    if part is DAWN:
        return 0 if hour == 12 else hour
    if part in (EARLY, MORNING):
        return hour
    if part is NOON:
        return hour + 12 if hour <= 4 else hour
    if part in (EVENING, NIGHT):
        if hour == 12:
            return 24
        return hour + 24 if hour <= 4 else hour + 12
    if part is DAYTIME:
        return hour + 12 if hour <= 6 else hour
    return hour if hour == 12 else hour + 12  # afternoon, dusk


def second_hour(first: int, clock: Clock) -> int:
    """The hour of a range's end: the next time the clock shows it after `first`."""
    hour = clock.hour
    while hour * 60 + (clock.minute or 0) <= first * 60 and hour < 36:
        hour += 12
    return hour


def part_in_day(part: Part) -> InDay:
    return InDay(part.start * 60, part.end * 60, DAY_PART, part.ongoing)
