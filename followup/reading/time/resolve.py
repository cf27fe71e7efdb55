"""A mention and the moment of speaking give a definite time: always the next one that lies ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

from followup.reading.time import clock as c
from followup.reading.time.clock import InDay
from followup.reading.time.days import DayRule, InDays
from followup.reading.time.grammar import Mention
from followup.reading.time.span import DAY_PART, HOUR, MINUTE, DaySpan, TimeSpan

_AFTER_PART = {c.EARLY: c.MORNING, c.MORNING: c.NOON, c.NOON: c.AFTERNOON, c.AFTERNOON: c.EVENING, c.DUSK: c.EVENING}


def resolve(mention: Mention, now: datetime) -> TimeSpan | None:
    """`now` is naive local time. None when the time is over or there is no such date."""
    if mention.past:
        return None
    if mention.wait:
        return _wait(mention, now)
    if not mention.has_time:
        return _days_only(mention, now) if mention.day else None
    if mention.same_clock and not (mention.clock or mention.event) and _is_that_part(mention, now):
        mention_times = [InDay(now.hour * 60 + now.minute, now.hour * 60 + now.minute, MINUTE)]
        return _first_ahead(mention, now, lambda today: mention_times)
    return _first_ahead(mention, now, lambda today: _times(mention, today, now))


def _wait(mention: Mention, now: datetime) -> TimeSpan:
    wait = mention.wait
    assert wait is not None
    now = now.replace(second=0, microsecond=0)
    start = now + timedelta(minutes=wait.low)
    if wait.within:
        return TimeSpan(now, start, MINUTE)
    end = now + timedelta(minutes=wait.high) if wait.high else start
    return TimeSpan(start, end, MINUTE)


def _days_only(mention: Mention, now: datetime) -> TimeSpan | None:
    rule = mention.day
    assert rule is not None
    today = now.date()
    for span in rule.spans(today):
        if span.start > today or (rule.ongoing and span.end > today):
            start = max(span.start, today)
            return TimeSpan(_midnight(start), _midnight(span.end), span.precision)
    return None


def _first_ahead(mention: Mention, now: datetime, times: Callable[[bool], list[InDay]]) -> TimeSpan | None:
    """The first day and time of day that still lie ahead (or run, for a part of today)."""
    rule = mention.day
    ongoing_day = rule is None or isinstance(rule, InDays)
    for day in _candidate_days(rule, now.date()):
        for in_day in times(day == now.date()):
            start, end = _at(day, in_day.start), _at(day, in_day.end)
            if start > now:
                return TimeSpan(start, end, in_day.precision)
            if ongoing_day and in_day.ongoing and end > now:
                clipped = now.replace(second=0, microsecond=0) if mention.before and not mention.part else start
                return TimeSpan(clipped, end, in_day.precision)
    return None


def _is_that_part(mention: Mention, now: datetime) -> bool:
    """ "明晚这个点" said in the evening is the same hour; said at noon it is only tomorrow evening."""
    part = mention.part
    return part is None or part.start - 1 <= now.hour < part.end + 1


def _candidate_days(rule: DayRule | None, today: date) -> Iterator[date]:
    if rule is None:
        yield from (today, today + timedelta(days=1))
        return
    for span in rule.spans(today):
        yield from _days_of(span, today)


def _days_of(span: DaySpan, today: date) -> Iterator[date]:
    day = max(span.start, today)
    while day < span.end:
        yield day
        day += timedelta(days=1)


def _times(mention: Mention, today: bool, now: datetime) -> list[InDay]:
    """What the mention can mean within one day."""
    if mention.clock:
        return _clock_times(mention, today, now)
    if mention.event:
        minutes = mention.event.minutes
        if mention.part is c.AFTERNOON and mention.event.name.startswith("上"):
            minutes = c.AFTERNOON.start * 60  # "下午上班前"
        if mention.before:
            return [InDay(minutes - 60, minutes, HOUR)]
        return [InDay(minutes, minutes, HOUR)]
    part = mention.part
    if part is None:
        return []
    if mention.until and mention.until.part:
        return [InDay(part.start * 60, mention.until.part.end * 60, DAY_PART, True)]
    if mention.after:
        part = _AFTER_PART.get(part, part)
    if mention.before:
        return [InDay(8 * 60, part.start * 60, DAY_PART, True)]
    return [c.part_in_day(part)]


def _clock_times(mention: Mention, today: bool, now: datetime) -> list[InDay]:
    clock = mention.clock
    assert clock is not None
    loose = today and (mention.day is None or isinstance(mention.day, InDays))
    minute = clock.minute or 0
    found = []
    hours = c.hours_of(clock, mention.part, loose, morning_gone=True)
    if mention.day is None and hours[-1] > c.NIGHT.start > now.hour:
        hours = hours[:1]  # "十点多" said at eleven is tomorrow's ten: nobody is rung up, or comes by, at ten in the night
    if loose and mention.before and clock.hour == 12 and now.hour >= c.EVENING.start:
        hours = [24]  # "12点前" said late in the evening
    for hour in hours:
        start = end = hour * 60 + minute
        precision = clock.precision
        if mention.until and mention.until.clock:
            later = mention.until.clock
            if mention.until.part:
                end = c.hours_of(later, mention.until.part, False, False)[0] * 60 + (later.minute or 0)
            else:
                end = c.second_hour(hour, later) * 60 + (later.minute or 0)
            precision = MINUTE if MINUTE in (precision, later.precision) else HOUR
            if end <= start or (hour > clock.hour and not mention.part and end > 21 * 60 and clock.hour >= 7):
                continue  # nobody means 9 to 11 in the evening
        if mention.before:
            start = max(end - 60, 0)
            if mention.part is not None and mention.part.start * 60 < end:
                start = mention.part.start * 60
        found.append(InDay(start, end, precision, ongoing=mention.before))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _at(day: date, minutes: int) -> datetime:
    return _midnight(day) + timedelta(minutes=minutes)

