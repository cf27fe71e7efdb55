"""A stand-in for Rasa that keeps to its habits: one transaction a turn, `200 []` for every failure, and no memory of
what it was asked before. It is stricter in one thing: it fails the test when it is asked about a stored turn again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy import exists, select

from followup.store.database import Database
from followup.store.models import RasaEvent

DIE_BEFORE_STORING = "die before storing"
DIE_AFTER_STORING = "die after storing"
ANSWER_EMPTY = "answer [] and store nothing"
ANSWER_500 = "answer 500"
SAY_NUL = "say what no database can hold"


@dataclass
class FakeRasa:
    database: Database
    faults: deque[str] = field(default_factory=deque)
    """What goes wrong with the next turns; none when empty."""
    always: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    holding: set[str] = field(default_factory=set)
    most_at_once: int = 0
    overlaps: int = 0
    asked_again: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Turns wait here; open unless a test closes it."""

    def __post_init__(self) -> None:
        self.gate.set()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/rest/webhook", self._webhook)
        app.router.add_get("/webhooks/rest/", self._health)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    @property
    def texts(self) -> list[str]:
        return [body["message"] for body in self.asked]

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        sender = body["sender"]
        self.asked.append(body)
        self.overlaps += sender in self.holding
        self.holding.add(sender)
        self.most_at_once = max(self.most_at_once, len(self.holding))
        try:
            await self.gate.wait()
            return await self._turn(request, body)
        finally:
            self.holding.discard(sender)

    async def _turn(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fault = self.always or (self.faults.popleft() if self.faults else None)
        if fault == ANSWER_500:
            return web.json_response({}, status=500)
        if fault == ANSWER_EMPTY:
            return web.json_response([])
        if fault == DIE_BEFORE_STORING:
            return _hang_up(request)
        messages = await self._store(body, "\x00" if fault == SAY_NUL else "")
        if fault == DIE_AFTER_STORING:
            return _hang_up(request)
        return web.json_response(messages)

    async def _store(self, body: dict[str, Any], more: str) -> list[dict[str, Any]]:
        sender, metadata = body["sender"], body["metadata"]
        async with self.database.session() as session:
            stored = exists().where(RasaEvent.sender_id == sender, RasaEvent.message_id == metadata["message_id"])
            if await session.scalar(select(stored)):
                self.asked_again += 1
                return []
            for event in self._events(body, more):
                session.add(
                    RasaEvent(
                        sender_id=sender,
                        type_name=event["event"],
                        message_id=metadata["message_id"] if event["event"] == "user" else None,
                        data=json.dumps(event),
                    )
                )
                await session.flush()
        return [{"recipient_id": sender, "text": f"答：{body['message']}"}]

    def _events(self, body: dict[str, Any], more: str) -> list[dict[str, Any]]:
        text = body["message"]
        buttons = [{"title": "满意", "payload": "满意"}, {"title": "不满意", "payload": "不满意"}]
        return [
            {
                "event": "user",
                "timestamp": time.time(),
                "text": text,
                "metadata": {**body["metadata"], "model_id": "fake"},
                "parse_data": {
                    "text": text,
                    "intent": {"name": "inform", "confidence": 0.9},
                    "acts": [{"intent": "inform", "confidence": 0.9, "text": text}],
                },
            },
            {"event": "action", "name": "followup_form"},
            {"event": "bot", "text": f"答：{text}{more}", "data": {"buttons": None}, "metadata": {}},
            {"event": "bot", "text": "满意吗？", "data": {"buttons": buttons}, "metadata": {}},
            {"event": "action", "name": "action_listen"},
        ]


def _hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
