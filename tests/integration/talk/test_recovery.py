"""Turns that wait for Rasa are held as soon as it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from sqlalchemy import text

from followup.store.database import Database
from followup.talk.recovery import Recovery

from .conftest import Line

_DUE = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at <= now()")


@dataclass
class Parts:
    """What answers, and how often somebody looked."""

    database: Database
    answers: dict[str, bool]
    looked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def __post_init__(self) -> None:
        self.recovery = Recovery(
            self.database, {name: lambda name=name: self._ask(name) for name in self.answers}, pause=self._pause
        )

    async def _ask(self, name: str) -> bool:
        return self.answers[name]

    async def _pause(self, _: float) -> None:
        """One step of the watch; the test looks around, and lets it go on."""
        self.looked.release()
        await self.go_on.acquire()

    async def step(self) -> None:
        await asyncio.wait_for(self.looked.acquire(), 60)

    async def due(self) -> int:
        async with self.database.session() as session:
            return int(await session.scalar(_DUE) or 0)

    async def watched(self) -> None:
        """Until the watch is over."""
        task = self.recovery._watch
        assert task is not None
        while not task.done():
            self.go_on.release()
            await asyncio.sleep(0)
        await task


@pytest_asyncio.fixture
async def parts(line: Line) -> AsyncIterator[Parts]:
    """A turn waits for its next try, an hour away."""
    await line.hears("方便")
    async with line.database.session() as session:
        await session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour', attempts = 9"))
    parts = Parts(line.database, {"Rasa": False, "the action server": True})
    yield parts
    await parts.recovery.close()


async def test_a_turn_is_due_once_rasa_answers_again(parts: Parts) -> None:
    parts.recovery.turn_failed()
    await parts.step()
    assert await parts.due() == 0
    parts.answers["Rasa"] = True
    await parts.watched()
    assert await parts.due() == 1


async def test_its_pauses_begin_anew(parts: Parts) -> None:
    parts.recovery.turn_failed()
    await parts.step()
    parts.answers["Rasa"] = True
    await parts.watched()
    async with parts.database.session() as session:
        assert await session.scalar(text("SELECT attempts FROM procrastinate_jobs")) == 0


async def test_a_turn_that_fails_although_everything_answers_keeps_its_pause(parts: Parts) -> None:
    parts.answers["Rasa"] = True
    parts.recovery.turn_failed()
    await parts.watched()
    assert await parts.due() == 0


async def test_rasa_is_not_waited_for_in_vain_while_something_else_stays_away(parts: Parts) -> None:
    parts.answers["the action server"] = False
    parts.recovery.turn_failed()
    await parts.step()
    parts.answers["Rasa"] = True
    for _ in range(3):
        parts.go_on.release()
    for _ in range(3):
        await parts.step()
    assert await parts.due() == 1


async def test_many_failures_are_one_watch(parts: Parts) -> None:
    for _ in range(5):
        parts.recovery.turn_failed()
    await parts.step()
    await asyncio.sleep(0)
    assert parts.looked.locked()
