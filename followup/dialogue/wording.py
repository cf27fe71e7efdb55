"""Sentences from the script files, filled in with what is known of the talk."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any, Mapping

from followup.scripts.model import Script
from followup.scripts.walk import holds
from followup.dialogue.season import care, greeting, season, wish
from followup.dialogue.state import TalkState


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
        return sentences[(start + len(self.state.order)) % len(sentences)]

    def fill(self, sentence: str, **extra: Any) -> str:
        """The sentence with its {variables} replaced; an unknown one stays as it is for the checker to find."""
        return sentence.format_map(_Known({**self._built_in(), **self.state.variables, **extra}))

    def _best(self, node: list[Any]) -> list[str]:
        """Sentences written for this very case, where their condition holds; otherwise those that always fit."""
        known = {**self.script.demo_variables(), **self.state.variables, **self.state.values}
        fitting = [item["say"] for item in node if isinstance(item, Mapping) and holds(item.get("if", {}), known)]
        return fitting or [item for item in node if isinstance(item, str)]

    def _built_in(self) -> dict[str, Any]:
        title = self.state.variables.get("title", "")
        demo = self.script.demo_variables()
        return {
            **demo,
            "customer": "您",
            "title": "",
            "pronoun": {"女士": "她", "先生": "他"}.get(title, "TA"),
            "minutes": self.script.minutes,
            "about": self.script.about,
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


class _Known(dict):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
