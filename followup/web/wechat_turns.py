"""Tells the requests of WeChat's that wait when their turns have ended: one query for all of them.

A turn is watched on for a while when its request has gone without it. So patience (`followup.channels.wechat.patience`) learns that
turns end again without a request that waits to find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

import psycopg
from aiohttp import web

from followup.channels.wechat.patience import Patience, Waiting
from followup.store.database import Database
from followup.web.fanout import Fanout, TooManyStreams

LOOK_EVERY = 0.3
"""Seconds, where no notification comes."""
_MOST_LEFT, _LEFT_FOR = 20, 60.0
"""Turns that are watched on: how many, and the seconds after which one makes room for another."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    waiting: Waiting
    over: asyncio.Event = field(default_factory=asyncio.Event)
    left: bool = False
    """Its request has gone."""


class Turns:
    """Of one process. `close()` it."""

    def __init__(self, database: Database, fanout: Fanout, patience: Patience) -> None:
        self.patience = patience
        self._database, self._fanout = database, fanout
        self._turns: dict[int, _Turn] = {}
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, case_id: str, message_id: int, waiting: Waiting) -> None:
        """Until the message was handled, its turn failed, or patience is at its end."""
        turn = self._turns[message_id] = _Turn(waiting)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            if waiting.left() > 0:
                await self._over(turn, case_id)
        finally:
            waiting.goes(in_vain=not turn.over.is_set())
            turn.left = True
            self._make_room()

    async def _over(self, turn: _Turn, case_id: str) -> None:
        with contextlib.suppress(TooManyStreams), self._fanout.bell(case_id) as bell:
            ringing = asyncio.create_task(self._ring(bell))
            try:
                while not turn.over.is_set() and (left := turn.waiting.left()) > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(turn.over.wait(), min(left, LOOK_EVERY))
            finally:
                ringing.cancel()

    async def _ring(self, bell: asyncio.Event) -> None:
        while True:
            await bell.wait()
            bell.clear()
            self._news.set()

    def _make_room(self) -> None:
        """The oldest are watched on: they end first. One that never does must not stand in the way of the others."""
        left = [number for number, turn in self._turns.items() if turn.left]
        if len(left) > _MOST_LEFT:
            old = self.patience.clock() - self._turns[left[0]].waiting.begun > _LEFT_FOR
            del self._turns[left[0] if old else left[-1]]

    async def _look(self) -> None:
        """While anything is watched."""
        while self._turns:
            self._news.clear()
            try:
                await self._look_once()
            except (psycopg.Error, OSError) as error:
                _log.warning("nobody knows which turns have ended: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY)

    async def _look_once(self) -> None:
        numbers = list(self._turns)
        async with self._database.straight() as connection:
            found = await (await connection.execute(_STATES, {"ids": numbers})).fetchall()
        rows = {number: (status, tries) for number, status, tries in found}
        for number in numbers:
            status, tries = rows.get(number, ("gone", 0))
            if (status == "received" and not tries) or number not in self._turns:
                continue
            turn = self._turns.pop(number)
            if status not in ("received", "gone"):
                turn.waiting.ended()
            turn.over.set()

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)


_STATES = "SELECT id, status, tries FROM messages WHERE id = ANY(%(ids)s)"

TURNS = web.AppKey("wechat_turns", Turns)
