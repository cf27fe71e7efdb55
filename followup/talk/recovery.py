"""When Rasa or its actions come back from a restart, the turns that waited for them are held at once.

Without it a turn waits for the next of its ever longer pauses: 16 s for a Rasa that was away for 9 (docs/reliability.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.database import Database
from followup.talk.inbox import TURN_QUEUE, TURN_TASK

_log = logging.getLogger(__name__)
LOOK_EVERY = 0.25
"""Seconds. Only while something that a turn needs is away."""

# Their earlier failures say nothing about the turns: the pauses begin anew.
_HASTEN = text(
    """
    UPDATE procrastinate_jobs SET scheduled_at = now(), attempts = 0
    WHERE queue_name = :queue AND task_name = :task AND status = 'todo' AND scheduled_at > now()
    """
)


async def hasten_turns(session: AsyncSession) -> int:
    """Make every turn due that waits for its next try. Returns how many."""
    done = await session.execute(_HASTEN, {"queue": TURN_QUEUE, "task": TURN_TASK})
    return int(done.rowcount)  # type: ignore[attr-defined]


class Recovery:
    """Watches, after a turn has failed, for what it needs. `parts`: whether each answers now, by name; must not raise.

    A turn that fails although everything answers is left to its pauses.
    """

    def __init__(
        self,
        database: Database,
        parts: Mapping[str, Callable[[], Awaitable[bool]]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._parts = dict(parts)
        self._pause = pause
        self._watch: asyncio.Task[None] | None = None

    def turn_failed(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._until_all_answer(), name="wait for Rasa and its actions")

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _until_all_answer(self) -> None:
        away = await self._away(self._parts)
        while away:
            await self._pause(LOOK_EVERY)
            still_away = await self._away(away)
            if still_away != away:
                # A turn that failed just now is put back by then.
                await self._pause(LOOK_EVERY)
                async with self._database.session() as session:
                    count = await hasten_turns(session)
                _log.info("%s answers again, %s turns are due", ", ".join(sorted(away - still_away)), count)
            away = still_away

    async def _away(self, names: Mapping[str, object] | set[str]) -> set[str]:
        return {name for name in names if not await self._parts[name]()}
