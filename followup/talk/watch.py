"""What happens because time passes: call-backs fall due, customers fall silent, a killed process leaves work behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.campaigns.callbacks import give_times, resume_due_callbacks, settle_callbacks
from followup.store.models import Case, Message
from followup.store.takeovers import is_taken
from followup.talk.inbox import TURN_QUEUE, TURN_TASK, Trigger, accept_trigger

NUDGE_AFTER = timedelta(minutes=5)
END_AFTER = timedelta(hours=24)
_AT_ONCE = 200
"""Cases taken up in one go; the next minute takes the rest."""

__all__ = [
    "end_the_silent", "give_times", "nudge_the_silent", "rescue_messages", "resume_due_callbacks", "settle_callbacks",
]  # fmt: skip


async def nudge_the_silent(session: AsyncSession, at: datetime) -> int:
    """Ask whoever has not answered for 5 minutes whether they are still there; once for each silence."""
    silent = await _silent(session, Case.nudged_at.is_(None), Case.last_message_at <= at - NUDGE_AFTER)
    for case, last_message in silent:
        await accept_trigger(session, case.id, Trigger.SILENCE, f"silence-{last_message}")
        case.nudged_at = at
    return len(silent)


async def end_the_silent(session: AsyncSession, at: datetime) -> int:
    """Let the talk end early of whoever has not answered the nudge for 24 hours."""
    silent = await _silent(session, Case.nudged_at <= at - END_AFTER, Case.last_message_at <= at - END_AFTER)
    for case, last_message in silent:
        await accept_trigger(session, case.id, Trigger.SILENCE, f"silence-end-{last_message}")
        # Asked again in a day, should the talk still be open then.
        case.nudged_at = at
    return len(silent)


async def _silent(session: AsyncSession, *conditions: object) -> list[tuple[Case, int]]:
    """Open cases in which the bot spoke last and nothing waits, each with the id of its last message."""
    later = aliased(Message)
    rows = await session.execute(
        select(Case, Message.id)
        .join(Message, Message.case_id == Case.id)
        .where(
            Case.status == "open",
            ~is_taken(Case.id),  # a colleague speaks
            *conditions,
            Message.direction == "out",
            ~exists().where(later.case_id == Case.id, later.id > Message.id, later.direction.in_(("in", "out"))),
            ~exists().where(later.case_id == Case.id, later.status == "received"),
        )
        .order_by(Case.last_message_at)
        .limit(_AT_ONCE)
        .with_for_update(of=Case, skip_locked=True, key_share=True)
    )
    return [(case, message_id) for case, message_id in rows.all()]


_RESCUE = text(
    """
    WITH left_behind AS (
        SELECT DISTINCT case_id FROM messages
        WHERE status = 'received' AND NOT EXISTS (
            SELECT 1 FROM procrastinate_jobs job
            WHERE job.task_name = :task AND job.status = 'todo' AND job.args ->> 'case_id' = messages.case_id
        )
    )
    SELECT cardinality(procrastinate_defer_jobs_v1(array_agg(
        ROW(:queue, :task, 0, NULL, NULL, jsonb_build_object('case_id', case_id), NULL)
        ::procrastinate_job_to_defer_v1
    )))
    FROM left_behind
    HAVING count(*) > 0
    """
)


async def rescue_messages(session: AsyncSession) -> int:
    """Give every message that waits without a job a new one. Returns the number of conversations.

    The job of a killed worker stays "doing": nobody need find out whether it still is, because a second job for the same
    conversation does no harm.
    """
    return await session.scalar(_RESCUE, {"task": TURN_TASK, "queue": TURN_QUEUE}) or 0
