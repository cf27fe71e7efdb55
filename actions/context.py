"""Between Rasa's tracker and the dialogue: what was said, where the talk stands, what is to be written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Sequence

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from followup import clock
from followup.dialogue.effects import Effect
from followup.dialogue.handed_back import How
from followup.dialogue.items import Said
from followup.dialogue.reply import Act, Reply
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn
from followup.scripts.load import build_revision
from followup.scripts.model import Script
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.records import CaseView

_scripts: dict[str, Script] = {}
"""case id -> its pinned script; a case never changes its revision."""


@lru_cache(maxsize=1)
def database() -> Database:
    """The one pool of this process. What actions write is durable with the turn's end."""
    return Database(os.environ["DATABASE_URL"], awaits_disk=False)


@dataclass(frozen=True)
class Meta:
    """What the durable path tells with every message."""

    case_id: str
    message_id: int
    received_at: datetime
    colleague: How | None = None
    """How a colleague's take-over ended, where that is what the trigger tells."""

    @classmethod
    def of(cls, tracker: Tracker) -> "Meta":
        raw = tracker.latest_message.get("metadata") or {}
        at = raw.get("received_at")
        return cls(
            case_id=raw.get("case_id") or tracker.sender_id,
            message_id=int(raw.get("message_id") or 0),
            received_at=datetime.fromisoformat(at).astimezone(SHANGHAI) if at else clock.now(),
            colleague=How(raw["colleague"]) if raw.get("colleague") else None,
        )


def reply_of(tracker: Tracker) -> Reply:
    """The latest message as the dialogue sees it."""
    message = tracker.latest_message
    intent = message.get("intent") or {}
    meta = Meta.of(tracker)
    name, confidence = intent.get("full_name") or intent.get("name") or "", float(intent.get("confidence") or 0.0)
    text = message.get("text") or ""
    acts = tuple(Act(a["intent"], float(a["confidence"]), a["text"]) for a in message.get("acts") or ())
    return Reply(
        text=text.strip(),
        intent=name,
        confidence=confidence,
        acts=acts or (Act(name, confidence, text),),
        at=meta.received_at,
        message_id=meta.message_id,
    )


async def case_of(meta: Meta) -> CaseView:
    """The case as it stands in the records now."""
    async with database().session() as session:
        return await records.load_case(session, meta.case_id)


async def callback_at(meta: Meta) -> datetime | None:
    """When the call-back that stands is due, in China's time."""
    async with database().session() as session:
        booked = await records.callback_of(session, meta.case_id)
    return booked.at.astimezone(SHANGHAI) if booked is not None and booked.at else None


async def turn_of(tracker: Tracker) -> Turn:
    """Everything the dialogue needs for this turn."""
    meta = Meta.of(tracker)
    if meta.case_id not in _scripts:
        remember_script(await case_of(meta))
    state = TalkState.from_slot(tracker.get_slot("talk") or {"case_id": meta.case_id, "script_id": "", "variables": {}})
    state.now = meta.received_at.isoformat()
    return Turn(_scripts[meta.case_id], state, reply_of(tracker))


def remember_script(case: CaseView) -> Script:
    """Build the pinned script once per case and process."""
    if len(_scripts) > 5000:
        _scripts.clear()
    script = _scripts[case.case_id] = build_revision(case.script)
    return script


async def write(meta: Meta, effects: Sequence[Effect]) -> None:
    """Write what the turn changed, in one transaction; the same message writes the same once only."""
    if not effects:
        return
    async with database().session() as session:
        await records.apply(session, meta.case_id, meta.message_id, effects, meta.received_at)


def talk(state: TalkState, **slots: Any) -> list[EventType]:
    """The slot events that keep the state."""
    return [SlotSet("talk", state.to_slot()), *(SlotSet(name, value) for name, value in slots.items())]


def utter(dispatcher: CollectingDispatcher, said: Said) -> None:
    """Say it, with quick replies; an empty sentence is not said."""
    buttons = [{"title": title, "payload": title} for title in said.buttons]
    *before, last = said.messages or [""]
    for text in before:
        dispatcher.utter_message(text=text)
    if last:
        dispatcher.utter_message(text=last, buttons=buttons or None)
