"""`python -m bench.load.day [--turns 20000]`: a day's worth of turns as fast as they go; the memory of each process on the way.

Whole talks through the public interface, each with a page of its own, several at a time; a new customer for every talk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from datetime import date

from bench.customer import Customer
from bench.followup_stack import REPLIES
from bench.load.talks import make_cases
from bench.load.watch import Watch, turns_of
from bench.page import write_part
from followup.store.database import Database
from followup.supervise.stack import Stack

_EVERY = 1000
"""Turns from one sample to the next."""
_MOST_GROWTH = 0.05
"""Between the middle third and the last third of the samples; caches are full by then."""
_PYTHON = ("actions", "rasa", "worker", "web")
"""PostgreSQL fills its shared buffers, up to a bound, as long as there is something new to keep."""


async def run(turns: int, at_once: int) -> tuple[str, bool]:
    """The report, and whether no process grows."""
    async with Stack.temporary(durable=True) as stack:
        database = Database(stack.database_url)
        watch = Watch(stack.pids, database)
        before, began = os.getloadavg()[0], time.monotonic()
        starts = {name: stack.starts(name) for name in _PYTHON}
        try:
            watching = asyncio.create_task(_sample(watch, began))
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(_customers(stack, database, turns))
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await watch.take(began)
            held = await turns_of(database)
        finally:
            await database.close()
        restarted = [name for name in _PYTHON if stack.starts(name) != starts[name]]
    growth = growth_of(watch)
    told = ", ".join(f"{name} {100 * share:+.1f} %" for name, share in growth.items())
    good = not restarted and all(share <= _MOST_GROWTH for share in growth.values())
    text = (
        f"{date.today().isoformat()}, {os.cpu_count()} cores, load {before:.1f} before: {held:,} turns in "
        f"{(time.monotonic() - began) / 60:.0f} min, {at_once} customers at a time. From the middle third of the samples to the last: {told}."
        f"{f' Restarted: {restarted}.' if restarted else ''}\n\n{watch.table(22)}"
    )
    return text, good


def growth_of(watch: Watch) -> dict[str, float]:
    """By process: how much larger the last third of the samples is than the middle one, by their medians."""
    third = max(1, len(watch.samples) // 3)
    growth = {}
    for name in _PYTHON:
        sizes = [memory[name] for _, _, memory in watch.samples if name in memory]
        if not sizes:
            continue
        growth[name] = statistics.median(sizes[-third:]) / statistics.median(sizes[-2 * third : -third] or sizes) - 1
    return growth


async def _sample(watch: Watch, began: float) -> None:
    at = 0
    while True:
        if (turns := await turns_of(watch.database)) >= at:
            await watch.take(began)
            at = turns + _EVERY
        await asyncio.sleep(0.5)


async def _customers(stack: Stack, database: Database, turns: int) -> None:
    """Talks until there were so many turns, all customers together."""
    assert stack.web_url is not None
    while await turns_of(database) < turns:
        [(_, token)] = await make_cases(database, 1)
        async with Customer.opening(stack.web_url, token) as customer:
            for reply in REPLIES:
                await customer.say(reply)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load.day", description=__doc__)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = parser.parse_args()
    text, good = asyncio.run(run(options.turns, options.at_once))
    print(text)
    if options.write:
        from bench.load.__main__ import PAGE

        write_part(PAGE, "day", text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
