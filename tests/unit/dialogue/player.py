"""Plays a talk without Rasa: what data/rules.yml and actions/talk.py do, with the understanding given by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from followup.dialogue import state as st
from followup.dialogue.after import after, resume
from followup.dialogue.effects import Effect, StoreAnswer
from followup.dialogue.finish import close
from followup.dialogue.hear import hear
from followup.dialogue.interrupt import respond
from followup.dialogue.items import ask
from followup.dialogue.reply import Act, Reply
from followup.dialogue.silence import fall_silent
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.scripts.load import load_script
from followup.settings import SHANGHAI

_script = lru_cache(load_script)
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)


@dataclass
class Player:
    """One talk; `said` is what the bot said last, `effects` everything that would have been written."""

    script_id: str
    now: datetime = MONDAY
    effects: list[Effect] = field(default_factory=list)
    said: str = ""
    buttons: tuple[str, ...] = ()
    messages: int = 0

    def __post_init__(self) -> None:
        self.script = _script(self.script_id)
        variables = {**self.script.demo_variables(), "customer": "张", "title": "女士"}
        opening = st.IDENTITY if self.script.identity_ask else st.CONSENT
        self.state = TalkState("0" * 32, self.script_id, variables, open=opening)
        self._ask()

    def say(self, text: str, intent: str, *more: tuple[str, str], confidence: float = 0.95) -> str:
        """The customer says `text`, meant as `intent`; `more` are (intent, clause) for a reply of several acts."""
        self.messages += 1
        self.now += timedelta(seconds=20)
        acts = tuple(Act(name, confidence, clause) for name, clause in more) or (Act(intent, confidence, text),)
        reply = Reply(text, intent, confidence, acts, self.now, self.messages)
        self.state = TalkState.from_slot(self.state.to_slot())  # as it goes through the tracker
        turn = Turn(self.script, self.state, reply)
        if self.state.over:
            return self._after(turn)
        verdict = hear(turn)
        if verdict is Verdict.INTERRUPTED:
            respond(turn)
        return self._go(turn)

    def silence(self) -> str:
        """Nobody answered for a while."""
        turn = Turn(self.script, self.state, Reply("/silence", "silence", 1.0, (), self.now, 0))
        fall_silent(turn)
        return self._go(turn)

    def resume(self) -> str:
        """The call-back is due."""
        resume(self.script, self.state)
        return self._ask()

    @property
    def answers(self) -> dict[str, object]:
        """question id -> the last value stored."""
        return {e.question_id: e.value for e in self.effects if isinstance(e, StoreAnswer)}

    def effects_of(self, kind: type) -> list[Effect]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def _go(self, turn: Turn) -> str:
        self.effects.extend(turn.effects)
        if self.state.over:
            self.said, self.buttons = close(self.script, self.state, self.now), ()
            return self.said
        return self._ask()

    def _after(self, turn: Turn) -> str:
        goes_on = after(turn)
        self.effects.extend(turn.effects)
        if goes_on:
            resume(self.script, self.state, agreed=True)
            return self._ask()
        self.said, self.state.lead = "".join(self.state.lead), []
        return self.said

    def _ask(self) -> str:
        said = ask(self.script, self.state)
        self.said, self.buttons = said.text, said.buttons
        return self.said
