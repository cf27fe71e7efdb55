"""Brings what was published to the processes: each asks every second whether there is something new."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from followup.scripts import published
from followup.scripts.published import Kind, Name, Published
from followup.store.database import Database
from followup.store.script_models import PublishedScript

SECONDS = 1.0
_log = logging.getLogger(__name__)
_known: tuple[int, int] | None = None
"""Publications and the newest one's number, as they were read last."""


async def refresh(session: AsyncSession) -> None:
    """Have what is published lie over the files in this process."""
    global _known
    count, newest = (await session.execute(select(func.count(), func.coalesce(func.max(PublishedScript.id), 0)))).one()
    if (count, newest) == _known:
        return
    rows = await session.scalars(
        select(PublishedScript)
        .distinct(PublishedScript.kind, PublishedScript.script_id)
        .order_by(PublishedScript.kind, PublishedScript.script_id, PublishedScript.id.desc())
    )
    published.lay_over({Name(Kind(row.kind), row.script_id): Published(row.id, row.text) for row in rows})
    _known = (count, newest)


def forget() -> None:
    """As at the start of a process: the files are in force until the next `refresh`."""
    global _known
    _known = None
    published.clear()


async def watch(database: Database) -> None:
    """Go on for ever. While the database does not answer, what was known stays in force."""
    told = False
    while True:
        try:
            async with database.session() as session:
                await refresh(session)
            told = False
        except (SQLAlchemyError, OSError) as error:
            if not told:
                _log.warning("what is published cannot be read: %s", type(error).__name__)
            told = True
        await asyncio.sleep(SECONDS)


@contextlib.asynccontextmanager
async def watched(database: Database) -> AsyncIterator[None]:
    """What is published is in force while the block runs; afterwards the files."""
    with contextlib.suppress(SQLAlchemyError, OSError):  # `watch` tells of it
        async with database.session() as session:
            await refresh(session)
    task = asyncio.create_task(watch(database), name="watch what is published")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        forget()
