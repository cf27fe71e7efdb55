"""Deliveries, sent at most once (decision 0011): a batch is marked, handed over, written down; what a kill leaves in between is unknown."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Row, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate, parse
from followup.campaigns.decide import AFTER_END, PAST_DEADLINE, Talk, after_sending
from followup.campaigns.definition import EARLIEST, LATEST, UNFINISHED, Definition, Hours, Window
from followup.campaigns.queue import AGAIN, AT_ONCE, take
from followup.campaigns.results import UNKNOWN, Result, pause_for, record, suppress
from followup.campaigns.unfinished import take_up, talks
from followup.campaigns.windows import is_open
from followup.channels import Invitation, Notifier, Refused, Unclear
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.database import Database
from followup.store.models import Callback, Case, Contact
from followup.talk.links import DoNotContact

_log = logging.getLogger(__name__)

CHANGED, CLOSED_HOURS, NO_CHANNEL, CAME = "changed", "closed_hours", "no_channel", "came"
DAILY_CAP, BROKEN, CANCELLED, HELD = "daily_cap", "broken", "cancelled", "held"
LINK_VALID = timedelta(days=7)
"""Of call-backs and revisits; a campaign says how long its own links hold."""
CALLBACK_HOURS = Hours((Window(EARLIEST, LATEST),), holidays=True)
"""A call-back comes at the customer's own time, but never outside these."""
REVISIT_HOURS = Hours()
_SIDE_BY_SIDE = 10
_WRITTEN_AGAIN = 3


class Inviter(Protocol):
    """Makes the invitation of a delivery: link, short code, names (followup.channels.invite)."""

    async def __call__(
        self, session: AsyncSession, delivery: Delivery, case: Case, contact: Contact, *, valid_for: timedelta
    ) -> Invitation: ...


Paused = Callable[[int, str], Awaitable[None]]
"""Told of (campaign, reason) when a campaign had to be paused."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`became`: delivery -> its status now. `more`: others may go at once."""

    became: dict[int, str] = field(default_factory=dict)
    more: bool = False
    paused: tuple[tuple[int, str], ...] = ()
    """Campaigns that had to be paused, and why."""

    @property
    def unclear(self) -> int:
        return sum(status == UNKNOWN for status in self.became.values())


@dataclass(frozen=True, slots=True)
class _Ready:
    """A delivery that is marked `sending`."""

    delivery: Delivery
    case: Case
    contact: Contact
    campaign_id: int | None
    made: Definition | None


async def send_batch(
    database: Database,
    notifiers: Mapping[str, Notifier],
    invite: Inviter,
    at: datetime,
    *,
    daily_cap: int = 1,
    per_minute: Mapping[str, int] | None = None,
    limit: int = AT_ONCE,
) -> Sent:
    """Take the most urgent deliveries, judge them again, hand them over side by side, write down what became of them.

    `per_minute`: the most messages of a channel in a minute, 0 or missing: as fast as it goes. Safe in several processes at once.
    """
    async with database.session() as session:
        ready, became, more = await _claim(session, at, daily_cap, per_minute or {}, limit)
    if not ready:
        return Sent(became, more)
    room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def hand_over(one: _Ready) -> tuple[Result, str]:
        async with room:
            return await _hand_over(database, notifiers.get(one.delivery.channel), invite, one, at)

    results = await asyncio.gather(*map(hand_over, ready))
    why = {one.campaign_id: reason for one, (_, reason) in zip(ready, results, strict=True) if reason and one.campaign_id is not None}
    for left in reversed(range(_WRITTEN_AGAIN)):
        try:
            async with database.session() as session:
                # The campaign first: its dispatcher must not take up again at once what comes back.
                paused = [(one, reason) for one, reason in sorted(why.items()) if await pause_for(session, one, reason)]
                became |= await record(session, [result for result, _ in results], at)
            break
        except OperationalError:  # a deadlock with a colleague who cancels the campaign, or a short absence of the database
            if not left:
                raise
    return Sent(became, more, tuple(paused))


# —— taking ————————————————————————————————————————————————————————————


async def _claim(
    session: AsyncSession, at: datetime, daily_cap: int, per_minute: Mapping[str, int], limit: int
) -> tuple[list[_Ready], dict[int, str], bool]:
    """Mark the next ones `sending`, or suppress them. Whoever is locked elsewhere stays in the queue for the next time."""
    taken, more = await take(session, at, per_minute, limit)
    if not taken:
        return [], {}, False
    rows = (await session.execute(_WHOLE.where(Delivery.id == gate.any_of(taken)))).all()
    day = at.astimezone(SHANGHAI).date()
    standings = await gate.standings(session, sorted({row.Delivery.contact_id for row in rows}), day, without=taken)
    campaigns = await _campaigns(session, {row.campaign_id for row in rows if row.campaign_id is not None})
    opened = await talks(session, [row.Delivery.case_id for row in rows if row.Delivery.kind == UNFINISHED])
    today: Counter[int] = Counter()
    ready, refused = [], {}
    for row in rows:
        contact_id = row.Delivery.contact_id
        if (standing := standings.get(contact_id)) is None:
            continue
        campaign, made = campaigns.get(row.campaign_id, (None, None))
        cap = daily_cap - today[contact_id]
        if refusal := _refusal(row, campaign, made, standing, opened.get(row.Delivery.case_id), at, cap):
            refused[row.Delivery.id] = refusal
            continue
        today[contact_id] += row.Delivery.kind not in gate.ASKED_FOR
        ready.append(_Ready(row.Delivery, row.Case, row.Contact, row.campaign_id, made))
    await suppress(session, refused, at)
    marked = update(Delivery).where(Delivery.id == gate.any_of([one.delivery.id for one in ready]))
    # The day again: it may have waited over midnight.
    await session.execute(marked.values(status="sending", sending_at=at, error="", day=day).execution_options(synchronize_session=False))
    await take_up(session, [(one.delivery.id, one.case.id) for one in ready if one.delivery.kind == UNFINISHED], at)
    return ready, dict.fromkeys(refused, "suppressed"), more and bool(ready or refused)


_WHOLE = (
    select(
        Delivery,
        Case,
        Contact,
        CampaignEntry.version.label("entry_version"),
        CampaignEntry.not_after,
        CampaignEntry.channel.label("entry_channel"),
        CampaignEntry.campaign_id,
        Callback.status.label("callback_status"),
    )
    .join(Case, Case.id == Delivery.case_id)
    .join(Contact, Contact.id == Delivery.contact_id)
    .outerjoin(CampaignEntry, CampaignEntry.id == Delivery.entry_id)
    .outerjoin(Callback, Callback.id == Delivery.callback_id)
    .order_by(Delivery.priority, Delivery.id)
)


async def _campaigns(session: AsyncSession, ids: set[int]) -> dict[int | None, tuple[Any, Definition]]:
    """Their status and version as they are now, with what they say."""
    found = await session.execute(
        select(Campaign.id, Campaign.status, Campaign.version, Campaign.definition).where(Campaign.id == gate.any_of(sorted(ids)))
    )
    return {row.id: (row, parse.definition(row.definition)) for row in found}


def _refusal(
    row: Row[Any], campaign: Any, made: Definition | None, standing: gate.Standing, talk: Talk | None, at: datetime, cap: int
) -> str:
    """Why it may not be sent now; empty when it may."""
    delivery: Delivery = row.Delivery
    if standing.blocked:
        return gate.DO_NOT_CONTACT
    if delivery.channel not in standing.ways:
        return gate.no_way(standing, [delivery.channel])
    if delivery.kind in gate.ASKED_FOR:
        if delivery.callback_id is not None and row.callback_status != "due":
            return CHANGED
        if delivery.kind == "resume" and row.Case.status == "closed":
            return CAME
        return "" if is_open(CALLBACK_HOURS, at) else CLOSED_HOURS
    if delivery.kind == UNFINISHED:
        if made is None or talk is None or talk.over or talk.heard_at > delivery.queued_at:
            return CAME
        if talk.held:
            return HELD
    elif row.Case.opened_at is not None or row.Case.status == "closed":
        return CAME
    if standing.contacted_today >= cap:
        return DAILY_CAP
    if made is None:
        return "" if is_open(REVISIT_HOURS, at) else CLOSED_HOURS
    if campaign.status != "running" or (row.entry_channel == "" and row.entry_version != campaign.version):
        return CHANGED
    if at >= row.not_after:
        return PAST_DEADLINE
    if made.ends_on is not None and at.astimezone(SHANGHAI).date() > made.ends_on:
        return AFTER_END
    return "" if is_open(made.hours, at) else CLOSED_HOURS


# —— handing over ————————————————————————————————————————————————————————


async def _hand_over(
    database: Database, notifier: Notifier | None, invite: Inviter, one: _Ready, at: datetime
) -> tuple[Result, str]:
    """What became of one, and why its campaign must be paused, if it must."""
    delivery_id, made = one.delivery.id, one.made
    if notifier is None:
        return Result(delivery_id, "failed", NO_CHANNEL, lasting=True), ""
    try:
        async with database.session() as session:
            valid_for = (made.retry.expires + made.retry.interval) if made is not None else LINK_VALID
            invitation = await invite(session, one.delivery, one.case, one.contact, valid_for=valid_for)
    except DoNotContact:
        return Result(delivery_id, "suppressed", gate.DO_NOT_CONTACT), ""
    except Exception:
        _log.exception("delivery %s cannot be made", delivery_id)
        return _later(one, BROKEN, "", at), ""
    try:
        accepted = await notifier.send(invitation)
    except Refused as refused:
        return _refused(one, refused, notifier.provider, at)
    except Unclear as unclear:
        return Result(delivery_id, UNKNOWN, str(unclear), notifier.provider), ""
    except Exception as error:  # whatever broke, the provider may have it
        _log.exception("delivery %s: the notifier failed", delivery_id)
        return Result(delivery_id, UNKNOWN, type(error).__name__, notifier.provider), ""
    next_at = after_sending(made, at) if made is not None else None
    return Result(delivery_id, "accepted", "", notifier.provider, accepted.provider_id, next_at=next_at), ""


def _refused(one: _Ready, refused: Refused, provider: str, at: datetime) -> tuple[Result, str]:
    if refused.kind == "ours" and one.campaign_id is not None:
        # Balance, signature or template: the customer is not to blame, so the campaign waits until a colleague has put it right.
        return Result(one.delivery.id, "suppressed", refused.code), f"provider:{refused.code}"
    if refused.kind in ("temporary", "throttled", "ours"):
        return _later(one, refused.code, provider, at), ""
    return Result(one.delivery.id, "failed", refused.code, provider, lasting=True), ""


def _later(one: _Ready, error: str, provider: str, at: datetime) -> Result:
    """Asked again after a while, or given up after the last try."""
    tried = one.delivery.attempts
    if tried >= len(AGAIN):
        return Result(one.delivery.id, "failed", error, provider)
    return Result(one.delivery.id, "queued", error, provider, not_before=at + AGAIN[tried])
