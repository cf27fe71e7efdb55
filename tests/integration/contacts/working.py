"""Does in a test what the worker does with customer files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import select

from followup.contacts import importing
from followup.store.campaign_models import Upload
from followup.store.database import Database


async def work_off(database: Database) -> None:
    """Everything that files wait for."""
    async with database.session() as session:
        waiting = (await session.scalars(select(Upload.id).where(Upload.todo != "").order_by(Upload.id))).all()
    for upload_id in waiting:
        await importing.work(database, upload_id)


@contextlib.asynccontextmanager
async def a_worker(database: Database) -> AsyncIterator[None]:
    """While the block lasts, files are worked on as they come."""

    async def go() -> None:
        while True:
            await work_off(database)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(go())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
