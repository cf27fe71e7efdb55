"""One worker process of the long year: plays each minute the test calls out, until it is killed or the year is over.

`python -m tests.long.campaign_worker URL NUMBER`. It may be killed at any point; another one takes its number. That one begins with the
next minute that is called out: the one it came in may be over for everybody else, and no real clock is hours behind its colleagues'.
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
    worker, began = Worker(database, await provider_log(url)), False
    done = await _join(database, number)
    while True:
        async with database.session() as session:
            row = (await session.execute(text("SELECT tick, at FROM called_out"))).one()
        if row.tick == _OVER:
            break
        if row.tick > done:
            await worker.minute(row.at)
            done, began = row.tick, True
        if began:
            await worker.send_all(row.at)
            await _heard(database, number, done)
        await asyncio.sleep(_PAUSE)
    await database.close()


async def _join(database: Database, number: int) -> int:
    """The minute that is being played; the test calls out no other one until it knows of this worker."""
    async with database.session() as session:
        tick = await session.scalar(text("SELECT tick FROM called_out FOR SHARE"))
        await session.execute(_HEARD, {"worker": number, "tick": tick})
    return int(tick or 0)


async def _heard(database: Database, number: int, tick: int) -> None:
    async with database.session() as session:
        await session.execute(_HEARD, {"worker": number, "tick": tick})


_HEARD = text("INSERT INTO heard (worker, tick) VALUES (:worker, :tick) ON CONFLICT (worker) DO UPDATE SET tick = excluded.tick")


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
