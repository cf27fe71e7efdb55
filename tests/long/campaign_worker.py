"""One worker process of the long year: plays each minute the test calls out, until it is killed or the year is over.

`python -m tests.long.campaign_worker URL NUMBER`. It may be killed at any point; another one takes its number.
"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text

from followup.store.database import Database
from tests.integration.campaigns.year import Worker, provider_log

_OVER = -1
_PAUSE = 0.05


async def work(url: str, number: int) -> None:
    database = Database(url, pool_size=6)
    worker = Worker(database, await provider_log(url))
    done = 0
    await _heard(database, number, done)  # before it asks for the minute: nobody goes on while it plays one
    while True:
        async with database.session() as session:
            row = (await session.execute(text("SELECT tick, at FROM called_out"))).one()
        if row.tick == _OVER:
            break
        if row.tick > done:
            await worker.minute(row.at)
            done = row.tick
        if row.tick:
            await worker.send_all(row.at)
        await _heard(database, number, done)
        await asyncio.sleep(_PAUSE)
    await database.close()


async def _heard(database: Database, number: int, tick: int) -> None:
    async with database.session() as session:
        await session.execute(
            text("INSERT INTO heard (worker, tick) VALUES (:worker, :tick) ON CONFLICT (worker) DO UPDATE SET tick = excluded.tick"),
            {"worker": number, "tick": tick},
        )


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
