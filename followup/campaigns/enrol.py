"""Who belongs to a campaign gets a row in its ledger: drawn or not, due or not, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Audience, Definition
from followup.campaigns.gate import DO_NOT_CONTACT
from followup.campaigns.plan import Customer, PlannedEntry, plan
from followup.campaigns.sampling import Counts, Member, StratumDraw, draw, lot, spread
from followup.store.campaign_models import Campaign, CampaignDraw, CampaignEntry, ImportedContact
from followup.store.models import Contact
from followup.store.records import blocked

LEFT_AUDIENCE, RULE_GONE = "left_audience", "rule_gone"
_AT_ONCE = 5000
_UNSENT = ("reserve", "waiting", "suppressed", "late")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`new`: customers seen for the first time, `drawn` of them. `planned`: customers whose plan was made anew."""

    new: int = 0
    drawn: int = 0
    planned: int = 0


def in_audience(audience: Audience, is_demo: bool) -> list[ColumnElement[bool]]:
    """Conditions on `contacts`: whom the campaign is about."""
    conditions = [Contact.is_demo == is_demo, ~Contact.is_anonymous, Contact.erased_at.is_(None)]
    if audience.groups:
        conditions.append(Contact.groups.overlap(list(audience.groups)))
    if audience.without_groups:
        conditions.append(~Contact.groups.overlap(list(audience.without_groups)))
    conditions += [Contact.fields[c.field].astext.in_(c.values) for c in audience.conditions]
    if audience.imports:
        came = exists().where(ImportedContact.contact_id == Contact.id, ImportedContact.import_id.in_(audience.imports))
        conditions.append(came)
    return conditions


async def enrol(session: AsyncSession, campaign_id: int, at: datetime) -> Enrolled:
    """Look through the audience of a running campaign. One process at a time; another one returns at once.

    Customers who are new to it are drawn, those who changed, or whose campaign was edited, are planned again, and repeated
    contacts that come into sight get their rows.
    """
    key = {"key": f"enrol:{campaign_id}"}
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))"), key):
        return Enrolled()
    campaign = await session.get_one(Campaign, campaign_id, populate_existing=True)
    if campaign.status != "running":
        return Enrolled()
    made = parse.definition(campaign.definition)
    planned = await _plan_again(session, campaign, made, at)
    drawn = await _draw_new(session, campaign, made, at)
    campaign.planned_at = at
    return Enrolled(sum(s.population for s, _ in drawn), sum(len(s.chosen) for s, _ in drawn), planned)


async def _draw_new(
    session: AsyncSession, campaign: Campaign, made: Definition, at: datetime
) -> list[tuple[StratumDraw, CampaignDraw]]:
    known = exists().where(CampaignEntry.campaign_id == campaign.id, CampaignEntry.contact_id == Contact.id)
    conditions = in_audience(made.audience, campaign.is_demo)
    rows = (
        await session.execute(select(Contact.id, Contact.groups).where(*conditions, ~known).order_by(Contact.id))
    ).all()
    if not rows:
        return []
    before = await _counts(session, campaign.id)
    draws = draw(campaign.seed, made.sampling.strata, [Member(row.id, frozenset(row.groups)) for row in rows], before)
    if not any(stratum.chosen or stratum.reserve for stratum in draws):
        return []
    record = CampaignDraw(campaign_id=campaign.id, kind="more" if before else "first", seed=campaign.seed, at=at)
    record.strata = [_summary(stratum, before) for stratum in draws]
    session.add(record)
    await session.flush()
    for stratum in draws:
        for ids, draw_id in ((stratum.chosen, record.id), (stratum.reserve, None)):
            for part in _parts(ids):
                await _write(session, campaign, made, part, at, stratum=stratum.name, draw_id=draw_id)
    return [(stratum, record) for stratum in draws]


async def _counts(session: AsyncSession, campaign_id: int) -> dict[str, Counts]:
    """Population and drawn of each stratum so far, by the rows themselves; top-ups take the place of others."""
    rows = await session.execute(
        select(
            CampaignEntry.stratum,
            func.count(CampaignEntry.contact_id.distinct()).label("population"),
            func.count(CampaignEntry.contact_id.distinct())
            .filter(CampaignEntry.draw_id.is_not(None), CampaignDraw.kind != "top_up")
            .label("drawn"),
        )
        .outerjoin(CampaignDraw, CampaignDraw.id == CampaignEntry.draw_id)
        .where(CampaignEntry.campaign_id == campaign_id)
        .group_by(CampaignEntry.stratum)
    )
    return {row.stratum: Counts(row.population, row.drawn) for row in rows}


def _summary(stratum: StratumDraw, before: dict[str, Counts]) -> dict[str, Any]:
    earlier = before.get(stratum.name, Counts())
    return {
        "name": stratum.name,
        "share": stratum.share,
        "population": stratum.population,
        "wanted": stratum.wanted,
        "drawn": len(stratum.chosen),
        "drawn_before": earlier.drawn,
    }


async def _plan_again(session: AsyncSession, campaign: Campaign, made: Definition, at: datetime) -> int:
    """Customers whose own data or whose campaign changed since the last look; once a day those of repeated rules."""
    entry = CampaignEntry
    changed = (entry.version != campaign.version) & entry.state.in_(_UNSENT)
    if campaign.planned_at is not None:
        changed |= Contact.updated_at >= campaign.planned_at
        if any(rule.every for rule in made.rules) and campaign.planned_at.date() < at.date():
            changed |= entry.rule.in_([rule.id for rule in made.rules if rule.every])
    rows = (
        await session.execute(
            select(Contact.id, func.min(entry.stratum), func.max(entry.draw_id))
            .join(Contact, Contact.id == entry.contact_id)
            .where(entry.campaign_id == campaign.id, changed)
            .group_by(Contact.id)
            .order_by(Contact.id)
        )
    ).all()
    inside = in_audience(made.audience, campaign.is_demo)
    by_lot: dict[tuple[str, int | None], list[int]] = {}
    for contact_id, stratum, draw_id in rows:
        by_lot.setdefault((stratum, draw_id), []).append(contact_id)
    for (stratum, draw_id), ids in by_lot.items():
        for part in _parts(ids):
            members = set(await session.scalars(select(Contact.id).where(Contact.id.in_(part), *inside)))
            await _leave(session, campaign, [one for one in part if one not in members], at)
            await _write(session, campaign, made, sorted(members), at, stratum=stratum, draw_id=draw_id)
    return len(rows)


async def _leave(session: AsyncSession, campaign: Campaign, contact_ids: Sequence[int], at: datetime) -> None:
    if contact_ids:
        await session.execute(
            update(CampaignEntry)
            .where(CampaignEntry.campaign_id == campaign.id, CampaignEntry.contact_id.in_(contact_ids), _unsent())
            .values(state="suppressed", reason=LEFT_AUDIENCE, next_at=None, version=campaign.version, closed_at=at)
        )


def _unsent() -> ColumnElement[bool]:
    """Nothing was made of it yet, so a new plan may take its place."""
    return CampaignEntry.state.in_(_UNSENT) & CampaignEntry.case_id.is_(None)


_WRITE = text(
    """
    INSERT INTO campaign_entries AS entry (campaign_id, contact_id, rule, occurrence, version, stratum, lot, draw_id,
        base_at, due_at, not_after, next_at, state, reason, created_at, closed_at)
    SELECT :campaign_id, new.contact_id, new.rule, new.occurrence, :version, :stratum, new.lot, CAST(:draw_id AS bigint),
        new.base_at, new.due_at, new.not_after, new.next_at, new.state, new.reason, :at,
        CASE WHEN new.state IN ('suppressed', 'late') THEN CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (contact_id bigint, rule text, occurrence bigint, lot bigint,
        base_at timestamptz, due_at timestamptz, not_after timestamptz, next_at timestamptz, state text, reason text)
    ON CONFLICT (campaign_id, contact_id, rule, occurrence) DO UPDATE SET
        version = excluded.version, base_at = excluded.base_at, due_at = excluded.due_at, not_after = excluded.not_after,
        next_at = excluded.next_at, state = excluded.state, reason = excluded.reason, closed_at = excluded.closed_at
    WHERE entry.state = ANY(:unsent) AND entry.case_id IS NULL
    """
)


async def _write(
    session: AsyncSession,
    campaign: Campaign,
    made: Definition,
    contact_ids: Sequence[int],
    at: datetime,
    *,
    stratum: str,
    draw_id: int | None,
) -> None:
    """The rows of these customers, whatever stood there before, except where something was sent already."""
    if not contact_ids:
        return
    people = await session.execute(
        select(Contact.id, Contact.groups, Contact.fields, blocked(Contact.id, Contact.phone).label("stop"))
        .where(Contact.id.in_(contact_ids))
        .order_by(Contact.id)
    )
    rows = []
    for person in people:
        customer = Customer(person.id, frozenset(person.groups), person.fields)
        started_at = campaign.started_at or at
        for entry in plan(made, customer, at, started_at, spread(campaign.seed, person.id)):
            rows.append(_row(entry, lot(campaign.seed, person.id) >> 1, person.stop, draw_id is not None))
    await session.execute(
        _WRITE,
        {
            "rows": json.dumps(rows, ensure_ascii=False, default=str),
            "campaign_id": campaign.id,
            "version": campaign.version,
            "stratum": stratum,
            "draw_id": draw_id,
            "at": at,
            "unsent": list(_UNSENT),
        },
    )
    await session.execute(
        update(CampaignEntry)
        .where(
            CampaignEntry.campaign_id == campaign.id,
            CampaignEntry.contact_id.in_(contact_ids),
            CampaignEntry.version != campaign.version,
            _unsent(),
        )
        .values(state="cancelled", reason=RULE_GONE, next_at=None, version=campaign.version, closed_at=at)
    )


def _row(entry: PlannedEntry, its_lot: int, stop: bool, drawn: bool) -> dict[str, Any]:
    row = {**asdict(entry), "lot": its_lot}
    if stop:
        row.update(state="suppressed", reason=DO_NOT_CONTACT, next_at=None)
    elif not drawn and entry.state == "waiting":
        row.update(state="reserve", next_at=None)
    return row


def _parts(ids: Iterable[int]) -> list[list[int]]:
    every = sorted(ids)
    return [every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)]
