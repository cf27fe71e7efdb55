"""`python -m bench.load.burst [--rate 100] [--seconds 60]`: more than can be answered at once, accepted and then drained.

Messages are sent at the rate, each by another customer than the one before, whatever the answers do. The way in is the public
one, `POST /chat/messages`; a message counts as accepted with its 202.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import time
from datetime import date, timedelta

import aiohttp

from bench.load import talks
from bench.load.watch import turns_of
from bench.page import write_part
from followup import clock
from followup.reconcile.run import reconcile
from followup.store.database import Database
from followup.supervise.stack import Stack

_SAY = ("方便", "朋友介绍的", "价格还可以", "期限挺合适的", "服务很好，谢谢", "没有了")


async def run(rate: float, seconds: float, customers: int) -> tuple[str, bool]:
    """The report, and whether everything was accepted and answered."""
    async with Stack.temporary(durable=True) as stack:
        database = Database(stack.database_url)
        try:
            assert stack.web_url is not None
            jars = await _customers(stack.web_url, database, customers)
            before = os.getloadavg()[0]
            began = time.monotonic()
            taken, refused = await _fire(stack.web_url, jars, rate, seconds)
            accepted_in = time.monotonic() - began
            wanted = len(taken) + len(jars)
            async with asyncio.timeout(3600):
                while (held := await turns_of(database)) < wanted:
                    await asyncio.sleep(0.5)
            drained_in = time.monotonic() - began
            found = await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))
        finally:
            await database.close()
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    text = (
        f"{date.today().isoformat()}, {os.cpu_count()} cores, load {before:.1f} before (the sender runs on the same cores): "
        f"{rate:g} messages/s for {seconds:g} s by {len(jars)} customers: {len(taken):,} accepted in {accepted_in:.0f} s, {refused} refused; "
        f"acknowledged after p50 {1000 * cuts[49]:.0f} ms, p95 {1000 * cuts[94]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms, "
        f"the slowest {1000 * max(taken):.0f} ms. All {held:,} turns held {drained_in:.0f} s after the first message, "
        f"{len(taken) / drained_in:.1f} a second; `followup reconcile`: "
        f"{f'{found.held} checks, all held' if found.sound else [one.key for one in found.findings]}."
    )
    return text, not refused and found.sound


async def _customers(base: str, database: Database, count: int) -> list[dict[str, str]]:
    """Their cookies; every talk is opened and its opening held."""
    jars = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for _, token in await talks.make_cases(database, count):
            async with http.post(f"{base}/c/{token}/start", allow_redirects=False) as response:
                assert response.status == 303, response.status
                jars.append({name: morsel.value for name, morsel in response.cookies.items()})
    async with asyncio.timeout(1200):
        while await turns_of(database) < count:
            await asyncio.sleep(0.5)
    return jars


async def _fire(base: str, jars: list[dict[str, str]], rate: float, seconds: float) -> tuple[list[float], int]:
    """Seconds until each 202, and how many were answered by something else."""
    taken: list[float] = []
    refused = 0
    connector = aiohttp.TCPConnector(limit=500)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http, asyncio.TaskGroup() as group:

        async def send(number: int) -> None:
            nonlocal refused
            customer, line = number % len(jars), _SAY[number // len(jars) % len(_SAY)]
            cookie = "; ".join(f"{name}={value}" for name, value in jars[customer].items())
            body = {"client_msg_id": secrets.token_hex(8), "text": line}
            began = time.perf_counter()
            async with http.post(f"{base}/chat/messages", json=body, headers={"Cookie": cookie}) as response:
                await response.read()
                refused += response.status != 202
            taken.append(time.perf_counter() - began)

        began = time.monotonic()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            group.create_task(send(number))
    return taken, refused


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load.burst", description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--customers", type=int, default=600)
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = parser.parse_args()
    text, good = asyncio.run(run(options.rate, options.seconds, options.customers))
    print(text)
    if options.write:
        from bench.load.__main__ import PAGE

        write_part(PAGE, "burst", text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
