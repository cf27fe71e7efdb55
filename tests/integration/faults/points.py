"""The named points of a process: just before and just after each transaction that writes, each job's end, each message that goes out.

Nobody lists them. A point is named by the function that opened the transaction, so a new one is found, and killed at, by itself.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from procrastinate.manager import JobManager
from psycopg import AsyncConnection
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.database import Database

KILLED = "!"
"""Stands in the log before the name of the point at which the process died."""
_ROOT = Path(__file__).parents[3]
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE \w+|DELETE FROM|procrastinate_defer_jobs_v1|CREATE|ALTER|DROP)\b")
_wrote: ContextVar[list[bool] | None] = ContextVar("wrote", default=None)


@dataclass
class Points:
    """What this process passes is appended to the file `log`. It dies at its `nth` point, or at the first whose name is not in `spared`."""

    log: int
    nth: int = 0
    spared: frozenset[str] | None = None
    passed: int = 0

    def __call__(self, name: str) -> None:
        self.passed += 1
        if self.passed == self.nth or self.spared is not None and name not in self.spared:
            os.write(self.log, f"{KILLED}{name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(self.log, f"{name}\n".encode())


_now: list[Points] = []


def begin(points: Points) -> None:
    """From now on these."""
    if not _now:
        _install()
    _now[:] = [points]


def point(name: str) -> None:
    """The process is at this point."""
    _now[0](name)


def around(owner: Any, method: str, name: str) -> None:
    """Points before and after an asynchronous method."""
    plain: Callable[..., Awaitable[Any]] = getattr(owner, method)

    @wraps(plain)
    async def pointed(*given: Any, **more: Any) -> Any:
        point(f"{name} before")
        done = await plain(*given, **more)
        point(f"{name} after")
        return done

    setattr(owner, method, pointed)


def _install() -> None:
    plain = Database.session

    @asynccontextmanager
    async def session(database: Database) -> AsyncIterator[AsyncSession]:
        name = _caller()
        async with marked(plain(database), lambda when: point(f"{name} {when}")) as opened:
            yield opened

    Database.session = session  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", notice)
    execute = AsyncConnection.execute

    async def pointed(connection: AsyncConnection, query: Any, *given: Any, **more: Any) -> Any:
        """A statement of `Database.straight` is a transaction: it is named by who asks it."""
        if not connection.autocommit or not writes(query):
            note(query)
            return await execute(connection, query, *given, **more)
        name = _caller()
        point(f"{name} before")
        done = await execute(connection, query, *given, **more)
        point(f"{name} after")
        return done

    AsyncConnection.execute = pointed  # type: ignore[method-assign]
    around(JobManager, "finish_job", "procrastinate: a job ends")
    around(JobManager, "retry_job", "procrastinate: a job is put off")


@asynccontextmanager
async def marked(transaction: AbstractAsyncContextManager[AsyncSession], mark: Callable[[str], None]) -> AsyncIterator[AsyncSession]:
    """The transaction; if it writes, with a mark "before" and one "after" its commit. `notice` must hear the engine's statements."""
    wrote = [False]
    async with transaction as opened:
        token = _wrote.set(wrote)
        try:
            yield opened
        finally:
            _wrote.reset(token)
        within = opened.sync_session
        wrote[0] = wrote[0] or bool(within.dirty or within.new or within.deleted)
        if wrote[0]:
            mark("before")
    if wrote[0]:
        mark("after")


def writes(query: str | bytes) -> bool:
    """Whether a statement of psycopg's changes anything."""
    return _WRITES.search(query.decode() if isinstance(query, bytes) else query) is not None


def note(query: str | bytes) -> None:
    """A statement was asked within a transaction."""
    if (wrote := _wrote.get()) is not None and writes(query):
        wrote[0] = True


def notice(_: Any, __: Any, statement: str, *rest: Any) -> None:
    note(statement)


def _caller() -> str:
    """`module: function` of whoever opened the transaction: the innermost frame of the product."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and ".venv" not in path.parts and path != Path(__file__) and path.name != "database.py":
            return f"{'.'.join(path.relative_to(_ROOT).with_suffix('').parts)}: {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "?"
