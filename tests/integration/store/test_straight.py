"""Connections without a transaction around each statement: one that ended is not used, one that was cut off is not handed on."""

import asyncio

import pytest
from sqlalchemy import text

from followup.store.database import Database

_PID = "SELECT pg_backend_pid()"
_ALL_OTHERS = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")


async def pid_of(database: Database) -> int:
    async with database.straight() as connection:
        return (await (await connection.execute(_PID)).fetchone())[0]


@pytest.fixture
async def own(database: Database):
    own = Database(database.url, pool_size=2)
    yield own
    await own.close()


async def test_the_connection_that_was_used_last_is_used_next(own: Database) -> None:
    assert await pid_of(own) == await pid_of(own)


async def test_a_connection_that_the_server_ended_just_now_is_not_used(database: Database, own: Database) -> None:
    before = await pid_of(own)
    async with own.session() as session:
        session_before = await session.scalar(text(_PID))
    async with database.session() as session:
        await session.execute(_ALL_OTHERS)
    await asyncio.sleep(0.1)
    assert await pid_of(own) != before
    async with own.session() as session:
        assert await session.scalar(text(_PID)) != session_before


async def test_a_connection_that_was_cut_off_in_a_statement_is_not_handed_on(database: Database, own: Database) -> None:
    before = await pid_of(own)

    async def lock_and_wait() -> None:
        async with own.straight() as connection:
            await connection.execute("SELECT pg_advisory_lock(4711), pg_sleep(60)")

    task = asyncio.create_task(lock_and_wait())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await pid_of(own) != before
    async with database.session() as session:
        assert await session.scalar(text("SELECT pg_try_advisory_lock(4711)")), "the lock went with the connection"


async def test_a_statement_that_fails_leaves_the_connection_as_it_was(own: Database) -> None:
    before = await pid_of(own)
    with pytest.raises(Exception, match="division"):
        async with own.straight() as connection:
            await connection.execute("SELECT 1 / 0")
    assert await pid_of(own) == before


async def test_who_finds_all_connections_in_use_waits_for_one(own: Database) -> None:
    async def hold() -> int:
        async with own.straight() as connection:
            return (await (await connection.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")).fetchone())[0]

    assert len(set(await asyncio.gather(*(hold() for _ in range(6))))) == 2
