"""What the year of campaigns costs one process: statements, seconds and CPU, of the clock's minute and of sending apart.

`python -m tests.long.campaign_figures CUSTOMERS DAYS` on TEST_DATABASE_URL, else on a PostgreSQL of its own. The figures in
docs/performance-campaigns.md come from it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from sqlalchemy import event

from followup.store.database import Database
from followup.store.migrate import upgrade
from followup.supervise import postgres
from tests.integration.campaigns.year import TIMES, Worker, Year, problems, provider_log, summary, ticks

_TICK = os.sysconf("SC_CLK_TCK")
MOST_SHOWN = int(os.environ.get("FOLLOWUP_FIGURES_STATEMENTS", "0"))
"""So many of the dearest statements are printed too."""


class Spent:
    """Statements, seconds and CPU seconds, by part of the work."""

    def __init__(self, database: Database, server: int) -> None:
        self.statements: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.own: Counter[str] = Counter()
        self.servers: Counter[str] = Counter()
        self.each: Counter[str] = Counter()
        self.time_of: Counter[str] = Counter()
        self.part, self.server, self.began = "", server, 0.0
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._begins)
        event.listen(database.engine.sync_engine, "after_cursor_execute", self._ends)

    def _begins(self, connection: object, cursor: object, statement: str, *more: object) -> None:
        self.began = time.perf_counter()

    def _ends(self, connection: object, cursor: object, statement: str, *more: object) -> None:
        self.statements[self.part] += 1
        key = f"{self.part}: {' '.join(statement.split())[:110]}"
        self.each[key] += 1
        self.time_of[key] += time.perf_counter() - self.began

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        began, own, server = time.perf_counter(), time.process_time(), cpu_of(self.server)
        self.part = part
        yield
        self.seconds[part] += time.perf_counter() - began
        self.own[part] += time.process_time() - own
        self.servers[part] += cpu_of(self.server) - server


def cpu_of(server: int) -> float:
    """Seconds of the server and all its processes, those that have ended too; 0 for one that is not ours."""
    if not server:
        return 0.0
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    total = sum(map(int, _times(str(server))[:4]))
    for child in children:
        with suppress(OSError):
            total += sum(map(int, _times(child)[:2]))
    return total / _TICK


def _times(process: str) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]


async def play(url: str, server: int, customers: int, days: int) -> None:
    database, log = Database(url, pool_size=8), await provider_log(url)
    spent = Spent(database, server)
    try:
        year = Year(database, customers, days)
        await year.begin()
        worker = Worker(database, log)
        played = ticks(days)
        for number, at in enumerate(played):
            with spent.on("customers"):
                if number % len(TIMES) == 0:
                    await year.arrive(number // len(TIMES))
            with spent.on("clock"):
                await worker.minute(at)
            with spent.on("sending"):
                await worker.send_all(at)
            with spent.on("customers"):
                await year.react(at)
        print(f"{customers} customers, {days} days, {len(played)} ticks, {worker.sent} sends; load {os.getloadavg()[0]:.1f}")
        for part in ("clock", "sending", "customers"):
            print(
                f"  {part:10} {spent.statements[part]:7} statements ({spent.statements[part] / len(played):5.1f} a tick)"
                f" {spent.seconds[part]:7.1f} s, CPU {spent.own[part]:6.1f} s and {spent.servers[part]:6.1f} s of the server"
            )
        for key, seconds in spent.time_of.most_common(MOST_SHOWN):
            print(f"  {seconds:7.2f} s {spent.each[key]:6} x {key}")
        print(await summary(database))
        print("problems:", await problems(database, customers))
    finally:
        await log.close()
        await database.close()


def main(customers: int, days: int) -> None:
    given, process, home = os.environ.get("TEST_DATABASE_URL"), None, Path(tempfile.mkdtemp(prefix="fu-pg-"))
    if given is None:
        given, process = postgres.start(home, durable=False)
    name = f"figures_{uuid.uuid4().hex[:8]}"
    try:
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        base, question, options = given.partition("?")
        url = base.rpartition("/")[0] + f"/{name}{question}{options}"
        upgrade(url)
        asyncio.run(play(url, process.pid if process is not None else 0, customers, days))
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}")
    finally:
        if process is not None:
            postgres.stop(process)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
