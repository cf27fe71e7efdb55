"""The connection to PostgreSQL: one engine a process, one transaction a `session()`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

DRIVER = "postgresql+psycopg"


def sqlalchemy_url(url: str) -> URL:
    """`url` for SQLAlchemy with psycopg 3, whichever PostgreSQL spelling it came in.

    Takes `postgres://`, `postgresql://` and `postgresql+driver://`, with a host or with a socket directory
    (`postgresql://user@/name?host=/run/pg`).
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"not a PostgreSQL URL: {parsed.render_as_string(hide_password=True)}")
    return parsed.set(drivername=DRIVER)


def libpq_url(url: str) -> str:
    """`url` for psycopg and procrastinate, which know no driver names."""
    sqlalchemy_url(url)  # refuses what is not PostgreSQL
    # Only the scheme is exchanged: SQLAlchemy would write a space in a socket directory as "+", which libpq keeps.
    return "postgresql://" + url.partition("://")[2]


class Database:
    """Engine and sessions.

    >>> async with database.session() as session:  # one transaction: committed at the end, rolled back on an error
    ...     await records.load_case(session, case_id)
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = libpq_url(url)
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # they are customers' words, and errors go to logs
            connect_args={"connect_timeout": 10},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self._sessions.begin() as session:
            yield session

    async def close(self) -> None:
        await self.engine.dispose()
