"""The inbox and the outbox share one order."""

import asyncio

from sqlalchemy import select, text

from followup import clock
from followup.store import messages
from followup.store.database import Database
from followup.store.models import Message
from followup.store.stored_turn import Reply
from followup.talk.inbox import accept

_BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def test_a_reply_written_while_the_customer_writes_comes_after_their_line(
    database: Database, case_id: str
) -> None:
    """Ids are drawn before a transaction commits: a page that has read line 7 would never look for a 6."""
    async with database.session() as session:
        await accept(session, case_id, "web", "first", "方便")
    async with database.straight() as connection:
        first = await messages.next_received(connection, case_id)
    assert first is not None

    async def answer() -> None:
        async with database.straight() as connection:
            assert (await messages.finish(connection, first, [Reply("好的")], clock.now())).done

    async with database.session() as writing:
        second = await accept(writing, case_id, "web", "second", "请说")
        answering = asyncio.create_task(answer())
        async with asyncio.timeout(60):
            while not await _somebody_waits(database):
                await asyncio.sleep(0.005)
        async with database.session() as session:
            # The reply waits before it has touched anything, its own message's row included.
            await session.execute(text("SELECT FROM messages FOR UPDATE NOWAIT"))
    await answering
    async with database.session() as session:
        said = await session.scalars(select(Message).where(Message.direction == "out"))
    assert [row.id > second.message_id for row in said] == [True]


async def _somebody_waits(database: Database) -> bool:
    async with database.session() as session:
        return bool(await session.scalar(_BLOCKED))
