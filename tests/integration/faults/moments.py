"""The moments of a turn at which a process is killed.

Some are a time after the acknowledgement. The others are steps of the turn that take a millisecond: there the test holds
a lock that the step needs, sees the step wait for it, kills, and lets go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

from sqlalchemy import text

from followup.store.database import Database


class Moment(Enum):
    BEFORE_SENDING = "before the customer sends"
    ANSWER_LOST = "the message is taken, its acknowledgement is lost"
    ACKNOWLEDGED = 0.0
    MS_5 = 0.005
    MS_20 = 0.02
    MS_50 = 0.05
    MS_100 = 0.1
    WRITING = "an action writes the answer"
    STORING = "the answer is written, Rasa stores the turn"
    STORING_LONG = "Rasa has not yet stored the turn when the process is back"
    FINISHING = "Rasa has stored the turn, the worker writes the replies"


STEPS = frozenset({Moment.WRITING, Moment.STORING, Moment.STORING_LONG, Moment.FINISHING})
HELD_BEFORE_SENDING = frozenset({Moment.STORING, Moment.STORING_LONG})
"""Nothing else needs their lock, so they cannot be missed."""

_TRACKER = text("SELECT pg_advisory_xact_lock(hashtextextended('tracker:' || :case_id, 0))")
_HOLD = {
    Moment.WRITING: text("SELECT FROM cases WHERE id = :case_id FOR NO KEY UPDATE"),
    Moment.STORING: _TRACKER,
    Moment.STORING_LONG: _TRACKER,
    # Not FOR UPDATE: what the actions write refers to this row.
    Moment.FINISHING: text("SELECT FROM messages WHERE case_id = :case_id AND status = 'received' FOR NO KEY UPDATE"),
}
_WAITS = text("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid)))")
_IS_OVER = text("SELECT NOT EXISTS (SELECT FROM messages WHERE case_id = :case_id AND status = 'received')")
_IS_HELD = text(
    """
    SELECT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND (classid::bigint << 32 | objid::bigint) = hashtextextended('turn:' || :case_id, 0)
    )
    """
)
_LOOK_EVERY = 0.002
_TO_ASK_RASA = 0.5
"""Seconds. A worker that has taken the conversation asks Rasa within a hundredth of that."""


@asynccontextmanager
async def held(database: Database, moment: Moment, case_id: str) -> AsyncIterator[int]:
    """Hold the step up as long as the block lasts; yields the holder for `reached`."""
    async with database.engine.begin() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        await connection.execute(_HOLD[moment], {"case_id": case_id})
        yield int(pid or 0)


async def reached(database: Database, holder: int, case_id: str) -> bool:
    """Until the step waits for the holder; False when the turn was over before it was held up."""
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        while not await connection.scalar(_WAITS, {"pid": holder}):
            if await connection.scalar(_IS_OVER, {"case_id": case_id}):
                return False
            await asyncio.sleep(_LOOK_EVERY)
    return True


async def asked_again(database: Database, case_id: str) -> None:
    """Until a worker holds the conversation, and has had the time to ask Rasa."""
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        while not await connection.scalar(_IS_HELD, {"case_id": case_id}):
            await asyncio.sleep(_LOOK_EVERY)
    await asyncio.sleep(_TO_ASK_RASA)
