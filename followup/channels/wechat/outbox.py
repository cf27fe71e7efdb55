"""The rows of an outbox that 公众号 and 微信客服 share: queued -> sending -> sent | failed | unknown, each sent at most once (0013)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.plan import Line
from followup.store.models import Case, Message
from followup.store.records import is_blocked

STALE = timedelta(minutes=2)
"""No request takes so long: what is still `sending` then belongs to a killed process."""


async def has_queued(session: AsyncSession, case_id: str, channel: str) -> bool:
    """Whether something waits to be sent in the talk."""
    return bool(await session.scalar(select(exists().where(*standing(case_id, channel, "queued")))))


async def lines(session: AsyncSession, case_id: str, channel: str, at: datetime) -> list[Line]:
    """What is to be said, oldest first; what we began ourselves is not said any more to who opted out."""
    rows = (
        await session.execute(
            select(Message.id, Message.text, Message.quick_replies, Message.in_reply_to)
            .where(*standing(case_id, channel, "queued"))
            .order_by(Message.id)
            .with_for_update()
        )
    ).all()
    if rows and await _blocked(session, case_id):
        ours = set(await session.scalars(select(Message.id).where(Message.id.in_([r.in_reply_to for r in rows]), Message.channel == "system")))
        await mark(session, [row.id for row in rows if row.in_reply_to in ours], "failed", at, error="do_not_contact")
        rows = [row for row in rows if row.in_reply_to not in ours]
    return [Line(row.id, row.text, tuple(map(str, row.quick_replies or ()))) for row in rows]


async def mark(session: AsyncSession, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    if rows:
        await session.execute(update(Message).where(Message.id.in_(rows)).values(status=status, error=error, handled_at=at))


async def settle(session: AsyncSession, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    """What became of rows that are `sending`. `queued`: certainly not sent, to be tried again."""
    sending = [Message.id.in_(rows), Message.status == "sending"]
    await session.execute(update(Message).where(*sending).values(status=status, error=error, handled_at=at))


async def give_up_stale(session: AsyncSession, prefix: str, at: datetime, case_id: str | None = None) -> int:
    """What killed processes left `sending` becomes `unknown`; `prefix`: of the channels."""
    stale = [Message.direction == "out", Message.status == "sending", Message.handled_at <= at - STALE]
    stale += [Message.channel.startswith(prefix)]
    if case_id is not None:
        stale.append(Message.case_id == case_id)
    done = await session.execute(update(Message).where(*stale).values(status="unknown", error="interrupted"))
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


def standing(case_id: str, channel: str, status: str) -> list[Any]:
    """Our lines of the talk in this state."""
    return [Message.case_id == case_id, Message.direction == "out", Message.channel == channel, Message.status == status]


async def _blocked(session: AsyncSession, case_id: str) -> bool:
    contact_id = await session.scalar(select(Case.contact_id).where(Case.id == case_id))
    return contact_id is not None and await is_blocked(session, contact_id)


_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, CASE WHEN CAST(:after AS interval) = interval '0' THEN CAST(:lock AS text) END, NULL, CAST(:args AS jsonb),
            CASE WHEN CAST(:after AS interval) > interval '0' THEN clock_timestamp() + CAST(:after AS interval) END)
        ::procrastinate_job_to_defer_v1
    ])
    """
)


async def defer(session: AsyncSession, queue: str, task: str, args: str, lock: str, after: timedelta) -> None:
    """A job, in the session's transaction; `args`: JSON. One that waits for its time holds no lock: no later job overtakes a lock."""
    await session.execute(_DEFER, {"queue": queue, "task": task, "args": args, "lock": lock, "after": after})
