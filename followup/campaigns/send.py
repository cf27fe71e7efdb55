"""One delivery, sent at most once (decision 0011): marked, sent, written down; what a kill leaves in between is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate, parse
from followup.campaigns.decide import after_sending
from followup.campaigns.definition import Definition, Hours
from followup.campaigns.dispatch import defer_sends
from followup.campaigns.windows import is_open
from followup.channels import Accepted, Invitation, Notifier, Refused, Unclear
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.database import Database
from followup.store.models import Case, Contact

UNKNOWN, CHANGED, CLOSED_HOURS, NO_CHANNEL = "unknown", "changed", "closed_hours", "no_channel"
LINK_VALID = timedelta(days=7)
"""Of call-backs and revisits; a campaign says how long its own links hold."""
STALE = timedelta(minutes=10)
"""No provider is waited for so long: what is still `sending` then belongs to a killed worker."""
_ALSO_ON_HOLIDAYS = Hours(holidays=True)


_HAS_NO_JOB = text(
    "NOT EXISTS (SELECT FROM procrastinate_jobs AS job WHERE job.task_name = 'send_delivery' AND job.status IN ('todo', 'doing')"
    " AND job.args = jsonb_build_object('delivery_id', deliveries.id))"
)


class Later(Exception):
    """The provider would take it later (busy, too many at once); the delivery stands in the queue again."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is marked `sending`."""

    notifier: Notifier
    invitation: Invitation


class Inviter(Protocol):
    """Makes the invitation of a delivery: link, short code, names (followup.channels.invite)."""

    async def __call__(
        self, session: AsyncSession, delivery: Delivery, case: Case, contact: Contact, *, valid_for: timedelta
    ) -> Invitation: ...


async def send(
    database: Database, notifiers: Mapping[str, Notifier], invite: Inviter, delivery_id: int, at: datetime, *, last_try: bool
) -> str:
    """Send one delivery; returns its status afterwards. Raises Later, unless this is the last try.

    Called again for the same delivery it sends nothing a second time.
    """
    async with database.session() as session:
        ready = await _prepare(session, notifiers, invite, delivery_id, at)
    if isinstance(ready, str):
        return ready
    try:
        accepted = await ready.notifier.send(ready.invitation)
    except Refused as refused:
        return await _refused(database, delivery_id, refused, at, last_try=last_try)
    except Unclear as unclear:
        async with database.session() as session:
            await _mark(session, delivery_id, UNKNOWN, at, error=str(unclear))
        return UNKNOWN
    async with database.session() as session:
        await _mark(session, delivery_id, "accepted", at, accepted=accepted, provider=ready.notifier.provider)
    return "accepted"


async def _prepare(
    session: AsyncSession, notifiers: Mapping[str, Notifier], invite: Inviter, delivery_id: int, at: datetime
) -> Ready | str:
    """Mark it `sending`, or say what became of it instead."""
    delivery = await session.get(Delivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True)
    if delivery is None:
        return "failed"  # erased meanwhile
    if delivery.status == "sending":
        # Its job is held again: the worker that marked it was killed before it could write what became of it.
        await _mark(session, delivery_id, UNKNOWN, at, error="interrupted")
        return UNKNOWN
    if delivery.status != "queued":
        return delivery.status
    notifier = notifiers.get(delivery.channel)
    if notifier is None:
        delivery.status = "sending"
        await _mark(session, delivery_id, "failed", at, error=NO_CHANNEL)
        return "failed"
    if refusal := await _refusal(session, delivery, at):
        await _suppress(session, delivery, refusal, at)
        return "suppressed"
    case, contact = await session.get_one(Case, delivery.case_id), await session.get_one(Contact, delivery.contact_id)
    made = await _definition(session, delivery)
    valid_for = (made.retry.expires + made.retry.interval) if made is not None else LINK_VALID
    delivery.status, delivery.sending_at, delivery.error = "sending", at, ""
    return Ready(notifier, await invite(session, delivery, case, contact, valid_for=valid_for))


async def _refusal(session: AsyncSession, delivery: Delivery, at: datetime) -> str:
    """Why it may not be sent now; empty when it may. The customer's row is locked from here on."""
    day = at.astimezone(SHANGHAI).date()
    standing = (await gate.standings(session, [delivery.contact_id], day, wait=True, without=[delivery.id])).get(delivery.contact_id)
    if standing is None or standing.blocked:
        return gate.DO_NOT_CONTACT
    if delivery.channel not in standing.ways:
        return gate.no_way(standing, [delivery.channel])
    hours = _ALSO_ON_HOLIDAYS if delivery.kind == "callback" else Hours()
    if delivery.entry_id is not None:
        status, definition = (
            await session.execute(
                select(Campaign.status, Campaign.definition)
                .join(CampaignEntry, CampaignEntry.campaign_id == Campaign.id)
                .where(CampaignEntry.id == delivery.entry_id)
            )
        ).one()
        if status != "running":
            return CHANGED
        hours = parse.definition(definition).hours
    elif delivery.kind == "callback":
        return ""  # at the customer's own time
    return "" if is_open(hours, at) else CLOSED_HOURS


async def _definition(session: AsyncSession, delivery: Delivery) -> Definition | None:
    if delivery.entry_id is None:
        return None
    stored = select(Campaign.definition).join(CampaignEntry, CampaignEntry.campaign_id == Campaign.id)
    raw = await session.scalar(stored.where(CampaignEntry.id == delivery.entry_id))
    return None if raw is None else parse.definition(raw)


async def _suppress(session: AsyncSession, delivery: Delivery, reason: str, at: datetime) -> None:
    """Not sent; its entry goes back to the dispatcher, which finds out what is to be done instead."""
    delivery.status, delivery.error, delivery.done_at = "suppressed", reason, at
    if delivery.entry_id is not None:
        await session.execute(
            update(CampaignEntry)
            .where(CampaignEntry.id == delivery.entry_id, CampaignEntry.state == "queued")
            .values(state=_state_before(delivery), next_at=at)
        )


def _state_before(delivery: Delivery) -> str:
    return "sent" if delivery.kind == "reminder" else "waiting"


async def _refused(database: Database, delivery_id: int, refused: Refused, at: datetime, *, last_try: bool) -> str:
    later = refused.kind in ("temporary", "throttled") and not last_try
    async with database.session() as session:
        if later:
            await session.execute(
                update(Delivery)
                .where(Delivery.id == delivery_id, Delivery.status == "sending")
                .values(status="queued", error=refused.code, sending_at=None)
            )
        else:
            await _mark(session, delivery_id, "failed", at, error=refused.code)
    if later:
        raise Later(refused.code) from refused
    return "failed"


async def _mark(
    session: AsyncSession,
    delivery_id: int,
    status: str,
    at: datetime,
    *,
    accepted: Accepted | None = None,
    provider: str = "",
    error: str = "",
) -> None:
    """What became of a delivery, and with it of its entry."""
    delivery = await session.get(Delivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True)
    if delivery is None or delivery.status != "sending":
        return
    delivery.status, delivery.error, delivery.done_at, delivery.provider = status, error, at, provider
    delivery.provider_id = accepted.provider_id if accepted is not None else None
    if delivery.entry_id is None:
        return
    entry = await session.get(CampaignEntry, delivery.entry_id, with_for_update={"key_share": True}, populate_existing=True)
    if entry is None or entry.state != "queued":
        return
    if status == "failed":
        # The dispatcher takes the next channel.
        entry.state, entry.channel, entry.next_at = "waiting", delivery.channel, at
        return
    entry.tries = entry.tries + 1 if entry.channel == delivery.channel else 1
    entry.state, entry.channel = "sent", delivery.channel
    if status == UNKNOWN:
        entry.reason, entry.next_at = UNKNOWN, None  # a colleague looks into it
        return
    entry.sent_at = entry.sent_at or at
    made = await _definition(session, delivery)
    entry.next_at = after_sending(made, at) if made is not None else None


async def rescue_deliveries(session: AsyncSession, at: datetime) -> int:
    """What killed workers left: `sending` becomes unknown, `queued` without a job gets one. Returns how many."""
    stuck = list(
        await session.scalars(
            select(Delivery.id)
            .where(Delivery.status == "sending", Delivery.sending_at <= at - STALE)
            .with_for_update(key_share=True, skip_locked=True)
        )
    )
    for delivery_id in stuck:
        await _mark(session, delivery_id, UNKNOWN, at, error="interrupted")
    lost = list(
        await session.scalars(select(Delivery.id).where(Delivery.status == "queued", Delivery.queued_at <= at - STALE, _HAS_NO_JOB))
    )
    await defer_sends(session, lost)
    return len(stuck) + len(lost)
