"""When a rule's contact is due, by the calendar (D "when"). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from followup.campaigns.definition import Amount, Hours, Rule, Unit
from followup.campaigns.windows import next_open
from followup.settings import SHANGHAI

EVENING = time(17)
DEADLINE = Amount(2, Unit.WEEKS)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Base:
    """The date a rule counts from. Without a time of day: what is due hours later waits until the next morning."""

    at: datetime
    has_time: bool


@dataclass(frozen=True, slots=True)
class Due:
    """`due_at`: the first moment inside the windows, None when they open too late. `not_after`: the deadline, exclusive."""

    due_at: datetime | None
    not_after: datetime


@lru_cache(maxsize=1 << 14)
def read_base(text: str) -> Base | None:
    """An ISO date or date and time, as the import writes them; Shanghai time when no zone is given."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    at = at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at.astimezone(SHANGHAI)
    return Base(at, has_time=len(text.strip()) > len("2026-03-05"))


def due_at(rule: Rule, base: Base, hours: Hours, occurrence: int = 0, spread: float = 0.0) -> Due:
    """When the contact is due, and until when it may be made.

    `occurrence` counts from 0; each is reckoned from the base, so the 31st comes back after February.
    `spread` (0 to 1, less than 1) says where in a span of days this customer's day lies.
    """
    # Of thousands of customers many share the day.
    return _due_at(rule, base, hours, occurrence, spread if rule.latest is not None else 0.0)


@lru_cache(maxsize=1 << 16)
def _due_at(rule: Rule, base: Base, hours: Hours, occurrence: int, spread: float) -> Due:
    rule, base = _occurrence(rule, base, rule.every * occurrence)
    wanted, deadline = _wanted(rule, base, spread)
    due = next_open(hours, wanted)
    return Due(due if due is not None and due < deadline else None, deadline)


def _occurrence(rule: Rule, base: Base, months: int) -> tuple[Rule, Base]:
    """The rule and the base of a contact so many months after the first."""
    if not months or rule.after.unit is not Unit.MONTHS:
        return rule, Base(_later(base.at, Amount(months, Unit.MONTHS)), base.has_time)
    # In one step: the 30th of November and four months is the 30th of March, by way of February it would be the 28th.
    latest = rule.latest and Amount(rule.latest.number + months, Unit.MONTHS)
    return replace(rule, after=Amount(rule.after.number + months, Unit.MONTHS), latest=latest), base


def _wanted(rule: Rule, base: Base, spread: float) -> tuple[datetime, datetime]:
    """The calendar-true moment, windows aside, and the deadline."""
    if rule.after.unit is Unit.HOURS and not rule.evening:
        start = base.at if base.has_time else _midnight(base.at.date() + _DAY)
        wanted = _later(start, rule.after)
    else:
        first = _later(base.at, rule.after).date()
        if rule.latest is not None:
            days = (_later(base.at, rule.latest).date() - first).days + 1
            first += timedelta(days=int(spread * days))
        wanted = datetime.combine(first, EVENING if rule.evening else time(), SHANGHAI)
        wanted = max(wanted, base.at)
    if rule.deadline is not None:
        return wanted, _end_of(_later(wanted, rule.deadline), rule.deadline)
    if rule.latest is not None:
        return wanted, _midnight(_later(base.at, rule.latest).date() + _DAY)
    return wanted, _end_of(_later(wanted, DEADLINE), DEADLINE)


def _later(at: datetime, amount: Amount) -> datetime:
    """Hours run by the clock; days, weeks and months by the calendar. (Shanghai has had no summer time since 1991.)"""
    if amount.unit is Unit.MONTHS:
        return at + relativedelta(months=amount.number) if amount.number else at
    return at + timedelta(**{amount.unit.value: amount.number})


def _end_of(at: datetime, amount: Amount) -> datetime:
    """A deadline of days holds until the end of its day; one of hours to the minute."""
    return at if amount.unit is Unit.HOURS else _midnight(at.date() + _DAY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
