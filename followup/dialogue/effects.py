"""What a reply changes outside the talk: facts to be written, free of any database.

The dialogue returns a list of these; `followup.store.records.apply` writes them, idempotent by
(case, topic or question, message).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Union


class Outcome(StrEnum):
    """How a talk ended (design: Words)."""

    COMPLETED = "completed"
    APPOINTED = "appointed"
    REFUSED = "refused"
    DO_NOT_CONTACT = "do_not_contact"
    WRONG_PERSON = "wrong_person"
    UNREACHABLE = "unreachable"
    HANDED_OVER = "handed_over"
    ENDED_EARLY = "ended_early"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class StoreAnswer:
    """One answer. A later answer to the same question supersedes the earlier one, which is kept."""

    question_id: str
    value: Any
    """JSON value; None when the question was skipped or stayed unclear."""
    text: str
    """The customer's own words."""
    how: str
    """How it was read, e.g. `scale3:word`, `skipped`, `unclear`, `corrected`."""


@dataclass(frozen=True)
class RaiseTicket:
    """A ticket 工单, one per (case, topic); raised again it takes the new reason in, it does not double."""

    topic: str
    kind: str
    """complaint | dissatisfaction | compensation | request | question"""
    severity: int
    """1 (gravest) to 4."""
    department: str
    reason: str
    """The customer's own words."""
    data: dict[str, Any] = field(default_factory=dict)
    """Computed facts, e.g. the compensation of spoiled fruit."""


@dataclass(frozen=True)
class WithdrawTicket:
    """The customer corrected the answer that a ticket came from: it is closed, with the words that took it back."""

    topic: str
    reason: str


@dataclass(frozen=True)
class BookCallback:
    """A call-back 预约回访. `at` is None while the customer has not said when."""

    at: datetime | None
    reason: str
    words: str
    confirmed: bool = False


@dataclass(frozen=True)
class SetOutcome:
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Reopen:
    """The customer takes the talk up again: the case is open, a new attempt begins."""


@dataclass(frozen=True)
class StopContact:
    """Put the customer on the do-not-contact list 免打扰名单, effective before the next send."""

    words: str


@dataclass(frozen=True)
class TakeNote:
    """Something for a colleague: a question nobody may guess at, an unclear answer, another person's number."""

    kind: str
    """unclear | colleague_question | third_contact | handover | abuse | correction"""
    text: str
    topic: str = ""


@dataclass(frozen=True)
class IdentifyCustomer:
    """What a visitor without a link says of themselves. Anybody can type a number: it opens nothing, it points staff."""

    phone: str = ""
    name: str = ""


Effect = Union[StoreAnswer, RaiseTicket, WithdrawTicket, BookCallback, SetOutcome, Reopen, StopContact, TakeNote, IdentifyCustomer]
