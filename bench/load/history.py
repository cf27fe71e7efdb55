"""`python -m bench.load.history [--messages 2000]`: a customer with a long talk behind them beside a new one, turn by turn.

The long talk is held by the product itself: whoever writes again after the talk is over is answered as often as they write.
Measured are turns at the gateway, old and new by turns, so that both meet the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from contextlib import AsyncExitStack
from datetime import date

from bench.customer import Customer
from bench.followup_stack import REPLIES
from bench.load.talks import make_cases
from bench.load.watch import waits
from bench.page import write_part
from followup.store.database import Database
from followup.supervise.stack import Stack
from followup.talk.inbox import accept

_TURNS = 50


async def run(messages: int) -> str:
    """The report."""
    async with Stack.temporary(durable=True) as stack:
        database = Database(stack.database_url)
        try:
            assert stack.web_url is not None
            (old, old_token), (_, new_token) = await make_cases(database, 2)
            before = os.getloadavg()[0]
            async with AsyncExitStack() as pages:
                customer = await pages.enter_async_context(Customer.opening(stack.web_url, old_token))
                for reply in REPLIES:
                    await customer.say(reply)
                grown = await _grow(database, old, messages)
                await customer.quiet()
                fresh = await pages.enter_async_context(Customer.opening(stack.web_url, new_token))
                for reply in REPLIES:
                    await fresh.say(reply)
                long: list[float] = []
                short: list[float] = []
                for _ in range(_TURNS):
                    await asyncio.sleep(1.0)  # a talk may say something once a second, after the first twenty
                    long.append(await customer.say("你们几点下班"))
                    short.append(await fresh.say("你们几点下班"))
        finally:
            await database.close()
    ratio = statistics.median(long) / statistics.median(short)
    return (
        f"{date.today().isoformat()}, {os.cpu_count()} cores, load {before:.1f} before: a turn of a customer with {grown:,} earlier messages "
        f"p50 {1000 * statistics.median(long):.0f} ms, of a new one {1000 * statistics.median(short):.0f} ms, ratio {ratio:.2f} "
        f"({len(long)} turns each, by turns)."
    )


async def _grow(database: Database, case_id: str, messages: int) -> int:
    """Let the talk have so many messages of the customer, each with its turn."""
    for number in range(messages):
        async with database.session() as session:
            await accept(session, case_id, "web", f"grow-{number}", "你们几点下班")
    began = time.monotonic()
    async with asyncio.timeout(3600):
        while await waits(database):
            await asyncio.sleep(0.5)
    print(f"{messages} messages answered in {time.monotonic() - began:.0f} s", flush=True)
    return messages


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load.history", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = parser.parse_args()
    text = asyncio.run(run(options.messages))
    print(text)
    if options.write:
        from bench.load.__main__ import PAGE

        write_part(PAGE, "history", text)


if __name__ == "__main__":
    main()
