"""A customer's entries in a campaign: every rule's contacts, with their times or the reason why there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from dateutil.relativedelta import relativedelta

from followup.campaigns.definition import Definition, Hours, Late, Rule, Unit
from followup.campaigns.schedule import Base, due_at, read_base
from followup.campaigns.windows import next_open
from followup.settings import SHANGHAI

HORIZON = timedelta(days=45)
"""Repeated contacts are written into the plan this long before they are due; the first to come always, or nobody would stand in
the ledger before it."""
_GRACE = timedelta(hours=2)
"""A contact due by the hour is late only after this; one due on a day when the day is over."""
_NEVER_REACHED = 10_000

NO_DATE, NO_OPENING, AFTER_END = "no_date", "no_opening", "after_end"
LATE_SKIPPED, LATE_TOLD, PAST_DEADLINE = "late_skipped", "late_told", "past_deadline"


@dataclass(frozen=True, slots=True)
class Customer:
    """What planning knows of a contact."""

    contact_id: int
    groups: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One row of the ledger before anything happened. `state`: waiting, suppressed or late (with `reason`)."""

    contact_id: int
    rule: str
    occurrence: int
    base_at: datetime | None
    due_at: datetime | None
    not_after: datetime | None
    next_at: datetime | None
    """When the dispatcher looks at it; only while waiting."""
    state: str
    reason: str = ""


def plan(
    definition: Definition, customer: Customer, now: datetime, started_at: datetime, spread: float = 0.0
) -> list[PlannedEntry]:
    """Every contact that is due by `now` + 45 days, and of each rule at least one: who has none would be drawn again and again.

    `started_at`: of the campaign, the base of rules without a column.
    """
    return [entry for rule in definition.rules for entry in _of_rule(definition, rule, customer, now, started_at, spread)]


def _of_rule(
    definition: Definition, rule: Rule, customer: Customer, now: datetime, started_at: datetime, spread: float
) -> Iterator[PlannedEntry]:
    base = read_base(customer.fields.get(rule.date_field, "")) if rule.date_field else Base(started_at, has_time=True)
    if base is None:
        yield PlannedEntry(customer.contact_id, rule.id, 0, None, None, None, None, "suppressed", NO_DATE)
        return
    for number, occurrence in enumerate(_occurrences(rule, base, definition.hours, now)):
        entry = _entry(definition, rule, customer, base, occurrence, now, spread)
        if number and entry.due_at is not None and entry.due_at > now + HORIZON:
            return
        yield entry


def _occurrences(rule: Rule, base: Base, hours: Hours, now: datetime) -> Iterator[int]:
    """Of a repeated rule: from the first one whose deadline is not over, or the last there is; earlier ones are long past."""
    if not rule.every:
        yield 0
        return
    last = rule.times - 1 if rule.times else _NEVER_REACHED
    reach = due_at(rule, base, hours).not_after - base.at
    since = relativedelta(now - reach, base.at)
    # A month too few, because months differ in length; the loop makes up for it.
    number = min(max((since.years * 12 + since.months - 1) // rule.every, 0), last)
    while number < last and due_at(rule, base, hours, number).not_after <= now:
        number += 1
    yield from range(number, last + 1)


def _entry(
    definition: Definition, rule: Rule, customer: Customer, base: Base, occurrence: int, now: datetime, spread: float
) -> PlannedEntry:
    due = due_at(rule, base, definition.hours, occurrence, spread)
    at, state, reason = due.due_at, "waiting", ""
    if at is not None and definition.starts_on is not None:
        at = next_open(definition.hours, max(at, datetime.combine(definition.starts_on, time(), SHANGHAI)))
    next_at = at
    if at is None or at >= due.not_after:
        state, reason = "suppressed", NO_OPENING
    elif definition.ends_on is not None and at.date() > definition.ends_on:
        state, reason = "suppressed", AFTER_END
    elif _is_late(rule, at, now):
        next_at = next_open(definition.hours, now)
        if rule.late is Late.SKIP:
            state, reason = "late", LATE_SKIPPED
        elif rule.late is Late.TELL:
            state, reason = "late", LATE_TOLD
        elif next_at is None or next_at >= due.not_after:
            state, reason = "late", PAST_DEADLINE
    if state != "waiting":
        next_at = None
    return PlannedEntry(
        customer.contact_id, rule.id, occurrence, base.at, due.due_at, due.not_after, next_at, state, reason
    )


def _is_late(rule: Rule, at: datetime, now: datetime) -> bool:
    if rule.after.unit is Unit.HOURS and not rule.evening:
        return at + _GRACE < now
    return at.date() < now.astimezone(SHANGHAI).date()
