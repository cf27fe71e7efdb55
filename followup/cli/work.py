"""One piece of work in the installation's database, for commands that are not a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from followup.settings import Settings
from followup.supervise.postgres import PostgresError, database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


def in_database(settings: Settings, work: "Callable[[AsyncSession], Awaitable[T]]") -> T:
    """`work` in one transaction, the schema brought up to date first. A database that cannot be reached is told in a line."""
    try:
        with database(settings) as url:
            return asyncio.run(_in_session(url, work))
    except PostgresError as error:
        raise click.ClickException(str(error)) from None


async def _in_session(url: str, work: "Callable[[AsyncSession], Awaitable[T]]") -> T:
    from followup.store.database import Database
    from followup.store.migrate import upgrade

    await asyncio.to_thread(upgrade, url)
    store = Database(url, pool_size=2)
    try:
        async with store.session() as session:
            return await work(session)
    finally:
        await store.close()
