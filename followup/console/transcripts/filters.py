"""Which talks are wanted: read from an address, written into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

TALKS = "/console/talks"
SORTS = ("latest", "oldest", "begun", "customer")
FLAGS = ("complaint", "ticket", "unsure", "corrected", "dissatisfied")
NO_ANSWER = "none"
"""`answer=none`: the question was asked and passed."""
SAID_SOMETHING = "given"
"""`answer=given`: something was said to the (open) question."""
OF_FIGURES = ("starts", "reached", "why", "stopped", "length", "said", "wait", "reply", "group", "named", "aspect")
"""Filters that only figures link to; what they mean: console.figures.facts."""
_LONGEST = 200
_MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class TalkFilters:
    """Every part is empty when it does not matter; all that are given must hold.

    The names are those of the address, so that other pages can link: `talks_link(script="fruit_order", outcome="refused")`.
    """

    q: str = ""
    """Words that must occur in the messages, of either side."""
    customer: str = ""
    """Part of the name or the number."""
    script: str = ""
    first: date | None = None
    last: date | None = None
    """Days in Shanghai, both included, counted as the figures count them (`store.figures.held_between`)."""
    outcome: str = ""
    """An outcome; `none`: there is none yet."""
    reason: str = ""
    status: str = ""
    intent: str = ""
    channel: str = ""
    demo: str = ""
    """yes | no"""
    question: str = ""
    answer: str = ""
    """Talks in which `question` was answered with this value (true, false for yes and no; `none`: passed;
    `given`: anything)."""
    contact: int | None = None
    """A customer's id: their talks and the enquiries that name their number."""
    complaint: bool = False
    ticket: bool = False
    unsure: bool = False
    corrected: bool = False
    dissatisfied: bool = False
    """An answer is dissatisfaction: 不满意, 非常不满意, a score below 5 of 10."""
    starts: str = ""
    """us | customer: who began."""
    reached: str = ""
    """opened | replied | silent: opened and nothing said | unopened"""
    why: str = ""
    """The kind of reason for which it came to nothing, see figures/reasons.yml."""
    stopped: str = ""
    """The question behind which it broke off; `none`: before any was answered."""
    length: str = ""
    said: str = ""
    wait: str = ""
    reply: str = ""
    """Ranges, by their keys: how long the talk took, how many messages the customer wrote, until it was opened,
    until the customer's first words."""
    group: str = ""
    """`column:value` of the customer list, e.g. 客户类别:VIP."""
    named: str = ""
    """`variable:value` of the talk, e.g. station:城东服务站."""
    aspect: str = ""
    """An aspect (price, service, …) named in what the customer was dissatisfied with."""
    campaign: str = ""
    """A campaign's id: the talks it made."""
    sort: str = SORTS[0]

    @property
    def words(self) -> list[str]:
        """The single words searched for."""
        return self.q.split()[:_MOST_WORDS]

    @property
    def any(self) -> bool:
        """Whether anything is filtered at all."""
        return replace(self, sort=SORTS[0]) != TalkFilters()

    def pairs(self) -> list[tuple[str, str]]:
        """What stands in the address: only what is given."""
        return [(name, _written(value)) for name, value in asdict(self).items() if value and (name, value) != ("sort", SORTS[0])]

    def link(self, path: str = TALKS) -> str:
        """`path` with these filters."""
        pairs = self.pairs()
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read_filters(query: Mapping[str, str], *, personal: bool = True) -> TalkFilters:
    """The filters of an address. What cannot be read counts as not given: an old or mistyped link still shows a list.

    `personal` False: for staff to whom names are masked; they neither search nor sort by them.
    """
    values: dict[str, Any] = {}
    for one in fields(TalkFilters):
        text = query.get(one.name, "").replace("\0", "").strip()[:_LONGEST]
        if one.name in ("first", "last"):
            values[one.name] = _day(text)
        elif one.name == "contact":
            values[one.name] = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
        elif one.name in FLAGS:
            values[one.name] = text in ("1", "on")
        else:
            values[one.name] = text
    values["sort"] = values["sort"] if values["sort"] in SORTS else SORTS[0]
    campaign = values["campaign"]
    values["campaign"] = campaign if campaign.isascii() and campaign.isdigit() and len(campaign) < 18 else ""
    values["demo"] = values["demo"] if values["demo"] in ("yes", "no") else ""
    if not personal:
        values["customer"], values["contact"], values["group"], values["named"] = "", None, "", ""
        values["sort"] = SORTS[0] if values["sort"] == "customer" else values["sort"]
    return TalkFilters(**values)


def talks_link(**wanted: Any) -> str:
    """The address of the list with these filters, for figures and other pages. TypeError for an unknown one."""
    return TalkFilters(**wanted).link()


def talk_link(case_id: str, filters: TalkFilters | None = None) -> str:
    """The address of one talk; with `filters`, next and previous go through that list."""
    path = f"{TALKS}/{case_id}"
    return filters.link(path) if filters else path


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2999 else None


def _written(value: Any) -> str:
    return "1" if value is True else str(value)
