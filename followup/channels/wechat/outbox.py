"""The rows of an outbox that 公众号 and 微信客服 share: queued -> sending -> sent | failed | unknown, each sent at most once (0013)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Text, bindparam, exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.channels.wechat.plan import Line
from followup.store.database import Database
from followup.store.models import Case, Contact, Message
from followup.store.records import blocked

INTERRUPTED = "interrupted"
STALE = timedelta(minutes=2)
"""No request takes so long: what is still `sending` then belongs to a killed process."""


async def has_queued(session: AsyncSession, case_id: str, channel: str) -> bool:
    """Whether something waits to be sent in the talk."""
    return bool(await session.scalar(_HAS_QUEUED, {"case": case_id, "channel": channel}))


_HAS_QUEUED = select(
    exists().where(
        Message.case_id == bindparam("case", type_=Text), Message.direction == "out",
        Message.channel == bindparam("channel", type_=Text), Message.status == "queued",
    )
)  # fmt: skip


async def channels(database: Database, case_id: str, prefix: str) -> list[str]:
    """Of what is queued or being sent in the talk; `prefix`: of the channels."""
    async with database.straight() as connection:
        found = await connection.execute(_CHANNELS, {"case_id": case_id, "like": f"{prefix}%"})
        return [channel for (channel,) in await found.fetchall()]


_CHANNELS = """
    SELECT DISTINCT channel FROM messages
    WHERE case_id = %(case_id)s AND direction = 'out' AND status IN ('queued', 'sending') AND channel LIKE %(like)s
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """What an outbox holds for one talk: `lines` are to be said; `under_way`: others are being sent now."""

    lines: list[Line]
    under_way: bool


async def take_stock(session: AsyncSession, case_id: str, channel: str, at: datetime) -> Stock:
    """The rows, locked, oldest first; what we began ourselves is not said any more to who opted out.

    What an earlier sender left `sending` for too long is `unknown`: nobody can say whether it went.
    """
    rows = (await session.execute(_STOCK, {"case": case_id, "channel": channel})).all()
    stale = [row.id for row in rows if row.status == "sending" and row.handled_at <= at - STALE]
    if stale:
        await session.execute(update(Message).where(Message.id.in_(stale)).values(status="unknown", error=INTERRUPTED))
    queued = [row for row in rows if row.status == "queued"]
    if queued and queued[0].blocked:
        await mark(session, [row.id for row in queued if row.ours], "failed", at, error="do_not_contact")
        queued = [row for row in queued if not row.ours]
    lines = [Line(row.id, row.text, tuple(map(str, row.quick_replies or ()))) for row in queued]
    return Stock(lines, under_way=len(rows) > len(stale) + sum(row.status == "queued" for row in rows))


def _stock() -> Select[Any]:
    of_talk, answered = bindparam("case", type_=Text), aliased(Message)
    stops = select(blocked(Contact.id, Contact.phone)).select_from(Contact).join(Case, Case.contact_id == Contact.id).where(Case.id == of_talk)
    return (
        select(
            Message.id, Message.text, Message.quick_replies, Message.status, Message.handled_at,
            (answered.channel == "system").label("ours"), stops.scalar_subquery().label("blocked"),
        )
        .outerjoin(answered, answered.id == Message.in_reply_to)
        .where(Message.case_id == of_talk, Message.direction == "out", Message.channel == bindparam("channel", type_=Text))
        .where(Message.status.in_(("queued", "sending")))
        .order_by(Message.id)
        .with_for_update(of=Message)
    )  # fmt: skip


_STOCK = _stock()


async def mark(session: AsyncSession, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    if rows:
        await session.execute(update(Message).where(Message.id.in_(rows)).values(status=status, error=error, handled_at=at))


async def settle(database: Database, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    """What became of rows that are `sending`. `queued`: certainly not sent, to be tried again."""
    if rows:
        async with database.straight() as connection:
            await connection.execute(_SETTLE, {"rows": list(rows), "status": status, "error": error, "at": at})


_SETTLE = """
    UPDATE messages SET status = %(status)s, error = %(error)s, handled_at = %(at)s WHERE id = ANY(%(rows)s) AND status = 'sending'
"""


async def give_up_stale(session: AsyncSession, prefix: str, at: datetime) -> int:
    """What killed processes left `sending` becomes `unknown`; `prefix`: of the channels."""
    stale = [Message.direction == "out", Message.status == "sending", Message.handled_at <= at - STALE]
    stale += [Message.channel.startswith(prefix)]
    done = await session.execute(update(Message).where(*stale).values(status="unknown", error=INTERRUPTED))
    return int(done.rowcount)  # type: ignore[attr-defined]


async def lost(session: AsyncSession, prefix: str, task: str) -> list[str]:
    """The talks with queued rows and no job. Rows that wait for the customer have a reason in `error`, and need none until then."""
    return list(await session.scalars(_LOST, {"task": task, "like": f"{prefix}%"}))


_LOST = text(
    """
    SELECT DISTINCT case_id FROM messages
    WHERE direction = 'out' AND status = 'queued' AND channel LIKE :like AND error IS NULL AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        WHERE job.task_name = :task AND job.status IN ('todo', 'doing') AND job.args ->> 'case_id' = messages.case_id
    )
    """
)


_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, CASE WHEN CAST(:after AS interval) = interval '0' THEN CAST(:lock AS text) END, NULL, CAST(:args AS jsonb),
            CASE WHEN CAST(:after AS interval) > interval '0' THEN clock_timestamp() + CAST(:after AS interval) END)
        ::procrastinate_job_to_defer_v1
    ])
    WHERE NOT (CAST(:once AS boolean) AND EXISTS (
        SELECT FROM procrastinate_jobs WHERE status = 'todo' AND lock = :lock AND task_name = :task AND scheduled_at IS NULL
    ))
    """
)


async def defer(session: AsyncSession, queue: str, task: str, args: str, lock: str, after: timedelta, *, once: bool = False) -> None:
    """A job, in the session's transaction; `args`: JSON. One that waits for its time holds no lock: no later job overtakes a lock.

    `once`: not when one has yet to begin. For who holds a lock that the job asks for first: it sees what is written here.
    """
    values = {"queue": queue, "task": task, "args": args, "lock": lock, "after": after, "once": once}
    await session.execute(_DEFER, values)
