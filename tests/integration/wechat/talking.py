"""The understanding and the dialogue of the product behind Rasa's REST channel, in this process: what it says is stored as Rasa's events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from tests.e2e.in_process import InProcessTrial, script_of
from tests.integration.talk.fake_rasa import FakeRasa


class Trial(InProcessTrial):
    """With the choices that the actions hand on."""

    def _report(self, before: Any, reply: Any, verdict: Any, effects: Any, said: Any) -> Any:
        lines = super()._report(before, reply, verdict, effects, said)
        if lines and said.buttons:
            lines[-1] = replace(lines[-1], quick_replies=list(said.buttons))
        return lines


@dataclass
class TalkingRasa(FakeRasa):
    """Holds every talk with this script."""

    script: str = "auto_loan_satisfaction"
    slow: float = 0.0
    """Seconds a turn takes."""
    trials: dict[str, Trial] = field(default_factory=dict)
    said: dict[int, list[Any]] = field(default_factory=dict)

    async def _store(self, body: dict[str, Any], more: str) -> list[dict[str, Any]]:
        await asyncio.sleep(self.slow)
        number = body["metadata"]["message_id"]
        if number not in self.said:
            trial = self.trials.setdefault(body["sender"], Trial(script_of(self.script), {"voice": "wechat"}))
            spoken = await (trial.start() if body["message"] == "/start_followup" else trial.say(body["message"]))
            self.said[number] = [line for line in spoken if line.direction == "out"]
        return await super()._store(body, more)

    def _events(self, body: dict[str, Any], more: str) -> list[dict[str, Any]]:
        user, *_, listen = super()._events(body, more)
        lines = self.said[body["metadata"]["message_id"]]
        spoken = [
            {"event": "bot", "text": line.text, "data": {"buttons": [{"title": label} for label in line.quick_replies]}, "metadata": {}}
            for line in lines
        ]
        return [user, *spoken, listen]
