"""What customers feel of a training: `python -m bench.training [--blocks N]`.

One stack, one training beside it. The training is held up and let go again in turns (SIGSTOP, SIGCONT of its processes), so
that both kinds of blocks meet the same machine, model and customers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
from contextlib import suppress

import psutil

from bench.customer import Customer
from bench.followup_stack import REPLIES, link
from followup.store.database import Database
from followup.supervise.stack import Stack
from followup.training import jobs

_TALKS = 3
"""A block's."""


async def measure(blocks: int) -> tuple[list[float], list[float], float]:
    """Seconds of turns without and with the training, and the processor seconds that the training got."""
    without: list[float] = []
    beside: list[float] = []
    async with Stack.temporary(worker=True, durable=True) as stack:
        database = Database(stack.database_url)
        await _block(stack)  # warms everything up
        async with database.session() as session:
            version = await jobs.new_version(session, None)
        training = asyncio.create_task(jobs.attend(database, version, {"FOLLOWUP_HOME": str(stack.settings.home)}))
        await asyncio.sleep(5)
        for _ in range(blocks):
            _send(signal.SIGSTOP)
            without += await _block(stack)
            _send(signal.SIGCONT)
            if training.done():
                break
            beside += await _block(stack)
        seconds = sum(sum(one.cpu_times()[:2]) for one in _training())
        training.cancel()
        await asyncio.gather(training, return_exceptions=True)
        await database.close()
    return without, beside, seconds


def _training() -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    found = []
    for one in mine:
        with suppress(psutil.Error):
            if "followup.training.run" in one.cmdline():
                found += [one, *one.children(recursive=True)]
    return found


def _send(number: int) -> None:
    for one in _training():
        with suppress(ProcessLookupError):
            os.kill(one.pid, number)


async def _block(stack: Stack) -> list[float]:
    turns: list[float] = []
    for _ in range(_TALKS):
        assert stack.web_url is not None
        async with Customer.opening(stack.web_url, await link(stack.database_url)) as customer:
            turns += [await customer.say(text) for text in REPLIES]
    return turns


def _figures(turns: list[float]) -> tuple[float, float]:
    return 1000 * statistics.median(turns), 1000 * statistics.quantiles(turns, n=20, method="inclusive")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--blocks", type=int, default=12)
    without, beside, seconds = asyncio.run(measure(parser.parse_args().blocks))
    print(f"load {os.getloadavg()[0]:.1f}; the training got {seconds:.0f} s of the processor")
    for name, turns in (("without", without), ("beside a training", beside)):
        p50, p95 = _figures(turns)
        print(f"{name}: {len(turns)} turns, p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
