"""Connections of psycopg's own, for the few statements that every turn asks: each is a transaction of its own.

SQLAlchemy costs several times what such a statement itself does, its transaction two more round trips, and its look whether
the connection still stands another one. Here a statement is one round trip.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect

ASKED_SECONDS = 5.0
"""After so long without use a connection is asked whether it still stands; within it only what its socket says is looked at."""
_PATIENCE_SECONDS = 30.0


class NoneFree(psycopg.OperationalError):
    """All connections are in use, and stay so."""

    def __init__(self) -> None:
        super().__init__(f"no connection was free for {_PATIENCE_SECONDS:.0f} s")


def is_silent(connection: psycopg.Connection | psycopg.AsyncConnection) -> bool:
    """Whether nothing has come on an idle connection. A server that ended, or ended the connection, has said so or hung up."""
    if connection.closed:
        return False
    look = select.poll()
    look.register(connection.pgconn.socket, select.POLLIN | select.POLLPRI)
    return not look.poll(0)


def look_before_asking(dialect: Dialect) -> None:
    """Let a pool's look whether a connection still stands (`pool_pre_ping`) be a round trip only where `is_silent` is not enough."""
    ask = dialect.do_ping
    looked: WeakKeyDictionary[object, float] = WeakKeyDictionary()

    def stands(connection: Any) -> bool:
        driver = getattr(connection, "driver_connection", connection)
        now = time.monotonic()
        if now - looked.get(driver, -ASKED_SECONDS) >= ASKED_SECONDS or not is_silent(driver):
            looked.pop(driver, None)
            if not ask(connection):
                return False
        looked[driver] = now
        return True

    dialect.do_ping = stands  # type: ignore[method-assign]


class Straight:
    """At most `size` connections, opened as they are needed and kept; the one used last is used next."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._idle: list[tuple[psycopg.AsyncConnection, float]] = []
        self._free = asyncio.Semaphore(size)
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """A connection that stands, in autocommit. Raises psycopg.OperationalError when there is none."""
        if self._free.locked():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._free.acquire()
            except TimeoutError:
                raise NoneFree from None
        else:
            await self._free.acquire()
        try:
            connection = await self._standing()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, Exception):  # cut off: nobody knows what the last statement has done to it
                    await connection.close()
                raise
            finally:
                # Whatever became of it: one that is in the middle of something is not handed on.
                if self._closed or connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
                    await connection.close()
                else:
                    self._idle.append((connection, time.monotonic()))
        finally:
            self._free.release()

    async def _standing(self) -> psycopg.AsyncConnection:
        while self._idle:
            connection, used = self._idle.pop()
            if is_silent(connection) and time.monotonic() - used < ASKED_SECONDS:
                return connection
            try:
                await connection.execute("")
            except psycopg.Error:
                await connection.close()
            except BaseException:
                await connection.close()
                raise
            else:
                return connection
        return await psycopg.AsyncConnection.connect(self._url, autocommit=True)

    async def close(self) -> None:
        self._closed = True
        while self._idle:
            await self._idle.pop()[0].close()
