"""The inbox and the outbox: reading what waits, writing what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.models import Message, Note
from followup.store.stored_turn import Event, Reply, Understanding

TO_A_COLLEAGUE = "said to a colleague"
"""`error` of a customer's message that the bot did not hear: a colleague was speaking."""
OUT_NOTIFICATION = "followup_out"
"""PostgreSQL channel; the payload is the case id."""


@dataclass(frozen=True)
class Waiting:
    """A row whose turn is due."""

    id: int
    case_id: str
    direction: str
    channel: str
    text: str
    created_at: datetime
    tries: int
    key: str = ""
    """`channel_message_id`."""
    taken: bool = False
    """A colleague speaks in this talk instead of the bot."""
    stored: bool = False
    """Rasa has stored the turn already: before a kill, or in a try that was taken for a failure."""


# What waits, oldest first. `{but}`: another one that is being written by the same statement.
_NEXT = """
    SELECT
        id, direction, channel, text, created_at, tries, channel_message_id,
        EXISTS (SELECT FROM take_overs WHERE take_overs.case_id = %(case_id)s AND ended_at IS NULL) AS taken,
        EXISTS (SELECT FROM events WHERE sender_id = %(case_id)s AND events.message_id = messages.id) AS stored
    FROM messages
    WHERE case_id = %(case_id)s AND status = 'received' {but}
    ORDER BY id LIMIT 1
"""
_FIRST = _NEXT.format(but="")

# One statement, one round trip. The case first, as in the inbox: one order of locks, and the ids rise in the order of the
# commits, so that a page that reads on from an id misses nothing. The replies get their ids in the order they are said in.
# What waits next is as it was when this began: what came since is seen by who looks again after letting go of the talk.
_FINISH = f"""
    WITH the_case AS MATERIALIZED (
        SELECT id FROM cases WHERE id = %(case_id)s FOR NO KEY UPDATE
    ), done AS (
        UPDATE messages
        SET status = %(status)s, error = %(error)s, intent = %(intent)s, confidence = %(confidence)s::float8,
            acts = %(acts)s::jsonb, handled_at = %(at)s
        FROM the_case
        WHERE messages.id = %(id)s AND messages.status = 'received'
        RETURNING messages.id
    ), said AS (
        INSERT INTO messages (case_id, direction, channel, channel_message_id, text, quick_replies, status, in_reply_to, created_at)
        SELECT %(case_id)s, 'out', %(channel)s, done.id || '-' || reply.number, reply.said ->> 'text',
               NULLIF(reply.said -> 'quick_replies', 'null'), 'queued', done.id, %(at)s
        FROM done CROSS JOIN jsonb_array_elements(%(replies)s::jsonb) WITH ORDINALITY AS reply (said, number)
        ORDER BY reply.number
        ON CONFLICT DO NOTHING
        RETURNING id
    ), touched AS (
        UPDATE cases SET last_message_at = %(at)s FROM done
        WHERE cases.id = %(case_id)s AND jsonb_array_length(%(replies)s::jsonb) > 0
        RETURNING cases.id
    ), told AS MATERIALIZED (
        SELECT done.id, CASE WHEN %(news)s THEN pg_notify('{OUT_NOTIFICATION}', %(case_id)s) END FROM done
    ), upcoming AS ({_NEXT.format(but="AND id <> %(id)s")})
    SELECT EXISTS (SELECT FROM told) AS done, upcoming.* FROM (VALUES (1)) AS one LEFT JOIN upcoming ON TRUE
"""


@dataclass(frozen=True)
class Finished:
    """`done` False: it had been finished before, and nothing was written. `next`: what waits after it."""

    done: bool
    next: Waiting | None


async def next_received(connection: psycopg.AsyncConnection, case_id: str) -> Waiting | None:
    """The oldest message that was not handled yet."""
    row = await (await connection.execute(_FIRST, {"case_id": case_id})).fetchone()
    return None if row is None else _waiting(case_id, *row)


def _waiting(
    case_id: str, id: int, direction: str, channel: str, text: str, created_at: datetime, tries: int, key: str, taken: bool, stored: bool
) -> Waiting:
    return Waiting(id, case_id, direction, channel, text, created_at, tries, key, taken=taken, stored=stored)


async def still_received(connection: psycopg.AsyncConnection, case_id: str) -> bool:
    """Whether anything waits."""
    row = await (await connection.execute(_STILL, {"case_id": case_id})).fetchone()
    return row is not None


_STILL = "SELECT FROM messages WHERE case_id = %(case_id)s AND status = 'received' LIMIT 1"


async def has_received(
    session: AsyncSession, case_id: str, *, after: int = 0, direction: str | None = None
) -> bool:
    """Whether messages wait, of the given direction and newer than `after`."""
    condition = [Message.case_id == case_id, Message.status == "received", Message.id > after]
    if direction is not None:
        condition.append(Message.direction == direction)
    return bool(await session.scalar(select(exists().where(*condition))))


_STORED = """
    WITH begun AS MATERIALIZED (
        SELECT id FROM events WHERE sender_id = %(case_id)s AND message_id = %(id)s
    )
    SELECT data FROM events
    WHERE sender_id = %(case_id)s AND id >= (SELECT id FROM begun) AND id < COALESCE((
        SELECT min(id) FROM events
        WHERE sender_id = %(case_id)s AND message_id IS NOT NULL AND id > (SELECT id FROM begun)
    ), 9223372036854775807)
    ORDER BY id
"""


async def stored_turn(connection: psycopg.AsyncConnection, case_id: str, message_id: int) -> list[Event]:
    """Rasa's events of the message's turn, beginning with its user event; empty when Rasa did not store it."""
    rows = await (await connection.execute(_STORED, {"case_id": case_id, "id": message_id})).fetchall()
    return [json.loads(row[0]) for row in rows]


async def finish(
    connection: psycopg.AsyncConnection,
    waiting: Waiting,
    replies: Sequence[Reply],
    at: datetime,
    *,
    understanding: Understanding | None = None,
    status: str = "handled",
    error: str | None = None,
) -> Finished:
    """Write the replies and the end of the message in one go, or nothing if that was done already.

    In autocommit it is a transaction by itself, else it belongs to the connection's.
    """
    read = understanding or Understanding(None, None, None)
    channel = await _answered_on(connection, waiting.case_id) if replies and waiting.channel == "system" else waiting.channel
    said = [{"text": reply.text, "quick_replies": reply.quick_replies or None} for reply in replies]
    given = {
        "case_id": waiting.case_id,
        "id": waiting.id,
        "status": status,
        "error": error,
        "intent": read.intent,
        "confidence": read.confidence,
        "acts": None if read.acts is None else json.dumps(read.acts),
        "at": at,
        "channel": channel,
        "replies": json.dumps(said),
        # Without a line of ours nothing else tells the page that nothing is being worked on any more.
        "news": bool(replies) or (status == "handled" and waiting.direction == "in"),
    }
    row = await (await connection.execute(_FINISH, given)).fetchone()
    assert row is not None
    return Finished(row[0], None if row[1] is None else _waiting(waiting.case_id, *row[1:]))


async def count_failure(session: AsyncSession, message_id: int, error: str) -> tuple[int, timedelta]:
    """Count a turn that failed; how many have now, and for how long (by the database's clock)."""
    now = func.clock_timestamp()
    row = (
        await session.execute(
            update(Message)
            .where(Message.id == message_id)
            .values(
                tries=Message.tries + 1,
                error=error[:500],
                failing_since=func.coalesce(Message.failing_since, now),
            )
            .returning(Message.tries, now - Message.failing_since)
        )
    ).one()
    return row[0], row[1]


async def note_failure(session: AsyncSession, waiting: Waiting, at: datetime) -> None:
    """Leave a colleague the message that no turn could be held for."""
    await session.execute(
        insert(Note)
        .values(
            case_id=waiting.case_id,
            kind="unanswered",
            topic="",
            text=waiting.text,
            message_id=waiting.id,
            created_at=at,
        )
        .on_conflict_do_nothing()
    )


_CHANNEL = """
    SELECT channel FROM messages WHERE case_id = %(case_id)s AND direction <> 'system' ORDER BY id DESC LIMIT 1
"""


async def _answered_on(connection: psycopg.AsyncConnection, case_id: str) -> str:
    """`customers_channel`."""
    row = await (await connection.execute(_CHANNEL, {"case_id": case_id})).fetchone()
    return row[0] if row is not None else "web"


async def customers_channel(session: AsyncSession, case_id: str) -> str:
    """Where the customer was heard or spoken to last; the web before anything was said."""
    channel = await session.scalar(
        select(Message.channel)
        .where(Message.case_id == case_id, Message.direction != "system")
        .order_by(Message.id.desc())
        .limit(1)
    )
    return channel or "web"


async def offered(session: AsyncSession, case_id: str, channel: str) -> tuple[str, ...]:
    """The choices of what was said last, if it was said on this channel."""
    row = (
        await session.execute(
            select(Message.quick_replies, Message.channel)
            .where(Message.case_id == case_id, Message.direction == "out")
            .order_by(Message.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return tuple(map(str, row.quick_replies or ())) if row is not None and row.channel == channel else ()
