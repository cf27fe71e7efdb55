"""The inbox and the outbox: reading what waits, writing what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Boolean, DateTime, Float, String, bindparam, exists, func, or_, select, update
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from followup.store.models import Message, Note, RasaEvent
from followup.store.stored_turn import Event, Reply, Understanding
from followup.store.takeovers import is_taken

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


# One statement, one round trip. The case first, as in the inbox: one order of locks, and the ids rise in the order of the
# commits, so that a page that reads on from an id misses nothing. The replies get their ids in the order they are said in.
_FINISH = sql(
    f"""
    WITH the_case AS MATERIALIZED (
        SELECT id FROM cases WHERE id = :case_id FOR NO KEY UPDATE
    ), done AS (
        UPDATE messages
        SET status = :status, error = :error, intent = :intent, confidence = :confidence, acts = CAST(:acts AS jsonb), handled_at = :at
        FROM the_case
        WHERE messages.id = :id AND messages.status = 'received'
        RETURNING messages.id
    ), said AS (
        INSERT INTO messages (case_id, direction, channel, channel_message_id, text, quick_replies, status, in_reply_to, created_at)
        SELECT :case_id, 'out', :channel, done.id || '-' || reply.number, reply.said ->> 'text',
               NULLIF(reply.said -> 'quick_replies', 'null'), 'queued', done.id, :at
        FROM done CROSS JOIN jsonb_array_elements(CAST(:replies AS jsonb)) WITH ORDINALITY AS reply (said, number)
        ORDER BY reply.number
        ON CONFLICT DO NOTHING
        RETURNING id
    ), touched AS (
        UPDATE cases SET last_message_at = :at FROM done
        WHERE cases.id = :case_id AND jsonb_array_length(CAST(:replies AS jsonb)) > 0
        RETURNING cases.id
    )
    SELECT done.id, CASE WHEN :news THEN pg_notify('{OUT_NOTIFICATION}', :case_id) END AS told FROM done
    """
).bindparams(
    bindparam("case_id", type_=String),
    bindparam("id", type_=BigInteger),
    bindparam("channel", type_=String),
    bindparam("status", type_=String),
    bindparam("error", type_=String),
    bindparam("intent", type_=String),
    bindparam("confidence", type_=Float),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("news", type_=Boolean),
)


async def next_received(session: AsyncSession | AsyncConnection, case_id: str) -> Waiting | None:
    """The oldest message that was not handled yet."""
    is_stored = exists().where(RasaEvent.sender_id == Message.case_id, RasaEvent.message_id == Message.id)
    row = (
        await session.execute(
            select(
                Message.id,
                Message.direction,
                Message.channel,
                Message.text,
                Message.created_at,
                Message.tries,
                Message.channel_message_id,
                is_taken(case_id).label("taken"),
                is_stored.label("stored"),
            )
            .where(Message.case_id == case_id, Message.status == "received")
            .order_by(Message.id)
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    return Waiting(
        row.id, case_id, row.direction, row.channel, row.text, row.created_at, row.tries, row.channel_message_id,
        taken=row.taken, stored=row.stored,
    )  # fmt: skip


async def has_received(
    session: AsyncSession | AsyncConnection, case_id: str, *, after: int = 0, direction: str | None = None
) -> bool:
    """Whether messages wait, of the given direction and newer than `after`."""
    condition = [Message.case_id == case_id, Message.status == "received", Message.id > after]
    if direction is not None:
        condition.append(Message.direction == direction)
    return bool(await session.scalar(select(exists().where(*condition))))


async def stored_turn(session: AsyncSession, case_id: str, message_id: int) -> list[Event]:
    """Rasa's events of the message's turn, beginning with its user event; empty when Rasa did not store it."""
    start = (
        select(RasaEvent.id).where(RasaEvent.sender_id == case_id, RasaEvent.message_id == message_id).scalar_subquery()
    )
    next_turn = (
        select(func.min(RasaEvent.id))
        .where(RasaEvent.sender_id == case_id, RasaEvent.message_id.is_not(None), RasaEvent.id > start)
        .scalar_subquery()
    )
    rows = await session.scalars(
        select(RasaEvent.data)
        .where(
            RasaEvent.sender_id == case_id,
            RasaEvent.id >= start,
            or_(next_turn.is_(None), RasaEvent.id < next_turn),
        )
        .order_by(RasaEvent.id)
    )
    return [json.loads(data) for data in rows]


async def finish(
    session: AsyncSession,
    waiting: Waiting,
    replies: Sequence[Reply],
    at: datetime,
    *,
    understanding: Understanding | None = None,
    status: str = "handled",
    error: str | None = None,
) -> bool:
    """Write the replies and the end of the message in one go. False, writing nothing, if that was done already."""
    read = understanding or Understanding(None, None, None)
    channel = await customers_channel(session, waiting.case_id) if replies and waiting.channel == "system" else waiting.channel
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
    done = (await session.execute(_FINISH, given)).one_or_none() is not None
    session.expire_all()  # what this session has read of these rows is not so any more
    return done


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
