"""The queue of deliveries is their table: the most urgent first, no faster than a channel may. A job only says that there is something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.campaign_models import Delivery

SEND_QUEUE, SEND_TASK = "sends", "send_deliveries"
AT_ONCE = 50
"""Deliveries a sender takes at a time: so many, at most, are unknown when it is killed."""
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30))
"""When a provider that could not take a message is asked again; the sixth try is the last."""
CALLBACKS, REVISITS = 0, 2
"""Their priorities among those of campaigns, 1 (first) to 9."""


async def wake(session: AsyncSession) -> None:
    """Have a sender look into the queue once the session's transaction is over."""
    await session.execute(_WAKE, {"queue": SEND_QUEUE, "task": SEND_TASK})


async def last_numbers(session: AsyncSession, case_ids: Collection[str]) -> dict[str, int]:
    """Case -> the last number of its deliveries; a case without any is left out. Ask once the customers are locked."""
    found = select(Delivery.case_id, func.max(Delivery.number)).where(Delivery.case_id.in_(case_ids)).group_by(Delivery.case_id)
    return dict(map(tuple, await session.execute(found)))


async def take(session: AsyncSession, at: datetime, per_minute: Mapping[str, int], limit: int) -> tuple[list[int], bool]:
    """Lock the next deliveries, most urgent first; and whether there may be more that can go now.

    `per_minute`: the most that may be handed over on a channel in any minute, by all campaigns and workers together. One sender
    takes at a time, or two would count the same room.
    """
    await session.execute(_ONE_AT_A_TIME)
    room = {channel: most for channel, most in per_minute.items() if most}
    if room:
        made = await session.execute(_MADE, {"channels": list(room), "at": at})
        room = Counter(room)
        room.subtract(dict(map(tuple, made)))
    full = [channel for channel, left in room.items() if left <= 0]
    rows = (await session.execute(_NEXT, {"full": full, "at": at, "limit": limit})).all()
    taken = []
    for row in rows:
        if row.channel in room:
            if room[row.channel] <= 0:
                continue
            room[row.channel] -= 1
        taken.append(row.id)
    return taken, len(rows) == limit


_WAKE = text(
    """
    SELECT procrastinate_defer_jobs_v1(
        ARRAY[ROW(:queue, :task, 5, NULL, NULL, '{}'::jsonb, NULL)::procrastinate_job_to_defer_v1]
    )
    """
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('sends', 0))")
_MADE = text(
    """
    SELECT channel, count(*) FROM deliveries
    WHERE channel = ANY(:channels) AND sending_at > CAST(:at AS timestamptz) - interval '1 minute' AND sending_at <= :at
    GROUP BY channel
    """
)
_NEXT = text(
    """
    SELECT id, channel FROM deliveries
    WHERE status = 'queued' AND (not_before IS NULL OR not_before <= :at) AND channel <> ALL(CAST(:full AS text[]))
    ORDER BY priority, id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    """
)
