"""The memory of each process while something runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from sqlalchemy import exists, func, select

from bench.measure import memory_of
from followup.store.database import Database
from followup.store.models import Message


@dataclass
class Watch:
    """Samples of (seconds, turns so far, MB by process); the turns are those of the database."""

    pids: Callable[[], Mapping[str, int]]
    database: Database
    samples: list[tuple[float, int, dict[str, float]]] = field(default_factory=list)

    async def take(self, since: float) -> None:
        turns = await turns_of(self.database)
        with suppress(psutil.NoSuchProcess):
            memory = {name: memory_of(pid) for name, pid in self.pids().items()}
            self.samples.append((time.monotonic() - since, turns, memory))

    async def run(self, every: float) -> None:
        """Until cancelled."""
        since = time.monotonic()
        while True:
            await self.take(since)
            await asyncio.sleep(every)

    def table(self, most: int = 12) -> str:
        """Markdown, at most so many samples, the first and the last among them."""
        step = max(1, -(-(len(self.samples) - 1) // (most - 1)))
        shown = [*self.samples[:-1:step], *self.samples[-1:]]
        names = sorted({name for _, _, memory in shown for name in memory})
        lines = [f"| minutes | turns | {' | '.join(f'{name} (MB)' for name in names)} |", f"|{'---:|' * (2 + len(names))}"]
        for seconds, turns, memory in shown:
            lines.append(f"| {seconds / 60:.1f} | {turns:,} | {' | '.join(f'{memory.get(name, 0):.0f}' for name in names)} |")
        return "\n".join(lines)


async def turns_of(database: Database) -> int:
    """How many turns were held since the database was made."""
    async with database.session() as session:
        handled = select(func.count()).where(Message.direction != "out", Message.status == "handled")
        return int(await session.scalar(handled) or 0)


async def waits(database: Database) -> bool:
    """Whether any message still waits for its turn."""
    async with database.session() as session:
        return bool(await session.scalar(select(exists().where(Message.status == "received"))))
