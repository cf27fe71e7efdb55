"""What a campaign 回访任务 is made of. Pure data; `parse.py` builds it from the form and says in Chinese what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

EARLIEST, LATEST = time(8, 30), time(21)
"""No campaign reaches outside these, whatever its windows say (8035c; platforms' own hours)."""


UNFINISHED = "unfinished"
"""The kind of the message to a customer who went away before the end."""


class Late(StrEnum):
    """What happens to a contact whose time had passed before the customer was known to us."""

    NOW = "now"
    """At the next opportunity, while the deadline lasts."""
    SKIP = "skip"
    TELL = "tell"
    """Left to a colleague: it appears in the ledger as late, and staff are told."""


class Unit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Amount:
    """A length of time on the calendar: 1 month after 31 January is the last of February."""

    number: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Rule:
    """One contact of the campaign, relative to a date of the customer (D "when").

    `after` 0 hours and `evening` False: as soon as the date has come. A customer without the date is suppressed.
    """

    id: str
    """Short and lasting: the ledger names its rows by it ("3天", "3周")."""
    date_field: str
    """The customer's column that holds the date, e.g. 签收日期; empty: the campaign's own start."""
    after: Amount = Amount(0, Unit.HOURS)
    evening: bool = False
    """The same evening: the last window of that day, from 17:00."""
    latest: Amount | None = None
    """8-15 days: any day between `after` and this one. Also the deadline when `deadline` is not given."""
    deadline: Amount | None = None
    """Counted from the due time; nobody is contacted later. None: two weeks."""
    every: int = 0
    """Again every so many months; 0: once."""
    times: int = 0
    """At most so many of them; 0: as long as the campaign runs."""
    late: Late = Late.NOW


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year by month and day, both ends included; may run over the new year (winter hours)."""

    first: tuple[int, int]
    last: tuple[int, int]

    def holds(self, day: date) -> bool:
        at = (day.month, day.day)
        return self.first <= at <= self.last if self.first <= self.last else at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the day in which customers may be contacted 可联系时段: from `begin`, before `end`."""

    begin: time
    end: time
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    """1 Monday to 7 Sunday; weekend days worked in exchange for a holiday count as Monday to Friday."""
    season: Season | None = None
    """None: all the year."""


DEFAULT_WINDOWS = (Window(time(10), time(11, 30)), Window(time(15), time(17, 30)))
"""The best hours by the documents (8035c, 63714)."""


@dataclass(frozen=True, slots=True)
class Hours:
    """All windows of a campaign."""

    windows: tuple[Window, ...] = DEFAULT_WINDOWS
    holidays: bool = False
    """Also on public holidays."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A customer belongs when this column holds one of these values (text, compared as written)."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who the campaign is about. Groups and conditions must all hold; no groups: everybody."""

    groups: tuple[str, ...] = ()
    """One of these."""
    without_groups: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    imports: tuple[int, ...] = ()
    """Only customers of these imported files."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """A share of the audience: the first stratum one of whose groups the customer is in counts; no groups: the rest."""

    name: str
    groups: tuple[str, ...]
    share: float
    """0 to 1; 1: all of them (key customers, 58741)."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many are drawn 抽样. The documents ask for all key customers and at least 30 % of ordinary ones (58741)."""

    strata: tuple[Stratum, ...] = (Stratum("全部客户", (), 1.0),)
    top_up: bool = False
    """Draw another customer of the stratum for each one drawn who cannot be reached."""


@dataclass(frozen=True, slots=True)
class Again:
    """Once more for one reason: how often, and how long after the last time. `times` 0: never."""

    times: int = 0
    interval: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Retry:
    """What is done again, by the reason why there was no talk. The first three: the customer has not opened it."""

    times: int = 1
    """After the first contact on a channel; 0: once only."""
    interval: timedelta = timedelta(days=1)
    expires: timedelta = timedelta(days=7)
    """How long the link stays open after the last contact; then the customer counts as not reached."""
    not_delivered: Again = Again()
    """The message could not be delivered for the moment: again on the same channel, so often on each, before the next one."""
    unfinished: Again = Again()
    """The customer opened the talk and went away before its end: asked to go on. Counted from when they were last heard."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole campaign."""

    script_id: str
    rules: tuple[Rule, ...]
    audience: Audience = Audience()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Script variable -> a fixed text, or "{column}" of the customer."""
    hours: Hours = Hours()
    sampling: Sampling = Sampling()
    retry: Retry = Retry()
    channels: tuple[str, ...] = ("sms",)
    """In this order; the next one when the customer cannot be reached by, or has not agreed to, the one before."""
    priority: int = 5
    """1 first, 9 last, when more is due than may be sent."""
    per_minute: int = 60
    """Contacts the campaign makes in a minute at most."""
    starts_on: date | None = None
    ends_on: date | None = None
    """The last day on which a customer is contacted."""
    keep_days: int = 0
    """For how many days the content of its talks is kept, where that is shorter than the installation's; 0: as long as there."""
