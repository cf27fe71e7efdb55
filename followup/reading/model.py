"""What reading takes and gives: the open question, the reply, and what the reply answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

STRONG = "strong"
WEAK = "weak"

TYPES = (
    "choice", "scale3", "scale5", "score", "yes_no", "open", "number", "quantity_of",
    "datetime", "phone", "address", "name", "date", "confirm",
)


@dataclass(frozen=True)
class Option:
    """One option of a choice question: the stored value and other ways to say it."""

    value: str
    say: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """The open question, as far as reading needs it.

    `multiple` and `other` concern choices (`other`: free words are an answer of their own);
    `low` and `high` bound numbers and scores.
    """

    type: str
    options: tuple[Option, ...] = ()
    multiple: bool = False
    other: bool = False
    low: float | None = None
    high: float | None = None
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    """Words that mean yes or no to this question only, e.g. 齐全 and 缺货."""
    any_time: bool = False
    """Whether "随时都行" answers: to a question of the script it does; elsewhere it may be said of anything."""


@dataclass(frozen=True)
class Heard:
    """The reply: text as typed, its leading intent, its acts as (intent, words), when it was said (zone-aware)."""

    text: str
    intent: str = ""
    acts: tuple[tuple[str, str], ...] = ()
    reference: datetime | None = None


@dataclass(frozen=True)
class Reading:
    """What the reply answers.

    `value` is a JSON value, `how` names the rule that found it (e.g. "choice:synonym").
    `fit` is "strong" when the reply names the answer itself, "weak" when it could be something
    else, so that an interruption beats it.
    """

    value: Any
    how: str
    fit: str = STRONG
