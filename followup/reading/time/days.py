"""Expressions for days: each says which day spans it can mean, seen from today, the nearest first.

A rule with several candidates rolls forward: the first one whose start still lies ahead is meant.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from followup.reading.time.festivals import festivals
from followup.reading.time.span import DAY, MONTH, WEEK, DaySpan

ONE = timedelta(days=1)
# 月初, 月底 and their like as first and last day of the month; 99 is the month's last day
MONTH_PARTS = {
    "初": (1, 5), "上旬": (1, 10), "中": (11, 20), "中旬": (11, 20), "下旬": (21, 99), "底": (25, 99), "末": (25, 99),
    "上半": (1, 15), "下半": (16, 99),
}


def _days(first: date, count: int = 1, precision: str = DAY) -> DaySpan:
    return DaySpan(first, first + timedelta(days=count), precision)


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _month(year: int, month: int) -> tuple[int, int]:
    """Year and month, with a month number outside 1-12 carried over."""
    return year + (month - 1) // 12, (month - 1) % 12 + 1


def _date(year: int, month: int, day: int) -> date | None:
    year, month = _month(year, month)
    if not 1 <= year <= 9990 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return date(year, month, day)


class DayRule:
    """A day expression. `ongoing`: it may also mean a span that has already begun (今天, 这周)."""

    ongoing = False

    def spans(self, today: date) -> list[DaySpan]:
        raise NotImplementedError


@dataclass(frozen=True)
class InDays(DayRule):
    """今天, 明天, 三天后; `high` for 两三天后."""

    low: int
    high: int | None = None

    @property
    def ongoing(self) -> bool:  # type: ignore[override]
        return self.low == 0

    def spans(self, today: date) -> list[DaySpan]:
        return [_days(today + timedelta(days=self.low), (self.high or self.low) - self.low + 1)]


@dataclass(frozen=True)
class InMonths(DayRule):
    """一个月后, 半年后: the same day of a later month, or its last day."""

    months: int

    def spans(self, today: date) -> list[DaySpan]:
        year, month = _month(today.year, today.month + self.months)
        last = calendar.monthrange(year, month)[1]
        return [_days(date(year, month, min(today.day, last)))]


@dataclass(frozen=True)
class Weekday(DayRule):
    """周三 (week None: the next one), 这周三 (0), 下周三 (1); `day` 0 is Monday; `last` for 周一到周三 in one word."""

    day: int
    week: int | None = None
    last: int | None = None

    @property
    def ongoing(self) -> bool:  # type: ignore[override]
        return self.week == 0

    def spans(self, today: date) -> list[DaySpan]:
        first = _monday(today) + timedelta(days=7 * (self.week or 0) + self.day)
        count = (self.last - self.day + 1) if self.last is not None else 1
        weeks = (0, 7, 14) if not self.week else (0,)
        return [span for n in weeks if (span := _days(first + timedelta(days=n), count)).end > today]


@dataclass(frozen=True)
class Weekend(DayRule):
    """周末: Saturday and Sunday."""

    week: int | None = None
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        first = _monday(today) + timedelta(days=7 * (self.week or 0) + 5)
        if self.week is None and today.weekday() == 6:
            first += timedelta(days=7)  # "周末" said on a Sunday is the next one
        weeks = (0, 7) if not self.week else (0,)
        return [_days(first + timedelta(days=n), 2) for n in weeks]


@dataclass(frozen=True)
class Workday(DayRule):
    """工作日: the next Monday to Friday, today included."""

    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        days = [today + timedelta(days=n) for n in range(5)]
        return [_days(day) for day in days if day.weekday() < 5]


@dataclass(frozen=True)
class InWorkdays(DayRule):
    """三个工作日后: weekends and public holidays are not counted."""

    count: int

    def spans(self, today: date) -> list[DaySpan]:
        public = [f for f in festivals().values() if f.public]
        free = {first + timedelta(days=n) for f in public for first in f.coming(today) for n in range(f.days)}
        day, left = today, min(self.count, 100)
        while left:
            day += ONE
            left -= day.weekday() < 5 and day not in free
        return [_days(day)]


@dataclass(frozen=True)
class Week(DayRule):
    """这周, 下周; `part` first and last weekday for 下周初 and 下周中."""

    week: int
    part: tuple[int, int] | None = None
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        monday = _monday(today) + timedelta(days=7 * self.week)
        if self.part is None:
            return [_days(monday, 7, WEEK)]
        first, last = self.part
        return [_days(monday + timedelta(days=first), last - first + 1)]


@dataclass(frozen=True)
class MonthDay(DayRule):
    """12月3号, 5号, 下个月5号, 明年3月5号: `year` absolute, `years` relative, `months` relative to this month."""

    day: int
    month: int | None = None
    year: int | None = None
    years: int | None = None
    months: int | None = None
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        found = [_days(day) for day in self._dates(today) if day]
        return [span for span in found if span.end > today]

    def _dates(self, today: date) -> list[date | None]:
        if self.months is not None:
            return [_date(today.year, today.month + self.months, self.day)]
        if self.month is None:
            return [_date(today.year, today.month + n, self.day) for n in range(13)]
        if self.year is not None or self.years is not None:
            year = self.year if self.year is not None else today.year + (self.years or 0)
            return [_date(year, self.month, self.day)]
        this_year = _date(today.year, self.month, self.day)
        if this_year is None and self.month >= today.month:
            return []  # no 29 February this year: nobody means the next leap year
        return [this_year, _date(today.year + 1, self.month, self.day)]


@dataclass(frozen=True)
class Month(DayRule):
    """这个月, 下个月, 12月, 明年三月, and with `part` 月底, 下月初."""

    month: int | None = None
    months: int | None = None
    years: int | None = None
    part: str | None = None
    closing: bool = False  # 年底: what lies before it reaches to its end
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        if self.months is not None:
            starts = [(today.year, today.month + self.months)]
        elif self.month is None:
            starts = [(today.year, today.month), (today.year, today.month + 1)]
        elif self.years is not None:
            starts = [(today.year + self.years, self.month)]
        else:
            starts = [(today.year, self.month), (today.year + 1, self.month)]
        found = [self._span(*_month(year, month)) for year, month in starts]
        if self.month is None and self.months is None and self.part == "初":
            return [span for span in found if span.start >= today]  # "月初" said on the third is the next one
        return [span for span in found if span.end > today]

    def _span(self, year: int, month: int) -> DaySpan:
        last = calendar.monthrange(year, month)[1]
        if self.part is None:
            return _days(date(year, month, 1), last, MONTH)
        first, until = MONTH_PARTS[self.part]
        return _days(date(year, month, first), min(until, last) - first + 1, WEEK)


@dataclass(frozen=True)
class NthInMonth(DayRule):
    """The nth day or weekday of a month; below zero from its end: -2 without a weekday are its last two days."""

    nth: int
    weekday: int | None = None
    month: int | None = None
    months: int | None = None
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        found = []
        for month in Month(self.month, self.months).spans(today):
            days = [month.start + timedelta(days=n) for n in range((month.end - month.start).days)]
            if self.weekday is None and self.nth < 0:
                found.append(_days(days[self.nth], -self.nth))
                continue
            fitting = [day for day in days if self.weekday in (None, day.weekday())]
            if len(fitting) >= abs(self.nth):
                found.append(_days(fitting[self.nth - (self.nth > 0)]))
        return [span for span in found if span.end > today]


@dataclass(frozen=True)
class Year(DayRule):
    """明年: from its first day."""

    years: int
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        return [DaySpan(date(today.year + self.years, 1, 1), date(today.year + self.years + 1, 1, 1), MONTH)]


@dataclass(frozen=True)
class FestivalDay(DayRule):
    """国庆, 国庆期间 (`whole`), 国庆后 (`after`: the first day after the holidays), 初八 (`shift`)."""

    festival: str
    whole: bool = False
    after: bool = False
    shift: int = 0
    years: int | None = None

    @property
    def ongoing(self) -> bool:  # type: ignore[override]
        return True

    @property
    def single(self) -> bool:
        """Whether the festival is one day only."""
        return festivals()[self.festival].days == 1

    def spans(self, today: date) -> list[DaySpan]:
        festival = festivals()[self.festival]
        found = []
        for first in festival.coming(today):
            if self.years is not None and first.year != today.year + self.years:
                continue
            if self.after:
                found.append(_days(first + timedelta(days=festival.days)))
            elif self.whole:
                found.append(_days(first, festival.days))
            else:
                found.append(_days(first + timedelta(days=self.shift)))
        return [span for span in found if span.end > today]


@dataclass(frozen=True)
class NewYearOrMonthDay(DayRule):
    """十五, 十六: counted from New Year's Day by the moon between it and the Lantern Festival, else of the month."""

    day: int
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        for first in festivals()["spring"].coming(today):
            if first <= today and 10 <= self.day:
                return [_days(first + timedelta(days=self.day - 1))]
        since = [day for day in festivals()["spring"].coming(today - timedelta(days=8)) if day <= today]
        if since:
            return [_days(since[0] + timedelta(days=self.day - 1))]
        return MonthDay(self.day).spans(today)


@dataclass(frozen=True)
class AfterHoliday(DayRule):
    """节后: the first day after the next public holiday."""

    def spans(self, today: date) -> list[DaySpan]:
        public = [festival for festival in festivals().values() if festival.public]
        ends = [first + timedelta(days=f.days) for f in public for first in f.coming(today)]
        return [_days(min(ends))] if ends else []


@dataclass(frozen=True)
class Between(DayRule):
    """From one day expression to another: 周一到周三."""

    first: DayRule
    last: DayRule

    @property
    def ongoing(self) -> bool:  # type: ignore[override]
        return self.first.ongoing

    def spans(self, today: date) -> list[DaySpan]:
        found = []
        for start in self.first.spans(today):
            anchor = start.start if isinstance(self.last, (Weekday, MonthDay)) else today
            ends = [span.end for span in self.last.spans(anchor) if span.end > start.start]
            if ends:
                found.append(DaySpan(start.start, ends[0], DAY))
        return found


@dataclass(frozen=True)
class After(DayRule):
    """周三以后, 5号以后: from the day after on (too late is better than too early)."""

    day: DayRule

    def spans(self, today: date) -> list[DaySpan]:
        return [_days(span.end) for span in self.day.spans(today)]


@dataclass(frozen=True)
class Before(DayRule):
    """周五之前, 月底前: from now until the day begins."""

    day: DayRule
    ongoing = True

    def spans(self, today: date) -> list[DaySpan]:
        spans = self.day.spans(today)
        if isinstance(self.day, Month) and (self.day.part in ("底", "末") or self.day.closing):
            return [DaySpan(today, spans[0].end, DAY)] if spans else []
        if isinstance(self.day, Month) and self.day.part is None and spans and spans[0].start <= today:
            return []  # it has begun, nobody means next year's
        return [DaySpan(today, span.start, DAY) for span in spans if span.start > today]
