"""The connection to PostgreSQL: one engine a process, one transaction a `session()`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import parse_qsl, quote

import psycopg
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from followup.store.straight import Straight, look_before_asking

DRIVER = "postgresql+psycopg"
_ALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=25000",
}
"""What every connection is opened with, unless the address says otherwise: an end that is cut off, without a word, is noticed by the other in
25 s. By themselves the systems notice after hours, and so long a machine that is gone would keep the talk it was at."""


def sqlalchemy_url(url: str, *, awaits_disk: bool = True) -> URL:
    """`url` for SQLAlchemy with psycopg 3, whichever PostgreSQL spelling it came in; its dead connections are noticed.

    Not `awaits_disk`: commits are on the disk a moment later, in their order (Database).

    Takes `postgres://`, `postgresql://` and `postgresql+driver://`, with a host or with a socket directory
    (`postgresql://user@/name?host=/run/pg`).
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"not a PostgreSQL URL: {parsed.render_as_string(hide_password=True)}")
    query = {**_ALIVE, **parsed.query}
    if not awaits_disk:
        query["options"] = f"{query['options']} -c synchronous_commit=off"
    return parsed.set(drivername=DRIVER, query=query)


def libpq_url(url: str) -> str:
    """The same for psycopg and procrastinate, which know no driver names."""
    sqlalchemy_url(url)  # refuses what is not PostgreSQL
    # Nothing that is there is written anew: SQLAlchemy would write a space in a socket directory as "+", which libpq keeps.
    address, _, query = url.partition("://")[2].partition("?")
    given = {key for key, _ in parse_qsl(query, keep_blank_values=True)}
    more = [f"{key}={quote(value)}" for key, value in _ALIVE.items() if key not in given]
    return f"postgresql://{address}?" + "&".join([*([query] if query else []), *more])


async def psycopgs(session: AsyncSession) -> psycopg.AsyncConnection:
    """The driver's connection of a session, in the session's transaction."""
    driver = (await (await session.connection()).get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver


class Database:
    """Engine and sessions.

    >>> async with database.session() as session:  # one transaction: committed at the end, rolled back on an error
    ...     await records.load_case(session, case_id)

    Not `awaits_disk`: a commit of a session does not wait until it is on the disk. For what a turn writes before its end: that end, which
    the worker writes, does wait, and PostgreSQL's log is one line. Whatever a crash of the server takes of it, it takes all that came after
    as well, and the turn is held again (docs/decisions/0016-one-wait-for-the-disk.md).
    """

    def __init__(self, url: str, *, pool_size: int = 10, awaits_disk: bool = True) -> None:
        self.url = libpq_url(url)
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url, awaits_disk=awaits_disk),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # they are customers' words, and errors go to logs
        )
        look_before_asking(self.engine.dialect)
        self._straight = Straight(self.url, pool_size)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self._sessions.begin() as session:
            yield session

    def straight(self) -> AbstractAsyncContextManager[psycopg.AsyncConnection]:
        """psycopg's own connection, on which each statement is a transaction: for the few that every turn asks.

        >>> async with database.straight() as connection:
        ...     await connection.execute("SELECT 1 FROM cases WHERE id = %(case_id)s", {"case_id": case_id})
        """
        return self._straight.connection()

    async def close(self) -> None:
        await self._straight.close()
        await self.engine.dispose()
