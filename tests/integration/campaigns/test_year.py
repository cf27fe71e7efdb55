"""Three campaigns over some months, in one process: see year.py for what must hold. The whole year is in tests/long."""

from __future__ import annotations

import os
import time

from followup.store.database import Database

from .year import TIMES, Worker, Year, problems, provider_log, summary, ticks

CUSTOMERS = int(os.environ.get("FOLLOWUP_YEAR_CUSTOMERS", "250"))
DAYS = int(os.environ.get("FOLLOWUP_YEAR_DAYS", "56"))


async def test_months_of_campaigns_balance(database_url: str) -> None:
    database = Database(database_url, pool_size=8)
    log = await provider_log(database_url)
    started = time.monotonic()
    try:
        year = Year(database, CUSTOMERS, DAYS)
        await year.begin()
        worker = Worker(database, log)
        for number, at in enumerate(ticks(DAYS)):
            if number % len(TIMES) == 0:
                await year.arrive(number // len(TIMES))
            await worker.minute(at)
            await worker.send_all(at)
            await year.react(at)
        print(f"{CUSTOMERS} customers, {DAYS} days, {worker.sent} sends, {time.monotonic() - started:.0f} s; {dict(year.did)}")
        print(await summary(database))
        assert await problems(database, CUSTOMERS) == []
        assert year.did["answer"] > CUSTOMERS / 20 and year.did["opt_out"] and year.did["book"]
        assert year.did["off"] and year.did["dead"] and year.did["leave"] and year.did["finish"], year.did
    finally:
        await log.close()
        await database.close()
