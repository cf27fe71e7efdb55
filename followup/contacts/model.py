"""What a customer list is made of: customers, rows that cannot be taken, and how the file is to be understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from followup.contacts.columns import Use


class RowError(ValueError):
    """A row that cannot be taken. `field` is the part it is about, `str()` the reason in Chinese."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """The customer agreed to a channel, or took it back. `at`: ISO text, empty where nobody wrote it."""

    channel: str
    given: bool
    source: str
    text_version: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class NewContact:
    """One customer of the file. `title` is 先生, 女士 or empty; `fields` holds the other columns by their header.

    `phone`, `email`, `external_id`, `openid` are empty where there is none; one of them is there.
    """

    line: int
    name: str
    title: str
    phone: str
    fields: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    external_id: str = ""
    openid: str = ""
    groups: tuple[str, ...] = ()
    consents: tuple[GivenConsent, ...] = ()
    stop: str = ""
    """Why the file itself says that the customer must not be contacted; empty: it does not."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A row that is not taken, yet says that its customer must not be contacted: that counts all the same."""

    line: int
    reason: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not taken, and why; `line` counts from 1, the header included."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"第 {self.line} 行：{self.reason}"


@dataclass(frozen=True, slots=True)
class ContactsFile:
    """What a file holds. `merged` counts rows that were merged into an earlier row of the same customer."""

    contacts: tuple[NewContact, ...]
    bad: tuple[BadRow, ...]
    merged: int
    stops: tuple[Stop, ...] = ()
    """Of the bad rows those that say that somebody must not be contacted."""

    @property
    def stopped(self) -> int:
        """How many go on the do-not-contact list."""
        return sum(1 for one in self.contacts if one.stop) + len(self.stops)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What staff say about the whole file: these channels were agreed to, where, and to which text."""

    channels: tuple[str, ...] = ()
    source: str = ""
    text_version: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """How a file is to be understood."""

    uses: tuple[Use, ...]
    groups: tuple[str, ...] = ()
    """Given to every customer of the file."""
    agreed: Agreed = Agreed()
