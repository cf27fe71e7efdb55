"""What time and customers bring: who came, who did not, whose place another customer takes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Definition
from followup.campaigns.plan import Customer, plan
from followup.campaigns.sampling import spread
from followup.store.campaign_models import Campaign, CampaignDraw, CampaignEntry
from followup.store.models import Contact

_LOST = ("do_not_contact", "no_consent", "no_address", "cannot_send", "missing_data", "unreachable")

_CAME = text(
    """
    UPDATE campaign_entries AS entry SET state = 'closed', next_at = NULL, closed_at = :at
    FROM cases AS talk
    WHERE talk.id = entry.case_id AND entry.state = 'sent' AND (talk.opened_at IS NOT NULL OR talk.status = 'closed')
    """
)


async def close_who_came(session: AsyncSession, at: datetime) -> int:
    """Entries whose customer has opened the talk need no reminder. Returns how many."""
    return (await session.execute(_CAME, {"at": at})).rowcount


async def top_up(session: AsyncSession, campaign_id: int, at: datetime) -> int:
    """Draw the next of the reserve for each drawn customer who is lost to the campaign. Returns how many were drawn.

    A stratum has as many drawn as were wanted, less who is lost, as long as its reserve lasts; asked again nothing changes.
    """
    campaign = await session.get_one(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    made = parse.definition(campaign.definition)
    if campaign.status != "running" or not made.sampling.top_up:
        return 0
    drawn = 0
    for stratum, missing in (await _missing(session, campaign_id)).items():
        ids = list(
            await session.scalars(
                select(CampaignEntry.contact_id)
                .where(
                    CampaignEntry.campaign_id == campaign_id,
                    CampaignEntry.stratum == stratum,
                    CampaignEntry.state == "reserve",
                )
                .group_by(CampaignEntry.contact_id, CampaignEntry.lot)
                .order_by(CampaignEntry.lot, CampaignEntry.contact_id)
                .limit(missing)
            )
        )
        if ids:
            await _draw(session, campaign, made, stratum, ids, at)
            drawn += len(ids)
    return drawn


async def _missing(session: AsyncSession, campaign_id: int) -> dict[str, int]:
    """Customers lost in each stratum for whom nobody was drawn yet."""
    lost = CampaignEntry.reason.in_(_LOST) & CampaignEntry.state.in_(("suppressed", "closed"))
    topped = CampaignDraw.kind == "top_up"
    rows = await session.execute(
        select(
            CampaignEntry.stratum,
            func.count(CampaignEntry.contact_id.distinct()).filter(lost)
            - func.count(CampaignEntry.contact_id.distinct()).filter(topped),
        )
        .join(CampaignDraw, CampaignDraw.id == CampaignEntry.draw_id)
        .where(CampaignEntry.campaign_id == campaign_id)
        .group_by(CampaignEntry.stratum)
    )
    return {stratum: missing for stratum, missing in rows if missing > 0}


async def _draw(
    session: AsyncSession, campaign: Campaign, made: Definition, stratum: str, ids: list[int], at: datetime
) -> None:
    record = CampaignDraw(campaign_id=campaign.id, kind="top_up", seed=campaign.seed, at=at)
    record.strata = [{"name": stratum, "drawn": len(ids)}]
    session.add(record)
    await session.flush()
    people = await session.execute(select(Contact.id, Contact.groups, Contact.fields).where(Contact.id.in_(ids)))
    for person in people:
        customer = Customer(person.id, frozenset(person.groups), person.fields)
        for entry in plan(made, customer, at, campaign.started_at or at, spread(campaign.seed, person.id)):
            await session.execute(
                update(CampaignEntry)
                .where(
                    CampaignEntry.campaign_id == campaign.id,
                    CampaignEntry.contact_id == person.id,
                    CampaignEntry.rule == entry.rule,
                    CampaignEntry.occurrence == entry.occurrence,
                    CampaignEntry.state == "reserve",
                )
                .values(
                    draw_id=record.id, state=entry.state, reason=entry.reason, next_at=entry.next_at,
                    closed_at=None if entry.state == "waiting" else at,
                )
            )
    # Rules that have no row in this customer's plan any more (an occurrence long past) count as drawn and late.
    await session.execute(
        update(CampaignEntry)
        .where(CampaignEntry.campaign_id == campaign.id, CampaignEntry.contact_id.in_(ids), CampaignEntry.state == "reserve")
        .values(draw_id=record.id, state="late", reason="past_deadline", closed_at=at)
    )


async def finish(session: AsyncSession, campaign_id: int, at: datetime) -> bool:
    """A campaign is finished when its last day is over and nothing is under way any more."""
    campaign = await session.get_one(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    made = parse.definition(campaign.definition)
    if campaign.status != "running" or made.ends_on is None or at.date() <= made.ends_on:
        return False
    open_ones = select(func.count()).where(
        CampaignEntry.campaign_id == campaign_id,
        CampaignEntry.state.in_(("waiting", "queued")) | CampaignEntry.next_at.is_not(None),
    )
    if await session.scalar(open_ones):
        return False
    campaign.status, campaign.ended_at = "finished", at
    return True
