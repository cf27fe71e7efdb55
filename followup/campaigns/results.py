"""What became of deliveries, written down for all of a batch at once, and with it what is next for their entries (decision 0011)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.campaign_models import Campaign, Delivery

UNKNOWN, INTERRUPTED = "unknown", "interrupted"
STALE = timedelta(minutes=10)
"""No provider is waited for so long: what is still `sending` then belongs to a killed worker."""


@dataclass(frozen=True, slots=True)
class Result:
    """`status`: accepted, failed, unknown, suppressed, or queued (asked again at `not_before`)."""

    delivery_id: int
    status: str
    error: str = ""
    provider: str = ""
    provider_id: str | None = None
    not_before: datetime | None = None
    next_at: datetime | None = None
    """When the dispatcher looks at its entry again; only of an accepted one."""
    lasting: bool = False
    """Of a failed one: it would fail again tomorrow, so the channel is not tried again."""


async def record(session: AsyncSession, results: Iterable[Result], at: datetime) -> dict[int, str]:
    """Write them down. Returns delivery -> status, of those that were written.

    Only what is `sending` changes, and what a killed worker's colleague gave up as unknown and has turned out after all.
    """
    rows = [asdict(result) for result in results]
    if not rows:
        return {}
    changed = (await session.execute(_RECORD, {"rows": json.dumps(rows, default=str), "at": at})).all()
    entries = [dict(row._mapping) for row in changed if row.entry_id is not None]
    if entries:
        await session.execute(_ENTRIES, {"rows": json.dumps(entries, default=str), "at": at})
    return {row.id: row.status for row in changed}


async def suppress(session: AsyncSession, reasons: Mapping[int, str], at: datetime) -> None:
    """Not sent (delivery -> why); their entries go back to the dispatcher, which finds out what is to be done instead."""
    if reasons:
        rows = [{"id": delivery_id, "error": reason} for delivery_id, reason in reasons.items()]
        given = {"rows": json.dumps(rows), "at": at}
        await session.execute(_SUPPRESS, given)


async def rescue(session: AsyncSession, at: datetime) -> int:
    """What killed workers were sending becomes unknown: shown to staff, never sent again by itself. Returns how many."""
    stuck = await session.scalars(
        select(Delivery.id)
        .where(Delivery.status == "sending", Delivery.sending_at <= at - STALE)
        .order_by(Delivery.id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return len(await record(session, [Result(one, UNKNOWN, INTERRUPTED) for one in stuck], at))


async def pause_for(session: AsyncSession, campaign_id: int, why: str) -> bool:
    """Pause a running campaign by itself; `why` is a key of labels.yml. False: it was not running."""
    found = update(Campaign).where(Campaign.id == campaign_id, Campaign.status == "running")
    return bool((await session.execute(found.values(status="paused", why=why))).rowcount)


_RECORD = text(
    """
    UPDATE deliveries AS delivery SET status = new.status, error = new.error, provider = new.provider,
        provider_id = coalesce(new.provider_id, delivery.provider_id), not_before = new.not_before, lasting = new.lasting,
        attempts = delivery.attempts + (new.status = 'queued')::int,
        done_at = CASE WHEN new.status <> 'queued' THEN CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (delivery_id bigint, status text, error text, provider text, provider_id text,
        not_before timestamptz, next_at timestamptz, lasting boolean)
    WHERE delivery.id = new.delivery_id
        AND (delivery.status = 'sending' OR (delivery.status = 'unknown' AND delivery.error = 'interrupted'
            AND new.status IN ('accepted', 'failed')))
    RETURNING delivery.id, delivery.entry_id, delivery.channel, delivery.status, new.next_at
    """
)
# A failed one: the dispatcher tries it again in time, or takes the next channel. An unknown one has no next step: a colleague looks
# into it. Of one that was not sent, what the delivery before it had come to stands.
_ENTRIES = text(
    """
    UPDATE campaign_entries AS entry SET
        state = CASE new.status WHEN 'failed' THEN 'waiting' WHEN 'suppressed' THEN
            CASE WHEN entry.sent_at IS NULL OR newest.status = 'failed' THEN 'waiting' ELSE 'sent' END ELSE 'sent' END,
        reason = CASE new.status WHEN 'unknown' THEN 'unknown' WHEN 'suppressed' THEN entry.reason ELSE '' END,
        channel = CASE new.status WHEN 'suppressed' THEN entry.channel ELSE new.channel END,
        next_at = CASE WHEN new.status IN ('failed', 'suppressed') THEN CAST(:at AS timestamptz) ELSE new.next_at END,
        tries = CASE WHEN new.status = 'suppressed' OR entry.reason = 'unknown' THEN entry.tries
            WHEN new.status = 'failed' THEN CASE WHEN entry.channel = new.channel THEN entry.tries ELSE 0 END
            WHEN entry.channel = new.channel THEN entry.tries + 1 ELSE 1 END,
        sent_at = CASE new.status WHEN 'accepted' THEN coalesce(entry.sent_at, :at) ELSE entry.sent_at END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id bigint, entry_id bigint, channel text, status text, next_at timestamptz)
    LEFT JOIN LATERAL (
        SELECT status FROM deliveries WHERE deliveries.entry_id = new.entry_id AND deliveries.id <> new.id AND deliveries.status <> 'suppressed'
        ORDER BY deliveries.number DESC LIMIT 1
    ) AS newest ON true
    WHERE entry.id = new.entry_id AND new.status <> 'queued'
        AND (entry.state = 'queued' OR (entry.state = 'sent' AND entry.reason = 'unknown' AND new.status IN ('accepted', 'failed')))
    """
)
_SUPPRESS = text(
    """
    WITH refused AS (
        UPDATE deliveries AS delivery SET status = 'suppressed', error = new.error, done_at = :at
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id bigint, error text)
        WHERE delivery.id = new.id AND delivery.status = 'queued' RETURNING delivery.id, delivery.entry_id
    )
    UPDATE campaign_entries AS entry SET next_at = :at,
        state = CASE WHEN sent_at IS NULL OR newest.status = 'failed' THEN 'waiting' ELSE 'sent' END
    FROM refused LEFT JOIN LATERAL (
        SELECT status FROM deliveries WHERE deliveries.entry_id = refused.entry_id AND deliveries.id <> refused.id
            AND deliveries.status <> 'suppressed'
        ORDER BY deliveries.number DESC LIMIT 1
    ) AS newest ON true
    WHERE entry.id = refused.entry_id AND entry.state = 'queued'
    """
)
