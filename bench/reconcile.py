"""`python -m bench.reconcile [--talks 10000]`: how long `followup reconcile` takes over so many talks.

A few talks are held with the real product; their rows are then copied in the database, each copy with ids of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from datetime import date, timedelta

import psycopg

from bench.customer import Customer
from bench.load.talks import make_cases, talks
from bench.load.watch import waits
from bench.page import write_part
from followup import clock
from followup.reconcile.checks import CHECKS
from followup.reconcile.run import Report, checked, reconcile
from followup.settings import PROJECT_DIR
from followup.store.database import Database, libpq_url
from followup.supervise.stack import Stack

PAGE = PROJECT_DIR / "docs" / "performance.md"
_HELD = 20
_TABLES = {
    "contacts": {"id": "contacts"},
    "cases": {"id": "case", "contact_id": "contacts"},
    "attempts": {"id": "attempts", "case_id": "case"},
    "messages": {"id": "messages", "case_id": "case", "in_reply_to": "messages"},
    "events": {"id": "events", "sender_id": "case", "message_id": "messages"},
    "answers": {"id": "answers", "case_id": "case", "message_id": "messages"},
    "notes": {"id": "notes", "case_id": "case", "message_id": "messages"},
    "tickets": {"id": "tickets", "case_id": "case", "message_id": "messages"},
    "procrastinate_jobs": {"id": "procrastinate_jobs"},
}
"""Table -> the columns that are other ones in a copy, and whose ids they hold."""

_OF_THE_ANSWERED = "CASE WHEN direction = 'out' THEN in_reply_to + k * {} || '-' || split_part(channel_message_id, '-', 2) ELSE channel_message_id END"
"""A line of ours is named after the message that it answers."""


def multiply(connection: psycopg.Connection[tuple[object, ...]], times: int) -> None:
    """Copy every row of the talks so often. Ids of a copy are those of the first shifted by as many as there were; what looks after
    rows one by one (triggers) sleeps meanwhile."""
    connection.execute("SET session_replication_role = replica")
    spans = {table: connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0] for table in _TABLES if table != "cases"}  # type: ignore[index]
    for table, other in _TABLES.items():
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'", (table,)
        )
        columns = [str(name) for (name,) in rows if name != "queueing_lock"]
        copied = [
            _OF_THE_ANSWERED.format(spans["messages"]) if (table, column) == ("messages", "channel_message_id")
            else column if column not in other
            else f"md5({column} || k)" if other[column] == "case"
            else f"{column} + k * {spans[other[column]]}"
            for column in columns
        ]  # fmt: skip
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(copied)} FROM {table}, generate_series(1, {times}) AS k"
        )
    connection.execute("RESET session_replication_role")
    connection.commit()
    connection.autocommit = True
    connection.execute("ANALYZE")


async def run(count: int, each: bool) -> tuple[str, bool]:
    """The report, and whether all checks held."""
    async with Stack.temporary(durable=True) as stack:
        database = Database(stack.database_url)
        try:
            await _hold(stack, database)
            before = os.getloadavg()[0]
            with psycopg.connect(libpq_url(stack.database_url)) as connection:
                multiply(connection, count // _HELD - 1)
            if each:
                await _each(database)
            seconds, found = await _timed(database)
        finally:
            await database.close()
    rows = found.counts
    return (
        f"{date.today().isoformat()}, {os.cpu_count()} cores, load {before:.1f} before: {found.held} checks over {rows['cases']:,} talks with "
        f"{rows['messages']:,} messages and {rows['events']:,} events: {seconds:.1f} s; "
        + ("all held." if found.sound else f"WRONG: {[(one.key, one.count) for one in found.findings]}")
    ), found.sound


async def _timed(database: Database) -> tuple[float, Report]:
    began = time.monotonic()
    found = await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))
    return time.monotonic() - began, found


async def _each(database: Database) -> None:
    """The time of each check by itself; what is not done in two minutes is named and left."""
    for check in CHECKS:
        began, told = time.monotonic(), ""
        try:
            async with asyncio.timeout(120), database.engine.connect() as connection:
                await checked(connection, clock.now(), timedelta(0), [check])
        except TimeoutError:
            told = " not done"
        print(f"{check.key:32} {time.monotonic() - began:7.2f} s{told}", flush=True)


async def _hold(stack: Stack, database: Database) -> None:
    lines = talks(1)
    for _, token in await make_cases(database, _HELD):
        assert stack.web_url is not None
        async with Customer.opening(stack.web_url, token) as customer:
            for said in next(lines):
                await customer.say(said.text)
            await customer.quiet()
    while await waits(database):
        await asyncio.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reconcile", description=__doc__)
    parser.add_argument("--talks", type=int, default=10_000)
    parser.add_argument("--each", action="store_true", help="time every check by itself, too")
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = parser.parse_args()
    text, good = asyncio.run(run(options.talks, options.each))
    print(text)
    if options.write:
        write_part(PAGE, "reconcile", text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
