"""Dry runs 试排 for the check page: a small audience at once, a large one in the background, with how far it is.

A process keeps what it has reckoned for some minutes. Another one that is asked reckons for itself: nothing is stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from followup.campaigns.definition import Definition
from followup.campaigns.dry_run import DryRun, dry_run
from followup.campaigns.plan import Customer
from followup.console.campaigns import queries
from followup.scripts.model import Script
from followup.store.database import Database

AT_ONCE = 2000
"""An audience up to this size is planned while the page is waited for."""
MOST_PREVIEWED = 200
"""Customers of a day that are listed."""
_KEPT_FOR, _MOST_KEPT = 600.0, 4


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen; `missing`: label of a variable -> customers who have nothing for it; `at`: reckoned when."""

    run: DryRun
    missing: dict[str, int]
    at: datetime


@dataclass(slots=True)
class Progress:
    """A dry run under way, or its result."""

    total: int
    read: int = 0
    planned: int = 0
    result: Trial | None = None
    failed: bool = False
    ended: float = 0.0
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def percent(self) -> int:
        """Reading takes about as long as planning."""
        done = min(self.read, self.total) + min(self.planned, self.total)
        return min(done * 50 // max(self.total, 1), 99)

    def count(self) -> None:
        self.planned += 1


async def make(database: Database, made: Definition, script: Script | None, now: datetime, seed: int, progress: Progress, *, is_demo: bool) -> Trial:
    """All customers of the audience, planned. Parts of it run in a thread: customers write to the same process."""
    people: list[Customer] = []
    missing: dict[str, int] = {}
    async with database.session() as session:
        async for some in queries.people(session, made, is_demo=is_demo):
            if script is not None and not is_demo:
                for name, count in (await asyncio.to_thread(queries.missing_data, some, made, script)).items():
                    missing[name] = missing.get(name, 0) + count
            people += some
            progress.read = len(people)
    run = await asyncio.to_thread(dry_run, made, people, now, seed, progress.count)
    days = tuple(replace(day, entries=day.entries[:MOST_PREVIEWED]) for day in run.days)
    return Trial(replace(run, days=days), missing, now)


class Trials:
    """The dry runs of a process, by campaign and version; one at a time."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Progress] = {}
        self._turn = asyncio.Semaphore(1)

    def of(self, key: tuple[int, int], total: int, work: Callable[[Progress], Awaitable[Trial]], *, anew: bool = False) -> Progress:
        """The one there is, else one that begins now; `anew`: also where a result is at hand."""
        self._forget()
        known = self._known.get(key)
        if known is None or known.failed or (anew and known.result is not None):
            known = self._known[key] = Progress(total)
            known.task = asyncio.create_task(self._run(known, work))
        return known

    async def _run(self, progress: Progress, work: Callable[[Progress], Awaitable[Trial]]) -> None:
        try:
            async with self._turn:
                progress.result = await work(progress)
        finally:
            progress.failed, progress.ended = progress.result is None, time.monotonic()

    def _forget(self) -> None:
        over = [key for key, one in self._known.items() if one.result is not None]
        old = [key for key in over if time.monotonic() - self._known[key].ended > _KEPT_FOR]
        for key in {*old, *over[: max(len(over) - _MOST_KEPT, 0)]}:
            del self._known[key]

    async def close(self) -> None:
        tasks = [one.task for one in self._known.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
