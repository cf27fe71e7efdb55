"""Talks while something happens to PostgreSQL itself, by the test's will, in the middle of their turns."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import psycopg

from tests.integration.faults.kills import Killing
from tests.integration.faults.moments import HELD_BEFORE_SENDING, STEPS, Moment
from tests.integration.faults.page import Page

MOMENTS = [moment for moment in Moment if moment not in STEPS | HELD_BEFORE_SENDING]
"""The others are held up by locks in the database itself, which the fault would take away."""


class DatabaseFault(Killing):
    """What happens is `_strike`'s; `_mend` is waited for before the database is looked at."""

    def _strike(self) -> None:
        raise NotImplementedError

    async def _mend(self) -> None:
        """What it takes that it can come back by itself."""

    def _kill(self) -> None:
        self._strike()
        self.killed_at.append(time.monotonic())
        self._back.clear()
        self._recovery = asyncio.create_task(self._comes_back())

    async def _turn(self, case_id: str, page: Page, words: str | None) -> None:
        await super()._turn(case_id, page, words)
        if self._recovery is not None:  # the test looks into the same database
            await self._recovery

    async def _comes_back(self) -> None:
        await self._mend()
        while True:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self.database.url):
                    break
            await asyncio.sleep(0.02)
        self.restarts.append(time.monotonic() - self.killed_at[-1])
        self._back.set()
        await asyncio.gather(*(turn.replied for turn in self.turns if not turn.replied.done()))
        self._recovered.set()
