"""One turn: the script, where the talk stands, what was said, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from followup.dialogue.effects import Effect, Outcome, SetOutcome
from followup.dialogue.reply import Reply
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording
from followup.nlu import NOT_UNDERSTOOD_BELOW
from followup.reading import Asked, Heard, Reading, read
from followup.scripts.model import Script


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
        return read(asked, heard(reply))


def heard(reply: Reply) -> Heard:
    """The reader's view of a reply. A guessed intent is not passed on, neither as leading nor as an act."""
    acts = tuple((act.base, act.text) for act in reply.acts if act.confidence >= NOT_UNDERSTOOD_BELOW)
    return Heard(reply.text, reply.base if reply.sure else "", acts, reply.at)
