"""Rasa in the test's own process: the understanding, the dialogue and the actions of the product, over the test's database.

Left out are Rasa's own code and HTTP. What data/rules.yml decides stands in `_Turn` in a few lines, and a turn is stored as
`followup.store.tracker` does it: whole, once, and not over one that was stored meanwhile. That both come to the same is shown by the
talks that are held both ways (tests/e2e).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import func, insert, select, text

from actions import context
from actions.talk import FORM, AfterTalk, CloseTalk, HearAnswer, NoticeSilence, Respond, ResumeTalk, StartFollowup
from followup.nlu.model import IntentModel
from followup.nlu.understanding import read_reply
from followup.store.database import Database
from followup.store.models import Case, RasaEvent
from followup.store.stored_turn import fault_of
from followup.talk.inbox import Trigger
from followup.talk.rasa_client import RasaUnavailable

Event = dict[str, Any]
_TRIGGERS = {trigger.value: trigger.value.removeprefix("/") for trigger in Trigger}


@dataclass
class RasaInProcess:
    """`post` and `ready`, as `followup.talk.rasa_client` has them."""

    database: Database
    model: IntentModel
    faults: list[str] = field(default_factory=list)
    """What goes wrong with the next turns: `away` (nothing ran), `cut` (it ran and was stored, the answer is lost),
    `empty` (it ran and was not stored: `200 []`), `action` (the action server does not answer: `200 []` at once)."""
    turns: int = 0
    refused: int = 0
    """Turns that were not stored because another of the conversation was."""

    def __post_init__(self) -> None:
        context.database = lambda: self.database  # the actions' own pool

    async def ready(self) -> bool:
        return True

    async def post(self, sender: str, text: str, metadata: Mapping[str, Any]) -> None:
        """Hold one turn. Raises RasaUnavailable; a turn that failed is `200 []`, as the REST channel says it."""
        fault = self.faults.pop(0) if self.faults else None
        if fault == "away":
            raise RasaUnavailable("ClientConnectorError")
        if fault == "action":
            return
        self.turns += 1
        stored, last_id = await self._load(sender)
        turn = _Turn(sender, stored, self._heard(text, dict(metadata)))
        new = await turn.hold()
        if fault == "empty":
            return
        await self._store(sender, last_id, new)
        if fault == "cut":
            raise RasaUnavailable("ServerDisconnectedError")

    def _heard(self, said: str, metadata: dict[str, Any]) -> Event:
        if said in _TRIGGERS:
            parsed = {"text": said, "intent": {"name": _TRIGGERS[said], "confidence": 1.0}, "acts": []}
        else:
            reading = read_reply(said, self.model)
            leading = reading.leading
            intent = {"name": leading.intent.split("/")[0], "full_name": leading.intent, "confidence": leading.confidence}
            parsed = {"text": said, "intent": intent, "acts": [asdict(act) for act in reading.acts]}
        return {"event": "user", "timestamp": time.time(), "text": said, "metadata": metadata, "parse_data": parsed}

    async def _load(self, sender: str) -> tuple[list[Event], int | None]:
        async with self.database.session() as session:
            rows = await session.execute(select(RasaEvent.id, RasaEvent.data).where(RasaEvent.sender_id == sender).order_by(RasaEvent.id))
            found = rows.all()
        return [json.loads(row.data) for row in found], found[-1].id if found else None

    async def _store(self, sender: str, last_id: int | None, new: list[Event]) -> None:
        if fault_of(new):
            return
        async with self.database.session() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('tracker:' || :sender, 0))"), {"sender": sender})
            newest = await session.scalar(select(func.max(RasaEvent.id)).where(RasaEvent.sender_id == sender))
            if newest != last_id or await session.scalar(select(Case.erased_at).where(Case.id == sender)) is not None:
                self.refused += 1
                return
            rows = [
                {
                    "sender_id": sender,
                    "type_name": event["event"],
                    "message_id": event["metadata"]["message_id"] if event["event"] == "user" else None,
                    "data": json.dumps(event),
                }
                for event in new
            ]
            await session.execute(insert(RasaEvent), rows)


class _Turn:
    """data/rules.yml for one message."""

    def __init__(self, sender: str, stored: list[Event], heard: Event) -> None:
        self.sender, self.heard = sender, heard
        self.slots: dict[str, Any] = {}
        self.looping = False
        self.new: list[Event] = [heard]
        for event in stored:
            self._remember(event)

    async def hold(self) -> list[Event]:
        intent = self.heard["parse_data"]["intent"]["name"]
        if intent == "start_followup" and not self.looping:
            await self._do(StartFollowup())
            await self._go_on_unless_over(close=False)
        elif intent in ("resume_followup", "start_followup"):
            await self._do(ResumeTalk())
            await self._go_on_unless_over(close=False)
        elif not self.looping:
            await self._do(AfterTalk())
            await self._go_on_unless_over(close=False)
        elif intent == "silence":
            await self._do(NoticeSilence())
            await self._go_on_unless_over()
        elif await self._do(HearAnswer(), answer=self.heard["text"]):
            await self._do(Respond())
            await self._go_on_unless_over()
        elif self.slots.get("answer") is not None:
            await self._end()
        self.new.append({"event": "action", "name": "action_listen"})
        return self.new

    async def _go_on_unless_over(self, *, close: bool = True) -> None:
        if not self.slots.get("talk_over"):
            if not self.looping:
                self._add({"event": "active_loop", "name": FORM})
            self._add({"event": "slot", "name": "answer", "value": None})
        elif close:
            await self._end()
        elif self.looping:
            self._add({"event": "active_loop", "name": None})

    async def _end(self) -> None:
        self._add({"event": "active_loop", "name": None})
        await self._do(CloseTalk())

    async def _do(self, action: Any, **candidates: Any) -> bool:
        """Run an action. Returns whether it left the message to the rules (ActionExecutionRejected)."""
        events = [{"event": "slot", "name": name, "value": value} for name, value in candidates.items()]
        loop = {"name": FORM} if self.looping else {}
        message = {**self.heard["parse_data"], "metadata": self.heard["metadata"]}
        tracker = Tracker(self.sender, dict(self.slots), message, [self.heard, *events], False, None, loop, None)
        dispatcher = CollectingDispatcher()
        done = await action.run(dispatcher, tracker, {})
        self._add({"event": "action", "name": action.name()})
        for event in done:
            if event["event"] == "slot":
                self._add({"event": "slot", "name": event["name"], "value": event["value"]})
        for said in dispatcher.messages:
            self._add({"event": "bot", "text": said["text"], "data": {"buttons": said["buttons"] or None}, "metadata": {}})
        return any(event["event"] == "action_execution_rejected" for event in done)

    def _add(self, event: Event) -> None:
        self.new.append(event)
        self._remember(event)

    def _remember(self, event: Event) -> None:
        if event["event"] == "slot":
            self.slots[event["name"]] = event["value"]
        elif event["event"] == "active_loop":
            self.looping = event["name"] is not None
