"""One turn: the script, where the talk stands, what was said, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from followup.dialogue.effects import Effect, Outcome, RaiseTicket, SetOutcome, TakeNote
from followup.dialogue.reply import TOLD_EARLY, Reply
from followup.dialogue.state import CONSENT, IDENTITY, OFFER, QUESTION, TalkState
from followup.dialogue.wording import Wording
from followup.nlu import NOT_UNDERSTOOD_BELOW
from followup.reading import Asked, Heard, Reading, read
from followup.scripts.model import DEPARTMENT, Script

_NAMES_A_DAY = re.compile(r"[今明后昨]|[周日号月年]|星期|礼拜|现在|马上|小时|钟头|分钟|刻钟|一会|晚点|稍后|节|[天周]后")


class Verdict(Enum):
    """What a reply was to the open item."""

    GO_ON = "go_on"
    """Taken, or to be asked again: the open item is asked next."""
    OVER = "over"
    """The talk has its outcome."""
    INTERRUPTED = "interrupted"
    """Not about the open item: a dialogue rule decides by the intent."""


@dataclass
class Turn:
    script: Script
    state: TalkState
    reply: Reply
    effects: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wording = Wording(self.script, self.state)

    def lead(self, path: str, **extra: object) -> None:
        """Say the sentence of the shared wording before whatever is asked or closed next."""
        self.state.lead.append(self.wording.say(path, **extra))

    def keep_told(self, text: str, kind: str = "enquiry", topic: str = "") -> None:
        """What was told beside the point is written down for a colleague, and said to be. `kind`: of the note."""
        self.effects.append(TakeNote(kind, text, topic=topic))
        self.lead("acknowledge.also_noted")
        self.told_early()

    def for_a_colleague(self, text: str, topic: str = "") -> None:
        """A question that only a colleague may answer: noted, and a ticket, since an answer is promised (58741 (3))."""
        self.effects.append(TakeNote("colleague_question", text, topic=topic))
        self.effects.append(RaiseTicket("question", "question", 4, self.script.questions_to, text))

    def passed_on(self, text: str) -> None:
        """What was said after the end: kept, brought before a colleague, and said to be."""
        self.effects.append(TakeNote("after", text))
        self.must_be_read(text)
        self.lead("after.passed_on")

    def must_be_read(self, text: str) -> None:
        """A colleague sees the words: on the ticket that this turn raised, or on one of their own."""
        if not any(isinstance(effect, RaiseTicket) for effect in self.effects):
            self.effects.append(RaiseTicket("after", "request", 4, DEPARTMENT, text))

    def told_early(self) -> int:
        """Something was told before the first question, if it was; how often by now."""
        return self.state.count(TOLD_EARLY) if self.state.open in (IDENTITY, CONSENT) else 0

    def end(self, outcome: Outcome, reason: str = "", closing: str = "") -> Verdict:
        """The talk ends with `outcome`; `closing` takes the place of the outcome's own sentence."""
        self.state.outcome = outcome
        self.state.outcome_reason = reason
        self.state.closing = closing
        self.effects.append(SetOutcome(outcome, reason))
        return Verdict.OVER

    def read(self, asked: Asked, reply: Reply | None = None) -> Reading | None:
        """What the reply (or a part of it) answers to `asked`."""
        reply = reply or self.reply
        if asked.type == "datetime" and (day := self._known_day(reply)) is not None:
            reply = replace(reply, at=max(day, reply.at))  # "三点吧" is three o'clock of the day that was spoken of
        return read(asked, heard(reply))

    def _known_day(self, reply: Reply) -> datetime | None:
        """The midnight of the day under discussion, when the reply names an hour and no day."""
        state = self.state
        if _NAMES_A_DAY.search(reply.text):
            return None
        if state.open == OFFER and state.offered:
            said = state.offered
        elif state.open.startswith(QUESTION):
            times = [v["start"] for v in state.values.values() if isinstance(v, Mapping) and v.get("precision") in ("day", "day_part")]
            said = times[-1] if times else ""
        else:
            said = ""
        return datetime.fromisoformat(said).replace(hour=0, minute=0, tzinfo=reply.at.tzinfo) if said else None


def heard(reply: Reply) -> Heard:
    """The reader's view of a reply. A guessed intent is not passed on, neither as leading nor as an act."""
    acts = tuple((act.base, act.text) for act in reply.acts if act.confidence >= NOT_UNDERSTOOD_BELOW)
    return Heard(reply.text, reply.base if reply.sure else "", acts, reply.at)
