"""Plays a talk without Rasa: what data/rules.yml and actions/talk.py do, with the understanding given by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from textwrap import dedent
from typing import Any

from followup.dialogue.after import after, resume
from followup.dialogue.effects import Effect, StoreAnswer
from followup.dialogue.finish import close
from followup.dialogue.hear import hear
from followup.dialogue.interrupt import respond
from followup.dialogue.items import Said, ask, first_item
from followup.dialogue.reply import Act, Reply
from followup.dialogue.silence import fall_silent
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.scripts.load import content_of, load_script
from followup.scripts.model import Script, build
from followup.settings import SHANGHAI

_script = lru_cache(load_script)
_HEAD = """
id: small
name: 小样
trade: demo
version: 1
variables:
  company: {label: 公司名称, demo: 演示公司}
  agent: {label: 助手称呼, demo: 小演}
  policy_date: {label: 承保日期, demo: "2010-03-15"}
  plate: {label: 车牌号, demo: 沪A00000}
opening: 您好！我是{company}的智能助手{agent}，请问您现在方便吗？
about: 想了解一下您的感受
"""
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)


def script_of(questions: str, more: str = "") -> Script:
    """A small script with these questions and further top-level keys (both YAML), and the real shared wording."""
    head = _HEAD if "opening:" not in more else _HEAD.replace("opening:", "source:")
    return build(content_of(f"{head}{dedent(more)}questions:\n{dedent(questions)}"))


@dataclass
class Player:
    """One talk; `said` is what the bot said last, `effects` everything that would have been written."""

    of: str | Script
    """A script of data/scripts by its id, or one made for the test (see `script_of`)."""
    now: datetime = MONDAY
    effects: list[Effect] = field(default_factory=list)
    said: str = ""
    buttons: tuple[str, ...] = ()
    messages: int = 0
    given: dict[str, Any] = field(default_factory=dict)
    """The customer's own variables, instead of the demo values."""

    def __post_init__(self) -> None:
        self.script = _script(self.of) if isinstance(self.of, str) else self.of
        self.script_id = self.script.id
        variables = {**self.script.demo_variables(), "customer": "张", "title": "女士", **self.given}
        self.state = TalkState("0" * 32, self.script_id, variables, open=first_item(self.script), now=self.now.isoformat())
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
            self.parts = Said(self.said).messages
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
        self.said, self.buttons, self.parts = said.text, said.buttons, said.messages
        return self.said
