"""Where a talk stands. One JSON object, kept by Rasa's tracker in the slot `talk`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

CONSENT = "consent"
IDENTITY = "identity"
RESUME = "resume"
CALLBACK = "callback"
OFFER = "offer"
THIRD_PERSON = "third_person"
COMPLAINT = "complaint"
LANDLINE = "landline"
OTHER_USER = "other_user"
OTHER_NAME = "other_name"
LISTENING = "listening"
END = "end"
REASON = "reason:"
IMPROVE = "improve:"
QUESTION = "question:"


@dataclass
class TalkState:
    """All a later turn needs to know of the earlier ones."""

    case_id: str
    script_id: str
    variables: dict[str, Any]
    """Customer name, title and the script's variables, ready to fill sentences."""
    open: str = CONSENT
    """The open item: one of the constants above, or `question:<id>`, `reason:<id>`, `improve:<id>`."""
    values: dict[str, Any] = field(default_factory=dict)
    """question id or flag -> value; None when passed without an answer."""
    words: dict[str, str] = field(default_factory=dict)
    """question id -> the customer's words."""
    order: list[str] = field(default_factory=list)
    """Question ids in the order in which they were answered or passed."""
    ahead: list[str] = field(default_factory=list)
    """Questions answered before their turn, whose ticket or ending is still to come."""
    told: list[str] = field(default_factory=list)
    """`tell` and `compute` steps already said."""
    unclear: dict[str, int] = field(default_factory=dict)
    """open item -> how often it was not understood."""
    counts: dict[str, int] = field(default_factory=dict)
    """What may happen only so often: abuse, objection, silence, asked_when, skip:<id>."""
    lead: list[str] = field(default_factory=list)
    """Sentences to say before the next question or the closing."""
    simpler: bool = False
    """Ask the open item in simpler words this time."""
    short: bool = False
    """Ask it without its introduction this time: it was said already."""
    quiet: bool = False
    """Do not ask the open item this time: the customer asked to wait."""
    waiting: bool = False
    """The customer asked to wait and has not been back yet."""
    asked_before: bool = False
    """The open item was asked before and something came between: lead back to it."""
    outcome: str = ""
    outcome_reason: str = ""
    closing: str = ""
    """A closing sentence that takes the place of the outcome's own."""
    callback_at: str = ""
    """ISO time of the booked call-back; empty when none."""
    callback_reason: str = ""
    our_time: bool = False
    """The time of the call-back is our own choice: the customer agreed to none."""
    offered: str = ""
    """ISO time offered to the customer, waiting for yes or no."""
    resume_at: str = ""
    """The item that was open when the talk was put off."""
    last_at: str = ""
    """ISO time of the customer's last message."""
    now: str = ""
    """ISO time of this turn, for greetings and seasons."""

    @classmethod
    def from_slot(cls, slot: Mapping[str, Any]) -> "TalkState":
        """The state kept in the slot. Unknown keys of an older version are dropped."""
        known = {name: slot[name] for name in cls.__dataclass_fields__ if name in slot}
        return cls(**known)

    def to_slot(self) -> dict[str, Any]:
        """A JSON object for the slot; what is at its default is left out, so that tracker events stay small."""
        blank = TalkState(case_id="", script_id="", variables={})
        return {k: v for k, v in asdict(self).items() if v != getattr(blank, k) or k == "open"}

    @property
    def over(self) -> bool:
        """True when an outcome is reached."""
        return bool(self.outcome)

    @property
    def question_id(self) -> str:
        """Question that the open item belongs to; empty for consent and the like."""
        for prefix in (QUESTION, REASON, IMPROVE):
            if self.open.startswith(prefix):
                return self.open.removeprefix(prefix)
        return ""

    def count(self, name: str) -> int:
        """Count one more `name`; returns how many there are now."""
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]

    def keep(self, question_id: str, value: Any, words: str) -> None:
        """Keep a value; a question answered again keeps its latest place in the order."""
        self.values[question_id] = value
        self.words[question_id] = words
        if question_id in self.order:
            self.order.remove(question_id)
        self.order.append(question_id)
