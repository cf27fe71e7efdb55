"""One talk held from within: by `followup talk`, the tests and the bench. The real Rasa, actions and records take part."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.models import Message
from followup.store.published import refresh
from followup.store.records import TranscriptLine
from followup.talk.apology import load_apology
from followup.talk.inbox import Trigger, accept, accept_trigger
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import TurnFailed, drain

CHANNEL = "trial"
CUSTOMER = "张"
TITLE = "女士"
_TRIES = 5
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class TrialResult:
    """What a talk came to. JSON-ready by `as_json`."""

    outcome: str | None
    transcript: list[TranscriptLine]
    answers: dict[str, dict[str, Any]]
    tickets: list[dict[str, Any]]
    callback: dict[str, Any] | None
    notes: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The form of `followup talk --json` (docs/architecture.md)."""
        return {
            "outcome": self.outcome,
            "messages": [
                {"from": "bot", "text": line.text, "intent": None}
                if line.direction == "out"
                else {"from": "customer", "text": line.text, "intent": line.intent}
                for line in self.transcript
            ],
            "answers": self.answers,
            "tickets": self.tickets,
            "callback": self.callback,
        }


class Trial:
    """A demo case and its talk. Nothing leaves the machine; the case is marked as demo."""

    def __init__(self, database: Database, rasa: RasaClient, case_id: str) -> None:
        self.database = database
        self.rasa = rasa
        self.case_id = case_id
        self.apology = load_apology()
        self._seen = 0

    @classmethod
    async def open(
        cls, database: Database, rasa: RasaClient, script_id: str, variables: Mapping[str, Any] | None = None
    ) -> Trial:
        """A new demo case of the script as it is in force now. Raises UnknownScript."""
        async with database.session() as session:
            await refresh(session)
        content = load.content(script_id)
        script = load.build_revision(content)
        given = dict(variables or {})
        async with database.session() as session:
            contact_id = await records.create_contact(
                session,
                name=given.pop("customer", CUSTOMER),
                title=given.pop("title", TITLE),
                fields={"备注": "试走客户"},
                is_demo=True,
            )
            revision_id = await records.save_revision(session, script.id, str(script.version), content)
            case_id = await records.create_case(
                session, contact_id, revision_id, {**script.demo_variables(), **given}, is_demo=True
            )
        return cls(database, rasa, case_id)

    async def start(self) -> list[TranscriptLine]:
        """The bot opens the talk."""
        return await self.trigger(Trigger.START, "start")

    async def trigger(self, trigger: Trigger, key: str = "") -> list[TranscriptLine]:
        """Something nobody wrote: a call-back that is due, a silence."""
        async with self.database.session() as session:
            accepted = await accept_trigger(session, self.case_id, trigger, key or secrets.token_hex(8))
        return await self.held(accepted.message_id)

    async def say(self, text: str) -> list[TranscriptLine]:
        """The customer writes; returns what the bot says. Raises EmptyMessage."""
        async with self.database.session() as session:
            accepted = await accept(session, self.case_id, CHANNEL, secrets.token_hex(8), text)
        return await self.held(accepted.message_id)

    async def result(self) -> TrialResult:
        """Everything the talk left in the records."""
        async with self.database.session() as session:
            case = await records.load_case(session, self.case_id)
            answers = await records.answers_of(session, self.case_id)
            tickets = await records.tickets_of(session, self.case_id)
            callback = await records.callback_of(session, self.case_id)
            notes = await records.notes_of(session, self.case_id)
            lines = await records.transcript(session, self.case_id)
        return TrialResult(
            outcome=case.outcome,
            transcript=lines,
            answers={i: {"value": a.value, "text": a.words} for i, a in answers.items()},
            tickets=[_ticket(t) for t in tickets],
            callback={"at": _local(callback.at), "reason": callback.reason} if callback else None,
            notes=[{"kind": n.kind, "topic": n.topic, "text": n.text} for n in notes],
        )

    async def held(self, message_id: int) -> list[TranscriptLine]:
        """Hold the message's turn, unless it was held already; returns what was said to the customer since the last time."""
        failures = 0
        while not await self._handled(message_id):
            try:
                # A worker of a running stack may be at it already; then this returns at once.
                await drain(self.database, self.rasa, self.case_id, apology=self.apology)
            except TurnFailed:
                failures += 1
                if failures >= _TRIES:
                    raise
            await asyncio.sleep(_POLL_SECONDS if failures == 0 else failures)
        async with self.database.session() as session:
            lines = await records.transcript(session, self.case_id, after=self._seen)
        self._seen = max([self._seen, *(line.message_id for line in lines)])
        return [line for line in lines if line.direction == "out"]

    async def _handled(self, message_id: int) -> bool:
        async with self.database.session() as session:
            message = await session.get_one(Message, message_id)
            return message.status != "received"


def _ticket(ticket: Any) -> dict[str, Any]:
    return {
        "kind": ticket.kind,
        "severity": ticket.severity,
        "department": ticket.department,
        "due": _local(ticket.due_at),
        "reason": ticket.reason,
        "topic": ticket.topic,
        "data": ticket.data,
    }


def _local(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat() if at else None
