"""What a talk leaves behind, kept in memory: the rules of followup.store.effects without a database.

That both keep the same is shown by the talks that are held both ways.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followup.dialogue.effects import (
    BookCallback,
    Effect,
    Outcome,
    RaiseTicket,
    Reopen,
    SetOutcome,
    StopContact,
    StoreAnswer,
    TakeNote,
    WithdrawTicket,
)
from followup.settings import SHANGHAI
from followup.store.due import due_at
from followup.store.records import TranscriptLine
from followup.talk.trial import TrialResult

_FINAL = (Outcome.COMPLETED, Outcome.REFUSED, Outcome.DO_NOT_CONTACT, Outcome.WRONG_PERSON)


@dataclass
class Notebook:
    """The records of one case."""

    outcome: str | None = None
    status: str = "new"
    blocked: bool = False
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    callback: tuple[int, dict[str, Any]] | None = None
    """(message id, what was booked)"""
    notes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    lines: list[TranscriptLine] = field(default_factory=list)

    def reopen(self) -> None:
        """The talk goes on, or begins."""
        if not self.blocked:
            self.status, self.outcome = "open", None

    def apply(self, message_id: int, effects: list[Effect], at: datetime) -> None:
        for effect in effects:
            match effect:
                case StoreAnswer():
                    if self.status != "open" and effect.question_id not in self.answers:
                        self.reopen()
                    value = json.loads(json.dumps(effect.value, ensure_ascii=False))
                    self.answers[effect.question_id] = {"value": value, "text": effect.text}
                case RaiseTicket():
                    self._raise(effect, at)
                case WithdrawTicket():
                    self.tickets.pop(effect.topic, None)
                case BookCallback():
                    when = effect.at.astimezone(SHANGHAI).isoformat() if effect.at else None
                    self.callback = message_id, {"at": when, "reason": effect.reason}
                case SetOutcome():
                    self.outcome = effect.outcome.value
                    self.status = "waiting" if effect.outcome == Outcome.APPOINTED else "closed"
                    if effect.outcome in _FINAL:
                        self.callback = None
                case Reopen():
                    self.reopen()
                case StopContact():
                    self.blocked, self.callback = True, None
                case TakeNote():
                    key = (effect.kind, effect.topic, message_id)
                    before = self.notes.get(key)
                    if before is None or effect.text not in before:
                        self.notes[key] = effect.text if before is None else f"{before}\n{effect.text}"

    def _raise(self, effect: RaiseTicket, at: datetime) -> None:
        known = self.tickets.get(effect.topic)
        if known is None:
            self.tickets[effect.topic] = {
                "kind": effect.kind,
                "severity": effect.severity,
                "department": effect.department,
                "due": due_at(at).isoformat(),
                "reason": effect.reason,
                "topic": effect.topic,
                "data": dict(effect.data),
            }
            return
        if effect.reason and effect.reason not in known["reason"].split("\n"):
            known["reason"] = "\n".join(part for part in (known["reason"], effect.reason) if part)
        known["department"] = effect.department
        if effect.severity < known["severity"]:
            known["severity"], known["kind"] = effect.severity, effect.kind
        known["data"] = {**known["data"], **effect.data}

    def result(self) -> TrialResult:
        return TrialResult(
            outcome=self.outcome,
            transcript=list(self.lines),
            answers=dict(self.answers),
            tickets=list(self.tickets.values()),
            callback=self.callback[1] if self.callback else None,
            notes=[{"kind": kind, "topic": topic, "text": text} for (kind, topic, _), text in self.notes.items()],
        )
