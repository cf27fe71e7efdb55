"""Sentences from the script files, filled in with what is known of the talk."""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import Any, Mapping

from followup.scripts.model import Script
from followup.scripts.walk import NOTHING, holds
from followup.dialogue.season import care, greeting, season, wish
from followup.dialogue.spoken import spoken
from followup.dialogue.state import TalkState


AFTER = "after"
"""Count of the messages since the talk ended: the next one is answered in other words."""
_TO_YOU = "{customer}{title}，"
_READ_BACK = re.compile(r"\{answer:([a-z][a-z0-9_]*)\}")


class Wording:
    """Sentences of one script for one talk. A missing key is an author's slip: KeyError with the path."""

    def __init__(self, script: Script, state: TalkState) -> None:
        self.script = script
        self.state = state

    def say(self, path: str, **extra: Any) -> str:
        """The sentence at a dotted path of the shared wording, e.g. `busy.ask_when`."""
        node: Any = self.script.wording
        for key in path.split("."):
            if not isinstance(node, dict) or key not in node:
                raise KeyError(f"话术里缺少 {path}")
            node = node[key]
        return self.fill(self.pick(node, path), **extra)

    def pick(self, node: Any, salt: str) -> str:
        """One of several sentences: another one as the talk goes on, the same when a turn is repeated."""
        if isinstance(node, str):
            return node
        sentences = self._best(node)
        if not sentences:
            return ""
        voice = self.state.variables.get("voice") or self.state.case_id  # tests name one, so that a talk is the same every time
        start = zlib.crc32(f"{voice}{salt}".encode())
        since = self.state.counts.get(AFTER, 0)
        return sentences[(start + len(self.state.order) + since) % len(sentences)]

    def fill(self, sentence: str, **extra: Any) -> str:
        """The sentence with its {variables} replaced; an unknown one stays as it is for the checker to find."""
        answer = _Answers(self.state, str(extra.get("answer", "{answer}")))
        if self.state.variables.get("customer") == "您":  # nobody's name is known: "您，您好！" is no way to begin
            sentence = sentence.removeprefix(_TO_YOU)
        return sentence.format_map(_Known({**self._built_in(), **self.state.variables, **extra, "answer": answer}))

    def can_say(self, sentence: str) -> bool:
        """Whether every answer that the sentence reads back (`{answer:visit_time}`) was given."""
        return all(self.state.values.get(name) not in (None, NOTHING) for name in _READ_BACK.findall(sentence))

    def _best(self, node: list[Any]) -> list[str]:
        """Sentences written for this very case, where their condition holds; otherwise those that always fit."""
        known = {**self.script.demo_variables(), **self.state.variables, **self.state.values}
        fitting = [item["say"] for item in node if isinstance(item, Mapping) and holds(item.get("if", {}), known)]
        fitting = [sentence for sentence in fitting if self.can_say(sentence)]
        sayable = [item for item in node if isinstance(item, str) and self.can_say(item)]
        return fitting or [item for item in sayable if _READ_BACK.search(item)] or sayable

    def _built_in(self) -> dict[str, Any]:
        title = self.state.variables.get("title", "")
        demo = self.script.demo_variables()
        return {
            **demo,
            "customer": "您",
            "title": "",
            "pronoun": {"女士": "她", "先生": "他"}.get(title, "TA"),
            "minutes": self.script.minutes,
            "questions": sum(not question.is_step for question in self.script.questions),
            "about": self.script.about.format_map(_Known({**demo, **self.state.variables})),
            **self._of_today(),
        }

    def _of_today(self) -> dict[str, str]:
        """{greeting}, {wish}, {care}: by the time of day, the calendar, the season or the weather; a trade may have its own care."""
        if not self.state.now:
            return {"greeting": "您好", "wish": "生活愉快", "care": ""}
        now = datetime.fromisoformat(self.state.now)
        own = self.script.wording.get("care", {}).get(season(now))
        caring = own or care(now, str(self.state.variables.get("weather", "")))
        return {"greeting": greeting(now), "wish": wish(now), "care": caring}


class _Answers:
    """`{answer}` is the answer just given, `{answer:visit_time}` the one given to that question."""

    def __init__(self, state: TalkState, given: str) -> None:
        self.state = state
        self.given = given

    def __format__(self, question_id: str) -> str:
        value = self.state.values.get(question_id) if question_id else None
        if value is None:
            return self.given if not question_id else ""
        now = datetime.fromisoformat(self.state.now)
        return spoken(value, self.state.words.get(question_id, ""), now)


class _Known(dict):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
