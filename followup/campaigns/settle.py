"""What time and customers bring: who came, who did not, whose place another customer takes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Definition
from followup.campaigns.plan import Customer, plan
from followup.campaigns.sampling import spread
from followup.campaigns.unfinished import SILENCE, SILENT
from followup.settings import SHANGHAI
from followup.store.campaign_models import LOST, Campaign, CampaignDraw, CampaignEntry
from followup.store.models import Contact

# Where the campaign asks who went away before the end to go on, the dispatcher looks at those whose talk is not over.
# Both pass over what a colleague has in hand, and lock in one order: two processes do this at the same minute.
_CAME = text(
    """
    WITH came AS (
        SELECT entry.id FROM campaign_entries AS entry JOIN cases AS talk ON talk.id = entry.case_id
        WHERE entry.state = 'sent' AND (talk.opened_at IS NOT NULL OR talk.status = 'closed')
        ORDER BY entry.id FOR UPDATE OF entry SKIP LOCKED
    )
    UPDATE campaign_entries AS entry SET state = 'closed', closed_at = coalesce(entry.closed_at, :at),
        next_at = CASE WHEN coalesce(CAST(campaign.definition #>> '{retry,unfinished,times}' AS int), 0) > 0
            AND campaign.status IN ('running', 'paused')
            AND (talk.status <> 'closed' OR talk.outcome = ANY(:silent) AND talk.outcome_reason = :silence)
            THEN CAST(:at AS timestamptz) END
    FROM came, cases AS talk, campaigns AS campaign
    WHERE entry.id = came.id AND talk.id = entry.case_id AND campaign.id = entry.campaign_id
    """
)


async def close_who_came(session: AsyncSession, at: datetime) -> int:
    """Entries whose customer has opened the talk need no reminder. Returns how many."""
    return (await session.execute(_CAME, {"at": at, "silent": list(SILENT), "silence": SILENCE})).rowcount


async def top_up(session: AsyncSession, campaign_id: int, at: datetime) -> int:
    """Draw the next of the reserve for each drawn customer who is lost to the campaign. Returns how many were drawn.

    As long as its reserve lasts, a stratum keeps as many drawn who are not lost as were wanted; asked again nothing changes.
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
    entry = CampaignEntry
    lost = await session.execute(
        select(entry.stratum, func.count(entry.contact_id.distinct()))
        .where(entry.campaign_id == campaign_id, text(LOST))  # as the index says it
        .group_by(entry.stratum)
    )
    earlier = await session.scalars(
        select(CampaignDraw.strata).where(CampaignDraw.campaign_id == campaign_id, CampaignDraw.kind == "top_up")
    )
    topped = Counter[str]()
    for strata in earlier:
        topped.update({stratum["name"]: stratum["drawn"] for stratum in strata})
    missing = {stratum: count - topped[stratum] for stratum, count in lost}
    return {stratum: count for stratum, count in missing.items() if count > 0}


async def _draw(
    session: AsyncSession, campaign: Campaign, made: Definition, stratum: str, ids: list[int], at: datetime
) -> None:
    record = CampaignDraw(campaign_id=campaign.id, kind="top_up", seed=campaign.seed, at=at)
    record.strata = [{"name": stratum, "drawn": len(ids)}]
    session.add(record)
    await session.flush()
    people = await session.execute(select(Contact.id, Contact.groups, Contact.fields).where(Contact.id.in_(ids)))
    rows = [
        {
            "contact_id": person.id, "rule": entry.rule, "occurrence": entry.occurrence,
            "state": entry.state, "reason": entry.reason, "next_at": entry.next_at,
        }
        for person in people
        for entry in plan(
            made, Customer(person.id, frozenset(person.groups), person.fields), at, campaign.started_at or at,
            spread(campaign.seed, person.id),
        )
    ]  # fmt: skip
    given = {"campaign_id": campaign.id, "draw_id": record.id, "at": at}
    await session.execute(_TOP_UP, {**given, "rows": json.dumps(rows, ensure_ascii=False, default=str)})
    # Whatever else these customers have counts as drawn: a contact without its date, one whose time is long past.
    await session.execute(_THE_REST, {**given, "contacts": ids})


_TOP_UP = text(
    """
    UPDATE campaign_entries AS entry SET draw_id = :draw_id, state = new.state, reason = new.reason, next_at = new.next_at,
        closed_at = CASE WHEN new.state <> 'waiting' THEN CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS new (contact_id bigint, rule text, occurrence bigint, state text, reason text, next_at timestamptz)
    WHERE entry.campaign_id = :campaign_id AND entry.contact_id = new.contact_id AND entry.rule = new.rule
        AND entry.occurrence = new.occurrence AND entry.state = 'reserve'
    """
)
_THE_REST = text(
    """
    UPDATE campaign_entries SET draw_id = :draw_id,
        state = CASE WHEN state = 'reserve' THEN 'late' ELSE state END,
        reason = CASE WHEN state = 'reserve' THEN 'past_deadline' ELSE reason END,
        closed_at = CASE WHEN state = 'reserve' THEN :at ELSE closed_at END
    WHERE campaign_id = :campaign_id AND contact_id = ANY(:contacts) AND draw_id IS NULL
    """
)


async def sweep_cancelled(session: AsyncSession, at: datetime) -> int:
    """What came back from the senders after its campaign was cancelled, or finished. Returns how many entries."""
    return (await session.execute(_SWEEP, {"at": at})).rowcount


_SWEEP = text(
    """
    WITH over AS (
        SELECT entry.id FROM campaign_entries AS entry JOIN campaigns AS campaign ON campaign.id = entry.campaign_id
        WHERE campaign.status IN ('cancelled', 'finished')
            AND (campaign.ended_at IS NULL OR campaign.ended_at > CAST(:at AS timestamptz) - interval '30 days')
            AND (entry.state = 'waiting' OR (entry.state IN ('sent', 'closed') AND entry.next_at IS NOT NULL)
                OR (entry.state = 'reserve' AND campaign.status = 'cancelled'))
        ORDER BY entry.id FOR UPDATE OF entry SKIP LOCKED
    )
    UPDATE campaign_entries AS entry SET next_at = NULL,
        closed_at = CASE WHEN entry.state = 'closed' THEN entry.closed_at ELSE :at END,
        reason = CASE WHEN entry.state = 'closed' THEN entry.reason ELSE 'campaign_over' END,
        state = CASE WHEN entry.state IN ('sent', 'closed') OR entry.sent_at IS NOT NULL THEN 'closed' ELSE 'cancelled' END
    FROM over WHERE entry.id = over.id
    """
)


async def finish(session: AsyncSession, campaign_id: int, at: datetime) -> bool:
    """A campaign is finished when its last day is over and nothing is under way any more."""
    campaign = await session.get_one(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    made = parse.definition(campaign.definition)
    if campaign.status != "running" or made.ends_on is None or at.astimezone(SHANGHAI).date() <= made.ends_on:
        return False
    open_ones = select(func.count()).where(
        CampaignEntry.campaign_id == campaign_id,
        CampaignEntry.state.in_(("waiting", "queued")) | CampaignEntry.next_at.is_not(None),
    )
    if await session.scalar(open_ones):
        return False
    campaign.status, campaign.ended_at = "finished", at
    return True
