"""What staff do with a campaign: each in the caller's transaction, each harmless when done twice. Audit is the caller's."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Definition
from followup.campaigns.dispatch import NoScript, script_now
from followup.campaigns.dry_run import DryRun, dry_run
from followup.campaigns.enrol import in_audience
from followup.campaigns.labels import label, sentence
from followup.campaigns.parse import DefinitionErrors
from followup.campaigns.plan import Customer
from followup.campaigns.results import pause_for
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.models import Contact
from followup.store.script_models import ScriptComparison

_SEED_BITS = 48
"""Few enough digits to be read out to an auditor."""
LONGEST_NAME = 80
LONGEST_WHY = 200


class CampaignError(ValueError):
    """It cannot be done. `key` names the sentence in labels.yml, group start_errors; the message is that sentence."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(sentence(key, "start_errors", **values))
        self.key = key


async def create(
    session: AsyncSession, name: str, raw: Mapping[str, Any], at: datetime, *, user_id: int | None = None, is_demo: bool = False
) -> Campaign:
    """A draft. Raises DefinitionErrors."""
    made = parse.definition(raw)
    campaign = Campaign(
        name=name.strip()[:LONGEST_NAME] or made.script_id,
        script_id=made.script_id,
        definition=parse.as_json(made),
        status="draft",
        priority=made.priority,
        seed=secrets.randbits(_SEED_BITS),
        is_demo=is_demo,
        user_id=user_id,
        created_at=at,
    )
    session.add(campaign)
    await session.flush()
    return campaign


async def start(session: AsyncSession, campaign_id: int, at: datetime, channels: Collection[str]) -> Campaign:
    """Let a draft run. `channels`: those that something can be sent by (the notifiers').

    Raises DefinitionErrors, and CampaignError: no_campaign, not_draft, no_script, script_broken, no_channel, nobody. Started again
    while it runs nothing changes.
    """
    campaign = await locked(session, campaign_id)
    if campaign.status == "running":
        return campaign
    if campaign.status != "draft":
        raise CampaignError("not_draft")
    made = parse.definition(campaign.definition)
    check(made, channels)
    if not await audience_size(session, made, is_demo=campaign.is_demo):
        raise CampaignError("nobody")
    campaign.status, campaign.started_at, campaign.why = "running", at, ""
    await session.flush()
    return campaign


def check(made: Definition, channels: Collection[str]) -> None:
    """Raises CampaignError: no_script, script_broken, no_channel."""
    try:
        script_now(made.script_id)
    except NoScript as error:
        key = "no_script" if error.why == "script_gone" else error.why
        raise CampaignError(key, script=made.script_id) from None
    for channel in made.channels:
        if channel not in channels:
            raise CampaignError("no_channel", channel=label(channel, "channels"))


async def audience_size(session: AsyncSession, made: Definition, *, is_demo: bool) -> int:
    """How many customers the campaign would be about now."""
    return await session.scalar(select(func.count()).select_from(Contact).where(*in_audience(made.audience, is_demo))) or 0


async def pause(session: AsyncSession, campaign_id: int, why: str = "") -> Campaign:
    """Nothing is sent from now on, not even what is queued. Raises CampaignError: no_campaign, not_running."""
    campaign = await locked(session, campaign_id)
    if campaign.status == "paused":
        return campaign
    if campaign.status != "running":
        raise CampaignError("not_running")
    await pause_for(session, campaign_id, why.strip()[:LONGEST_WHY])
    await session.refresh(campaign)
    return campaign


async def resume(session: AsyncSession, campaign_id: int, channels: Collection[str]) -> Campaign:
    """Let a paused campaign run on. Raises DefinitionErrors, and CampaignError as `start` does, or not_paused."""
    campaign = await locked(session, campaign_id)
    if campaign.status == "running":
        return campaign
    if campaign.status != "paused":
        raise CampaignError("not_paused")
    check(parse.definition(campaign.definition), channels)
    campaign.status, campaign.why = "running", ""
    await session.flush()
    return campaign


async def cancel(session: AsyncSession, campaign_id: int, why: str, at: datetime) -> Campaign:
    """End a campaign for good: who was not contacted yet will not be, nobody is reminded; whoever has a link may still come.

    Raises CampaignError: no_campaign, no_reason, is_over.
    """
    campaign = await locked(session, campaign_id)
    if campaign.status == "cancelled":
        return campaign
    if campaign.status == "finished":
        raise CampaignError("is_over")
    if not why.strip():
        raise CampaignError("no_reason")
    campaign.status, campaign.why, campaign.ended_at = "cancelled", why.strip()[:LONGEST_WHY], at
    await session.flush()
    # Deliveries first, as the senders do: one that holds a delivery has read the campaign's state or will.
    given = {"id": campaign_id, "at": at}
    await session.execute(_SUPPRESS_QUEUED, given)
    await session.execute(_CANCEL, given)
    return campaign


_SUPPRESS_QUEUED = text(
    """
    UPDATE deliveries SET status = 'suppressed', error = 'cancelled', done_at = :at
    FROM campaign_entries AS entry
    WHERE entry.id = deliveries.entry_id AND entry.campaign_id = :id AND deliveries.status = 'queued'
    """
)
# Entries of deliveries that are being sent stay queued: the sender writes what became of them, and settle.sweep_cancelled ends them.
_CANCEL = text(
    """
    UPDATE campaign_entries AS entry SET next_at = NULL,
        closed_at = CASE WHEN state = 'closed' THEN closed_at ELSE :at END,
        reason = CASE WHEN state = 'closed' THEN reason ELSE 'campaign_over' END,
        state = CASE WHEN sent_at IS NULL AND state NOT IN ('sent', 'closed') THEN 'cancelled' ELSE 'closed' END
    WHERE campaign_id = :id AND (
        state IN ('reserve', 'waiting') OR (state IN ('sent', 'closed') AND next_at IS NOT NULL)
        OR (state = 'queued' AND NOT EXISTS (
            SELECT FROM deliveries WHERE deliveries.entry_id = entry.id AND deliveries.status IN ('queued', 'sending')
        ))
    )
    """
)


async def edit(
    session: AsyncSession, campaign_id: int, raw: Mapping[str, Any], *, name: str | None = None, seen: int | None = None
) -> Campaign:
    """Another definition: what was not sent yet is planned anew by it. `seen`: the version that was on the page.

    Raises DefinitionErrors, and CampaignError: no_campaign, is_over, other_script, renamed_rule, changed_meanwhile.
    """
    campaign = await locked(session, campaign_id)
    if campaign.status in ("cancelled", "finished"):
        raise CampaignError("is_over")
    if seen is not None and seen != campaign.version:
        raise CampaignError("changed_meanwhile")
    made = parse.definition(raw)
    if campaign.started_at is not None and made.script_id != campaign.script_id:
        raise CampaignError("other_script")
    if campaign.started_at is not None:
        _keeps_names(campaign, made)
    if name is not None and name.strip():
        campaign.name = name.strip()[:LONGEST_NAME]
    stored = parse.as_json(made)
    if stored != campaign.definition:
        if made.script_id != campaign.script_id:
            await session.execute(delete(ScriptComparison).where(ScriptComparison.campaign_id == campaign_id))
        campaign.definition, campaign.script_id, campaign.priority = stored, made.script_id, made.priority
        campaign.version += 1
    await session.flush()
    return campaign


def _keeps_names(campaign: Campaign, made: Definition) -> None:
    """A rule by another name is another contact: everybody would be contacted once more. Raises CampaignError("renamed_rule").

    One that goes while another one comes may be the same under a new name; whoever means two different ones saves in between.
    """
    before, now = [rule["id"] for rule in campaign.definition.get("rules", ())], [rule.id for rule in made.rules]
    gone, new = [one for one in before if one not in now], [one for one in now if one not in before]
    if gone and new:
        raise CampaignError("renamed_rule", gone=gone[0], new=new[0])


async def copy(session: AsyncSession, campaign_id: int, name: str, at: datetime, *, user_id: int | None = None) -> Campaign:
    """A draft with the same definition and a draw of its own. Raises CampaignError: no_campaign."""
    campaign = await locked(session, campaign_id)
    return await create(session, name, campaign.definition, at, user_id=user_id, is_demo=campaign.is_demo)


async def resolve_unknown(session: AsyncSession, delivery_id: int, arrived: bool, at: datetime) -> Delivery:
    """A colleague has found out whether a delivery arrived. Raises CampaignError("not_unknown").

    Arrived: the customer's turn, reminders as ever. Not: the dispatcher goes on as after a failure, once.
    """
    delivery = await session.get(Delivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True)
    if delivery is None or delivery.status != "unknown":
        raise CampaignError("not_unknown")
    delivery.status = "delivered" if arrived else "failed"
    delivery.done_at = delivery.done_at or at
    delivery.delivered_at = at if arrived else None
    if delivery.entry_id is None:
        await session.flush()
        return delivery
    entry = await session.get(CampaignEntry, delivery.entry_id, with_for_update={"key_share": True}, populate_existing=True)
    if entry is not None and entry.state == "sent" and entry.reason == "unknown":
        over = await session.scalar(select(Campaign.status).where(Campaign.id == entry.campaign_id)) in ("cancelled", "finished")
        entry.reason = ""
        if arrived:
            entry.sent_at = entry.sent_at or delivery.sending_at or at
            entry.delivered_at = entry.delivered_at or at
        else:
            entry.tries = max(entry.tries - 1, 0)
        if over:
            entry.state, entry.closed_at, entry.reason = ("closed" if arrived else "cancelled"), at, "campaign_over"
        else:
            # As if it had not been tried: the same channel, if that is still possible.
            entry.state = "sent" if entry.sent_at is not None else "waiting"
            entry.channel = entry.channel if entry.state == "sent" else ""
            entry.next_at = at
    await session.flush()
    return delivery


async def preview(
    session: AsyncSession, made: Definition, now: datetime, *, seed: int, is_demo: bool, limit: int | None = None
) -> DryRun:
    """Whom the campaign would contact when, were it started now, by the customers as they stand (at most `limit`)."""
    wanted: Select[Any] = select(Contact.id, Contact.groups, Contact.fields).where(*in_audience(made.audience, is_demo))
    rows = await session.execute(wanted.order_by(Contact.id).limit(limit))
    return dry_run(made, (Customer(row.id, frozenset(row.groups), row.fields) for row in rows), now, seed)


async def locked(session: AsyncSession, campaign_id: int) -> Campaign:
    campaign = await session.get(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    if campaign is None:
        raise CampaignError("no_campaign")
    return campaign


__all__ = [
    "CampaignError", "DefinitionErrors", "audience_size", "cancel", "check", "copy", "create", "edit", "pause", "preview",
    "resolve_unknown", "resume", "start",
]  # fmt: skip
