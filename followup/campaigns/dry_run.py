"""Whom a campaign would contact when, before anything is sent. Pure.

Shows the first contact of each rule; reminders, call-backs and what other campaigns take of a customer's daily cap are not foreseen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from followup.campaigns.definition import Definition
from followup.campaigns.plan import Customer, PlannedEntry, plan
from followup.campaigns.sampling import Member, StratumDraw, draw, spread
from followup.campaigns.windows import stretches

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What a day of the calendar would bring."""

    day: date
    by_rule: dict[str, int]
    entries: tuple[PlannedEntry, ...]
    """In the order of their times."""
    room: int
    """How many contacts the campaign may make that day by its limit per minute."""

    @property
    def count(self) -> int:
        return sum(self.by_rule.values())


@dataclass(frozen=True, slots=True)
class DryRun:
    """`suppressed` counts contacts that will not be made, by reason; late ones among them."""

    customers: int
    draws: tuple[StratumDraw, ...]
    not_in_a_stratum: int
    days: tuple[Day, ...]
    suppressed: dict[str, int]

    @property
    def drawn(self) -> int:
        return sum(len(stratum.chosen) for stratum in self.draws)

    @property
    def contacts(self) -> int:
        return sum(day.count for day in self.days)


def dry_run(
    definition: Definition, customers: Iterable[Customer], now: datetime, seed: int, planned: Callable[[], None] = lambda: None
) -> DryRun:
    """As if the campaign were started at `now`. `planned` is called for each customer drawn: thousands take a while."""
    people = {customer.contact_id: customer for customer in customers}
    draws = draw(seed, definition.sampling.strata, [Member(c.contact_id, c.groups) for c in people.values()])
    by_day: dict[date, list[PlannedEntry]] = defaultdict(list)
    suppressed: Counter[str] = Counter()
    for stratum in draws:
        for contact_id in stratum.chosen:
            planned()
            for entry in plan(definition, people[contact_id], now, now, spread(seed, contact_id)):
                if entry.next_at is None:
                    suppressed[entry.reason] += 1
                else:
                    by_day[entry.next_at.date()].append(entry)
    in_a_stratum = sum(stratum.population for stratum in draws)
    days = tuple(_day(definition, day, entries) for day, entries in sorted(by_day.items()))
    return DryRun(len(people), draws, len(people) - in_a_stratum, days, dict(suppressed))


def _day(definition: Definition, day: date, entries: list[PlannedEntry]) -> Day:
    entries.sort(key=lambda entry: (entry.next_at, entry.contact_id))
    open_for = sum((closes - opens for opens, closes in stretches(definition.hours, day)), timedelta())
    room = int(open_for / _MINUTE) * definition.per_minute
    return Day(day, dict(Counter(entry.rule for entry in entries)), tuple(entries), room)
