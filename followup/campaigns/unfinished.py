"""Talks that a customer opened and left before the end (decision 0011): how they stand, and how they are taken up again.

`decide` says whether the customer is asked to go on; the message goes through the gate and the queue like any other of the campaign.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns.decide import Talk
from followup.store.models import Case
from followup.talk.inbox import SYSTEM_CHANNEL, UNFINISHED, Trigger, accept_trigger

SILENT = ("ended_early", "unreachable")
"""What a talk came to that fell silent. One that the customer ended (refused, said goodbye) is never taken up by us."""
SILENCE = "silence"
"""The reason of such an outcome, and of the call-back that is noted with it."""


async def talks(session: AsyncSession, case_ids: Sequence[str]) -> dict[str, Talk]:
    """The talks that customers have opened, or that are over, as they stand now. Each costs a few look-ups by index."""
    if not case_ids:
        return {}
    given = {"ids": list(case_ids), "system": SYSTEM_CHANNEL, "silent": list(SILENT), "silence": SILENCE}
    rows = await session.execute(_TALKS, given)
    return {row.id: Talk(row.heard_at, row.came_by or "", row.over, row.held, row.sent, row.sent_at, row.unclear) for row in rows}


async def take_up(session: AsyncSession, deliveries: Sequence[tuple[int, str]], at: datetime) -> None:
    """(delivery, case) of messages that are about to go: a talk that had ended is opened again at its unanswered question.

    Before the message goes, or whoever uses its link at once would find a talk that is over. Nobody is asked in an empty room
    whether they are still there: the message is that question, and a day later the talk ends again.
    """
    for delivery_id, case_id in deliveries:
        case = await session.get(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)
        if case is not None and case.status == "closed" and case.outcome in SILENT:
            await accept_trigger(session, case_id, Trigger.RESUME, f"{UNFINISHED}-{delivery_id}")
        await session.execute(update(Case).where(Case.id == case_id).values(nudged_at=at))


_TALKS = text(
    """
    SELECT talk.id,
        greatest(talk.opened_at, coalesce(heard.at, talk.opened_at, talk.created_at)) AS heard_at,
        talk.erased_at IS NOT NULL OR (talk.status = 'closed' AND NOT
                (talk.outcome = ANY(:silent) AND talk.outcome_reason = :silence))
            OR EXISTS (SELECT FROM callbacks WHERE callbacks.case_id = talk.id AND callbacks.status = 'failed') AS over,
        talk.status = 'waiting' OR coalesce(spoken.direction = 'in', false)
            OR EXISTS (SELECT FROM take_overs WHERE take_overs.case_id = talk.id AND take_overs.ended_at IS NULL)
            OR EXISTS (SELECT FROM callbacks WHERE callbacks.case_id = talk.id AND callbacks.status IN ('booked', 'due')
                AND NOT (callbacks.reason = :silence AND callbacks.at IS NULL)) AS held,
        made.sent, made.sent_at, made.unclear,
        CASE WHEN NOT EXISTS (SELECT FROM deliveries AS dead WHERE dead.case_id = talk.id AND dead.channel = brought.channel
            AND dead.status = 'failed' AND dead.lasting) THEN brought.channel END AS came_by
    FROM cases AS talk
    LEFT JOIN LATERAL (
        SELECT max(created_at) AS at FROM messages
        WHERE messages.case_id = talk.id AND (direction = 'in' OR (direction = 'system' AND channel <> :system))
    ) AS heard ON true
    LEFT JOIN LATERAL (
        SELECT direction FROM messages WHERE messages.case_id = talk.id AND direction IN ('in', 'out') ORDER BY id DESC LIMIT 1
    ) AS spoken ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS sent, max(coalesce(sending_at, queued_at)) AS sent_at, count(*) FILTER (WHERE status = 'unknown') > 0 AS unclear
        FROM deliveries WHERE deliveries.case_id = talk.id AND kind = 'unfinished' AND status NOT IN ('suppressed', 'queued')
    ) AS made ON true
    LEFT JOIN LATERAL (
        SELECT channel FROM deliveries
        WHERE deliveries.case_id = talk.id AND kind <> 'unfinished' AND status IN ('accepted', 'delivered', 'unknown')
        ORDER BY number DESC LIMIT 1
    ) AS brought ON true
    WHERE talk.id = ANY(:ids)
    """
)
