"""What figures are made of: talks with their valid answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followup.scripts.walk import NOTHING


@dataclass(frozen=True)
class Given:
    """The valid answer to one question; an answer that was corrected is not here."""

    value: Any
    """As stored: None when the question was passed, 无 when there was nothing to say."""
    words: str = ""
    """The customer's own."""

    @property
    def passed(self) -> bool:
        """The question was asked and not answered."""
        return self.value is None


@dataclass(frozen=True)
class TalkAnswers:
    """One talk of a script."""

    case_id: str
    customer: str
    """Name with title, e.g. 王强先生."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Given] = field(default_factory=dict)
    """By question id; `<question>.reason` and `<question>.improve` are what was said when probed."""
    at: datetime | None = None
    """When it ended, or was last spoken in."""

    def value(self, question_id: str) -> Any:
        """The value given; None when it was passed or never asked."""
        given = self.answers.get(question_id)
        return given.value if given is not None else None

    def text(self, question_id: str) -> str:
        """What was said to an open question; empty when nothing."""
        value = self.value(question_id)
        return "" if value in (None, NOTHING) else str(value)


def percent(part: float, whole: float) -> float | None:
    """Percent with one decimal, half up as an accountant rounds; None of nothing."""
    return int(part * 1000 / whole + 0.5) / 10 if whole else None


def shown_percent(value: float | None) -> str:
    """`66.7%`, `75%`, or a dash."""
    return "—" if value is None else f"{value:g}%"
