"""A year of campaigns for 100,000 customers: several workers on one database, killed at random points, under a simulated clock.

FOLLOWUP_YEAR_CUSTOMERS and FOLLOWUP_YEAR_DAYS make it smaller. What must hold stands in tests/integration/campaigns/year.py.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from followup.store.database import Database
from tests.integration.campaigns.year import DAYS, TIMES, Year, problems, summary, ticks

CUSTOMERS = int(os.environ.get("FOLLOWUP_YEAR_CUSTOMERS", "100000"))
LENGTH = int(os.environ.get("FOLLOWUP_YEAR_DAYS", str(DAYS)))
WORKERS = 3
KILLS_PER_TICK = 0.15
_ROOT = Path(__file__).parents[2]


class Workers:
    """The processes, and how they are killed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.killed = 0

    def start(self) -> None:
        for number in range(WORKERS):
            if number not in self.running or self.running[number].poll() is not None:
                command = [sys.executable, "-m", "tests.long.campaign_worker", self.url, str(number)]
                self.running[number] = subprocess.Popen(command, cwd=_ROOT)

    def check(self) -> None:
        """A worker that ended by itself has failed."""
        for number, process in self.running.items():
            assert process.poll() is None, f"worker {number} ended with {process.returncode}"

    def kill(self, number: int) -> None:
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()
        self.killed += 1

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@pytest.mark.timeout(4 * 3600)
async def test_a_year_balances_though_workers_are_killed(database_url: str, report: list[str]) -> None:
    database, chance = Database(database_url, pool_size=4), random.Random(7)
    started = time.monotonic()
    year = Year(database, CUSTOMERS, LENGTH)
    await year.begin()
    async with database.session() as session:
        await session.execute(text("CREATE TABLE called_out AS SELECT 0 AS tick, now() AS at"))
        await session.execute(text("CREATE TABLE heard (worker int PRIMARY KEY, tick int)"))
    workers = Workers(database_url)
    workers.start()
    try:
        while not await _all_are_up(database):
            workers.check()
            await asyncio.sleep(0.1)
        for number, at in enumerate(ticks(LENGTH), start=1):
            if (number - 1) % len(TIMES) == 0:
                await year.arrive((number - 1) // len(TIMES))
            async with database.session() as session:
                await session.execute(text("UPDATE called_out SET tick = :tick, at = :at"), {"tick": number, "at": at})
            if chance.random() < KILLS_PER_TICK:
                await asyncio.sleep(chance.random() * 0.4)  # somewhere in the minute's work
                number_killed = chance.randrange(WORKERS)
                workers.kill(number_killed)
                async with database.session() as session:
                    await session.execute(text("DELETE FROM heard WHERE worker = :worker"), {"worker": number_killed})
                workers.start()
            await _quiet(database, workers, number)
            await year.react(at)
        wrong = await problems(database, CUSTOMERS)
        words = await summary(database)
        report.append(
            f"a year of campaigns: {CUSTOMERS} customers, {LENGTH} days, {WORKERS} workers, {workers.killed} killed,"
            f" {time.monotonic() - started:.0f} s; {dict(year.did)}; {words}"
        )
        assert wrong == [], "\n".join(wrong)
        assert workers.killed > LENGTH / 20
    finally:
        workers.stop()
        await database.close()


async def _quiet(database: Database, workers: Workers, number: int) -> None:
    """Until every worker that is up has played the minute and nothing is left that can go now.

    One that was started in place of a killed one joins in at the next minute: its colleagues do not wait for it to start. It must not
    play a minute that is over, or it sends at ten what the others have just found due at three.
    """
    while True:
        async with database.session() as session:
            row = (await session.execute(_STATE, {"tick": number})).one()
        if row.played and not row.behind and not row.queued and (not row.sending or workers.killed):
            return
        workers.check()
        await asyncio.sleep(0.03)


async def _all_are_up(database: Database) -> bool:
    async with database.session() as session:
        return await session.scalar(text("SELECT count(*) FROM heard")) == WORKERS


_STATE = text(
    """
    SELECT (SELECT count(*) FROM heard WHERE tick = :tick) AS played, (SELECT count(*) FROM heard WHERE tick < :tick) AS behind,
        (SELECT count(*) FROM deliveries WHERE status = 'queued'
            AND (not_before IS NULL OR not_before <= (SELECT at + interval '1 minute' FROM called_out))) AS queued,
        (SELECT count(*) FROM deliveries WHERE status = 'sending' AND sending_at >= (SELECT at FROM called_out)) AS sending
    """
)
