"""Which talks are counted, and how: read from an address, written into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from followup.console.figures import facts
from followup.console.transcripts.filters import TalkFilters, read_filters

FIGURES = "/console/figures"
STEPS = ("day", "week", "month")
_DAYS = 30
_MOST_DAYS, _MOST_WEEKS = 31, 190


@dataclass(frozen=True, slots=True)
class FigureFilters:
    """The talks of a period, and what they are divided by."""

    talks: TalkFilters
    """Script, days, group and staff, demonstrations: the base of every figure's link."""
    step: str = "day"
    """day | week | month: what the trend counts by."""
    by: str = ""
    """A column of the customer list to divide by; empty: the first that suits."""
    who: str = ""
    """A variable of the talks to divide by; empty: the first that suits."""

    @property
    def first(self) -> date:
        assert self.talks.first is not None
        return self.talks.first

    @property
    def last(self) -> date:
        assert self.talks.last is not None
        return self.talks.last

    @property
    def with_demo(self) -> bool:
        return self.talks.demo == ""

    def list(self, **more: Any) -> str:
        """The list of exactly those of the talks for which `more` holds too. A given script tells who began."""
        return replace(self.talks, **more).link()

    def pairs(self) -> list[tuple[str, str]]:
        """What stands in the page's own address."""
        pairs = [
            (name, value)
            for name, value in self.talks.pairs()
            if name in ("script", "first", "last", "group", "named", "starts", "campaign")
        ]
        pairs += [(name, value) for name, value in (("step", self.step), ("by", self.by), ("who", self.who)) if value]
        return pairs + ([("demo", "1")] if self.with_demo else [])

    def link(self, path: str = FIGURES) -> str:
        return f"{path}?{urlencode(self.pairs())}"


def read(query: Mapping[str, str], today: date) -> FigureFilters:
    """The filters of an address; what cannot be read counts as not given. Without days: thirty days."""
    given = read_filters(query)
    last = given.last or today
    first = given.first or last - timedelta(days=_DAYS - 1)
    if first > last:
        first, last = last, first
    last = min(last, first + timedelta(days=366 * 5))
    script = "" if given.script == "all" else given.script
    talks = TalkFilters(
        script=script,
        first=first,
        last=last,
        group=given.group if facts.pair(given.group) else "",
        named=given.named if facts.pair(given.named) else "",
        campaign=given.campaign,
        # Who comes to us was not invited: enquiries are counted when they are asked for.
        starts=given.starts or ("" if script else "us"),
        demo="" if query.get("demo") in ("1", "on") else "no",
    )
    step = query.get("step", "")
    return FigureFilters(
        talks,
        step if step in STEPS else _step(first, last),
        query.get("by", "").replace("\0", "").strip()[:80],
        query.get("who", "").replace("\0", "").strip()[:80],
    )


def _step(first: date, last: date) -> str:
    """What suits a period: some thirty points at most."""
    days = (last - first).days + 1
    return "day" if days <= _MOST_DAYS else "week" if days <= _MOST_WEEKS else "month"


def begin_of(day: date, step: str) -> date:
    """The first day of the week (Monday) or month that a day is in; the day itself."""
    return day - timedelta(days=day.weekday()) if step == "week" else day.replace(day=1) if step == "month" else day


def end_of(begin: date, step: str) -> date:
    """The last day of what begins with `begin`."""
    if step == "week":
        return begin + timedelta(days=6)
    return (begin + timedelta(days=32)).replace(day=1) - timedelta(days=1) if step == "month" else begin


def between(first: date, last: date, step: str) -> list[date]:
    """The beginnings of all days, weeks or months of a period, so that empty ones are seen too."""
    found, at = [], begin_of(first, step)
    while at <= last:
        found.append(at)
        at = end_of(at, step) + timedelta(days=1)
    return found
