"""Which tickets are wanted: read from an address, written into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from urllib.parse import urlencode

TICKETS = "/console/tickets"
STATUSES = ("open", "working", "solved", "closed")
ALL = "all"
MINE, NOBODY = "mine", "nobody"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class TicketFilters:
    """Every part is empty when it does not matter; all that are given must hold."""

    q: str = ""
    """Number of the ticket, or part of the customer's words, the solution, the customer's name or number."""
    status: str = ""
    """Empty: not closed yet; `all`; or a status."""
    department: str = ""
    severity: int | None = None
    kind: str = ""
    owner: str = ""
    """`mine`, `nobody`, or somebody's id."""
    overdue: bool = False
    first: date | None = None
    last: date | None = None
    """Days in Shanghai on which the ticket was raised, both included."""

    @property
    def any(self) -> bool:
        return self != TicketFilters()

    def pairs(self) -> list[tuple[str, str]]:
        """What stands in the address: only what is given."""
        return [(name, "1" if value is True else str(value)) for name, value in asdict(self).items() if value]

    def link(self, path: str = TICKETS, **changed: object) -> str:
        """`path` with these filters, some of them changed."""
        pairs = replace(self, **changed).pairs()  # type: ignore[arg-type]
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read_filters(query: Mapping[str, str]) -> TicketFilters:
    """The filters of an address; what cannot be read counts as not given."""

    def text(name: str) -> str:
        return query.get(name, "").replace("\0", "").strip()[:_LONGEST]

    severity, owner, status = text("severity"), text("owner"), text("status")
    return TicketFilters(
        q=text("q"),
        status=status if status in (*STATUSES, ALL) else "",
        department=text("department"),
        severity=int(severity) if severity in ("1", "2", "3", "4") else None,
        kind=text("kind"),
        owner=owner if owner in (MINE, NOBODY) or _is_id(owner) else "",
        overdue=text("overdue") in ("1", "on"),
        first=_day(text("first")),
        last=_day(text("last")),
    )


def ticket_link(ticket_id: int, anchor: str = "") -> str:
    """The address of one ticket."""
    return f"{TICKETS}/{ticket_id}" + (f"#{anchor}" if anchor else "")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2999 else None
