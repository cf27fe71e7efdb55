"""One delivery, sent at most once (decision 0011): marked, sent, written down; what a kill leaves in between is unknown."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate, parse
from followup.campaigns.decide import AFTER_END, PAST_DEADLINE, after_sending
from followup.campaigns.definition import EARLIEST, LATEST, Definition, Hours, Window
from followup.campaigns.dispatch import defer_sends
from followup.campaigns.windows import is_open
from followup.channels import Accepted, Invitation, Notifier, Refused, Unclear
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.database import Database
from followup.store.models import Callback, Case, Contact
from followup.talk.links import DoNotContact

_log = logging.getLogger(__name__)

UNKNOWN, CHANGED, CLOSED_HOURS, NO_CHANNEL, CAME = "unknown", "changed", "closed_hours", "no_channel", "came"
DAILY_CAP, BROKEN, CANCELLED = "daily_cap", "broken", "cancelled"
LINK_VALID = timedelta(days=7)
"""Of call-backs and revisits; a campaign says how long its own links hold."""
STALE = timedelta(minutes=10)
"""No provider is waited for so long: what is still `sending` then belongs to a killed worker."""
CALLBACK_HOURS = Hours((Window(EARLIEST, LATEST),), holidays=True)
"""A call-back comes at the customer's own time, but never outside these."""
REVISIT_HOURS = Hours()


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
    next_at: datetime | None
    """When the dispatcher looks at its entry again once it is accepted."""


class Inviter(Protocol):
    """Makes the invitation of a delivery: link, short code, names (followup.channels.invite)."""

    async def __call__(
        self, session: AsyncSession, delivery: Delivery, case: Case, contact: Contact, *, valid_for: timedelta
    ) -> Invitation: ...


Paused = Callable[[int, str], Awaitable[None]]
"""Told of (campaign, reason) when a campaign had to be paused."""


async def send(
    database: Database,
    notifiers: Mapping[str, Notifier],
    invite: Inviter,
    delivery_id: int,
    at: datetime,
    *,
    last_try: bool,
    daily_cap: int = 1,
    paused: Paused | None = None,
) -> str:
    """Send one delivery; returns its status afterwards. Raises Later, unless this is the last try.

    Called again for the same delivery it sends nothing a second time.
    """
    try:
        async with database.session() as session:
            ready = await _prepare(session, notifiers, invite, delivery_id, at, daily_cap)
    except DoNotContact:
        async with database.session() as session:
            await _give_up(session, delivery_id, at, "suppressed", gate.DO_NOT_CONTACT)
        return "suppressed"
    except Exception:
        if not last_try:
            raise
        _log.exception("delivery %s cannot be made", delivery_id)
        async with database.session() as session:
            await _give_up(session, delivery_id, at, "failed", BROKEN)
        return "failed"
    if isinstance(ready, str):
        return ready
    try:
        accepted = await ready.notifier.send(ready.invitation)
    except Refused as refused:
        return await _refused(database, delivery_id, refused, at, last_try=last_try, paused=paused)
    except Unclear as unclear:
        async with database.session() as session:
            await _mark(session, delivery_id, UNKNOWN, at, error=str(unclear), provider=ready.notifier.provider)
        return UNKNOWN
    async with database.session() as session:
        await _mark(session, delivery_id, "accepted", at, accepted=accepted, provider=ready.notifier.provider, next_at=ready.next_at)
    return "accepted"


async def _prepare(
    session: AsyncSession, notifiers: Mapping[str, Notifier], invite: Inviter, delivery_id: int, at: datetime, daily_cap: int
) -> Ready | str:
    """Mark it `sending`, or say what became of it instead."""
    row = (await session.execute(_WHOLE.where(Delivery.id == delivery_id))).one_or_none()
    if row is None:
        return "failed"  # erased meanwhile
    delivery: Delivery = row.Delivery
    if delivery.status == "sending":
        # Its job is held again: the worker that marked it was killed before it could write what became of it.
        await _mark(session, delivery_id, UNKNOWN, at, error="interrupted")
        return UNKNOWN
    if delivery.status != "queued":
        return delivery.status
    made = _made(row)
    if refusal := await _refusal(session, row, made, at, daily_cap):
        await _suppress(session, delivery, refusal, at)
        return "suppressed"
    delivery.status, delivery.sending_at, delivery.error = "sending", at, ""
    delivery.day = at.astimezone(SHANGHAI).date()  # it may have waited over midnight
    notifier = notifiers.get(delivery.channel)
    if notifier is None:
        await session.flush()
        await _mark(session, delivery_id, "failed", at, error=NO_CHANNEL)
        return "failed"
    valid_for = (made.retry.expires + made.retry.interval) if made is not None else LINK_VALID
    invitation = await invite(session, delivery, row.Case, row.Contact, valid_for=valid_for)
    return Ready(notifier, invitation, after_sending(made, at) if made is not None else None)


_WHOLE = (
    select(
        Delivery,
        Case,
        Contact,
        CampaignEntry.version.label("entry_version"),
        CampaignEntry.not_after,
        CampaignEntry.channel.label("entry_channel"),
        Campaign.id.label("campaign_id"),
        Campaign.version,
        Campaign.status,
        Campaign.definition,
    )
    .join(Case, Case.id == Delivery.case_id)
    .join(Contact, Contact.id == Delivery.contact_id)
    .outerjoin(CampaignEntry, CampaignEntry.id == Delivery.entry_id)
    .outerjoin(Campaign, Campaign.id == CampaignEntry.campaign_id)
    .with_for_update(of=Delivery, key_share=True)
    .execution_options(populate_existing=True)
)


def _made(row: Row[Any]) -> Definition | None:
    return None if row.campaign_id is None else definition_of(json.dumps(row.definition, sort_keys=True))


@lru_cache(maxsize=256)
def definition_of(stored: str) -> Definition:
    """The definition in this JSON; thousands of deliveries share it."""
    return parse.definition(json.loads(stored))


async def _refusal(session: AsyncSession, row: Row[Any], made: Definition | None, at: datetime, daily_cap: int) -> str:
    """Why it may not be sent now; empty when it may. The customer's row is locked from here on."""
    delivery: Delivery = row.Delivery
    day = at.astimezone(SHANGHAI).date()
    standing = (await gate.standings(session, [delivery.contact_id], day, wait=True, without=[delivery.id])).get(delivery.contact_id)
    if standing is None or standing.blocked:
        return gate.DO_NOT_CONTACT
    if delivery.channel not in standing.ways:
        return gate.no_way(standing, [delivery.channel])
    if delivery.kind == "callback":
        still = delivery.callback_id is None or await session.scalar(
            select(Callback.status).where(Callback.id == delivery.callback_id)
        ) == "due"
        return CHANGED if not still else "" if is_open(CALLBACK_HOURS, at) else CLOSED_HOURS
    if row.Case.opened_at is not None or row.Case.status == "closed":
        return CAME
    if standing.contacted_today >= daily_cap:
        return DAILY_CAP
    if made is None:
        return "" if is_open(REVISIT_HOURS, at) else CLOSED_HOURS
    if row.status != "running" or (row.entry_channel == "" and row.entry_version != row.version):
        return CHANGED
    if at >= row.not_after:
        return PAST_DEADLINE
    if made.ends_on is not None and at.astimezone(SHANGHAI).date() > made.ends_on:
        return AFTER_END
    return "" if is_open(made.hours, at) else CLOSED_HOURS


async def _suppress(session: AsyncSession, delivery: Delivery, reason: str, at: datetime) -> None:
    """Not sent; its entry goes back to the dispatcher, which finds out what is to be done instead."""
    delivery.status, delivery.error, delivery.done_at = "suppressed", reason, at
    if delivery.entry_id is not None:
        await session.execute(_BACK, {"id": delivery.entry_id, "at": at})


_BACK = text(
    """
    UPDATE campaign_entries SET state = CASE WHEN sent_at IS NULL THEN 'waiting' ELSE 'sent' END, next_at = :at
    WHERE id = :id AND state = 'queued'
    """
)


async def _give_up(session: AsyncSession, delivery_id: int, at: datetime, status: str, reason: str) -> None:
    """A queued delivery that could not even be made ready."""
    delivery = await session.get(Delivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True)
    if delivery is None or delivery.status != "queued":
        return
    if status == "suppressed":
        await _suppress(session, delivery, reason, at)
        return
    delivery.status = "sending"
    await session.flush()
    await _mark(session, delivery_id, status, at, error=reason)


async def _refused(
    database: Database, delivery_id: int, refused: Refused, at: datetime, *, last_try: bool, paused: Paused | None
) -> str:
    if refused.kind == "ours":
        return await _our_fault(database, delivery_id, refused, at, last_try=last_try, paused=paused)
    later = refused.kind in ("temporary", "throttled") and not last_try
    async with database.session() as session:
        if later:
            await _again(session, delivery_id, refused.code)
        else:
            await _mark(session, delivery_id, "failed", at, error=refused.code)
    if later:
        raise Later(refused.code) from refused
    return "failed"


async def _again(session: AsyncSession, delivery_id: int, error: str) -> None:
    await session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.status == "sending")
        .values(status="queued", error=error, sending_at=None)
    )


async def _our_fault(
    database: Database, delivery_id: int, refused: Refused, at: datetime, *, last_try: bool, paused: Paused | None
) -> str:
    """Balance, signature or template: the customer is not to blame, so the campaign waits until a colleague has put it right."""
    async with database.session() as session:
        delivery = await session.get(Delivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True)
        if delivery is None or delivery.status != "sending":
            return "failed" if delivery is None else delivery.status
        if delivery.entry_id is None:  # of no campaign: tried again while it may be
            if last_try:
                await _mark(session, delivery_id, "failed", at, error=refused.code)
            else:
                await _again(session, delivery_id, refused.code)
            campaign_id = None
        else:
            campaign_id = await session.scalar(
                select(CampaignEntry.campaign_id).where(CampaignEntry.id == delivery.entry_id)
            )
            await _suppress(session, delivery, refused.code, at)
            delivery.sending_at = None
    if campaign_id is None:
        if last_try:
            return "failed"
        raise Later(refused.code) from refused
    async with database.session() as session:
        changed = await pause_for(session, campaign_id, f"provider:{refused.code}")
    if changed and paused is not None:
        await paused(campaign_id, f"provider:{refused.code}")
    return "suppressed"


async def pause_for(session: AsyncSession, campaign_id: int, why: str) -> bool:
    """Pause a running campaign by itself; `why` is a key of labels.yml. False: it was not running."""
    found = update(Campaign).where(Campaign.id == campaign_id, Campaign.status == "running")
    return bool((await session.execute(found.values(status="paused", why=why))).rowcount)


async def _mark(
    session: AsyncSession,
    delivery_id: int,
    status: str,
    at: datetime,
    *,
    accepted: Accepted | None = None,
    provider: str = "",
    error: str = "",
    next_at: datetime | None = None,
) -> None:
    """What became of a delivery, and with it of its entry. What was given up as unknown may still turn out."""
    row = (
        await session.execute(
            _MARK,
            {
                "id": delivery_id, "status": status, "at": at, "provider": provider, "error": error,
                "provider_id": accepted.provider_id if accepted is not None else None,
            },
        )
    ).one_or_none()  # fmt: skip
    if row is None or row.entry_id is None:
        return
    if status == "failed":
        # The dispatcher takes the next channel.
        await session.execute(_FAILED, {"id": row.entry_id, "channel": row.channel, "at": at})
        return
    # An unknown one has no next step: a colleague looks into it.
    reason = UNKNOWN if status == UNKNOWN else ""
    sent_at = None if status == UNKNOWN else at
    await session.execute(
        _SENT, {"id": row.entry_id, "channel": row.channel, "reason": reason, "sent_at": sent_at, "next_at": next_at}
    )


_MARK = text(
    """
    UPDATE deliveries SET status = :status, error = :error, done_at = :at, provider = :provider,
        provider_id = coalesce(CAST(:provider_id AS text), provider_id)
    WHERE id = :id AND (status = 'sending' OR (status = 'unknown' AND error = 'interrupted' AND :status <> 'unknown'))
    RETURNING entry_id, channel
    """
)
_FAILED = text(
    """
    UPDATE campaign_entries SET state = 'waiting', reason = '', channel = :channel, next_at = :at
    WHERE id = :id AND (state = 'queued' OR (state = 'sent' AND reason = 'unknown'))
    """
)
_SENT = text(
    """
    UPDATE campaign_entries SET state = 'sent', channel = :channel, reason = :reason, next_at = :next_at,
        tries = CASE WHEN reason = 'unknown' THEN tries WHEN channel = :channel THEN tries + 1 ELSE 1 END,
        sent_at = coalesce(sent_at, :sent_at)
    WHERE id = :id AND (state = 'queued' OR (state = 'sent' AND reason = 'unknown' AND :reason = ''))
    """
)


async def rescue_deliveries(session: AsyncSession, at: datetime) -> tuple[int, int]:
    """What killed workers left: `sending` becomes unknown, `queued` without a job gets one. Returns how many of each."""
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
    return len(stuck), len(lost)
