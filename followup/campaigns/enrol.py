"""Who belongs to a campaign gets a row in its ledger: drawn or not, due or not, with the reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import parse
from followup.campaigns.definition import Audience, Definition
from followup.campaigns.gate import DO_NOT_CONTACT
from followup.campaigns.plan import Customer, PlannedEntry, plan
from followup.campaigns.sampling import Counts, Member, StratumDraw, draw, lot, spread, stratum_of
from followup.store.campaign_models import Campaign, CampaignDraw, CampaignEntry, ImportedContact
from followup.store.models import Contact
from followup.store.records import blocked

LEFT_AUDIENCE, RULE_GONE = "left_audience", "rule_gone"
OVERLAP = timedelta(minutes=15)
"""Longer than any transaction that changes customers: what was under way at the last look is seen by the next."""
SLOWEST = timedelta(days=2)
"""Once a day changes are looked for so far back, for what `OVERLAP` was too short for."""
REPEATS_EVERY = timedelta(days=7)
IN_SIGHT = timedelta(days=30)
_AT_ONCE = 1000
_UNSENT = ("reserve", "waiting", "suppressed", "late")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`new`: customers seen for the first time, `drawn` of them. `planned`: customers whose plan was made anew. `all`: all were looked at."""

    new: int = 0
    drawn: int = 0
    planned: int = 0
    all: bool = False

    def __bool__(self) -> bool:
        """Whether customers may have been lost, or become available, by it."""
        return self.all or bool(self.new or self.planned)


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
    campaign = await session.get(Campaign, campaign_id, populate_existing=True)
    if campaign is None or campaign.status != "running":
        return Enrolled()
    if campaign.planned_at == at and campaign.planned_version == campaign.version:
        return Enrolled()  # another process has just looked
    made = parse.definition(campaign.definition)
    work = _Work(session, campaign, made, at, _since(campaign, at))
    repeats = work.whole or _repeats_are_due(campaign, made, at)
    planned = await _plan_again(work, repeats)
    drawn = await _draw_new(work)
    # Only now: until the end of the transaction nobody else could pause it.
    campaign.planned_at, campaign.planned_version = at, campaign.version
    if repeats:
        campaign.repeats_planned_at = at
    new = sum(len(s.chosen) + len(s.reserve) for s, _ in drawn)
    return Enrolled(new, sum(len(s.chosen) for s, _ in drawn), planned, work.since is None)


@dataclass(frozen=True, slots=True)
class _Work:
    session: AsyncSession
    campaign: Campaign
    made: Definition
    at: datetime
    since: datetime | None
    """Only customers whose data changed since then are looked at; None: all."""

    @property
    def whole(self) -> bool:
        """The campaign is new, or was edited: everything is planned anew."""
        return self.campaign.planned_version != self.campaign.version or self.campaign.planned_at is None


def _since(campaign: Campaign, at: datetime) -> datetime | None:
    """Everybody is looked at when the campaign is new or edited, and once a day; else who changed since shortly before the last look."""
    looked = campaign.planned_at
    if looked is None or campaign.planned_version != campaign.version or looked.astimezone(at.tzinfo).date() < at.date():
        return None
    return min(looked, at) - OVERLAP  # the earlier of the two: the clock may have been put back


async def _draw_new(work: _Work) -> list[tuple[StratumDraw, CampaignDraw]]:
    session, campaign, made = work.session, work.campaign, work.made
    known = exists().where(CampaignEntry.campaign_id == campaign.id, CampaignEntry.contact_id == Contact.id)
    conditions = in_audience(made.audience, campaign.is_demo)
    if work.since is not None:
        conditions.append(Contact.updated_at >= work.since)
    rows = (
        await session.execute(select(Contact.id, Contact.groups).where(*conditions, ~known).order_by(Contact.id))
    ).all()
    members = [Member(row.id, frozenset(row.groups)) for row in rows]
    members = [member for member in members if stratum_of(made.sampling.strata, member.groups) is not None]
    if not members:
        return []
    before = await _counts(session, campaign.id)
    draws = await asyncio.to_thread(draw, campaign.seed, made.sampling.strata, members, before)
    record = CampaignDraw(campaign_id=campaign.id, kind="more" if before else "first", seed=campaign.seed, at=work.at)
    record.strata = [_summary(stratum, before) for stratum in draws]
    session.add(record)
    await session.flush()
    for stratum in draws:
        for ids, draw_id in ((stratum.chosen, record.id), (stratum.reserve, None)):
            for part in _parts(ids):
                await _write(work, part, stratum=stratum.name, draw_id=draw_id)
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


# —— planning again ————————————————————————————————————————————————————


async def _plan_again(work: _Work, repeats: bool) -> int:
    """Customers whose own data or whose campaign changed since they were planned, and those of repeated rules."""
    session, campaign, entry = work.session, work.campaign, CampaignEntry
    if campaign.planned_at is None:
        return 0  # nobody was planned yet
    changed = await _stale(work)
    if repeats:
        changed |= await _coming_into_sight(work)
    if not changed:
        return 0
    rows = await session.execute(
        select(entry.contact_id, func.min(entry.stratum), func.max(entry.draw_id))
        .where(entry.campaign_id == campaign.id, entry.contact_id == func.any(sorted(changed)))
        .group_by(entry.contact_id)
    )
    inside = in_audience(work.made.audience, campaign.is_demo)
    by_lot: dict[tuple[str, int | None], list[int]] = {}
    for contact_id, stratum, draw_id in rows:
        by_lot.setdefault((stratum, draw_id), []).append(contact_id)
    for (stratum, draw_id), ids in by_lot.items():
        for part in _parts(ids):
            members = set(await session.scalars(select(Contact.id).where(Contact.id.in_(part), *inside)))
            await _leave(work, [one for one in part if one not in members])
            await _write(work, sorted(members), stratum=stratum, draw_id=draw_id)
    return len(changed)


async def _stale(work: _Work) -> set[int]:
    """Customers with contacts that nothing was made of yet, planned by other data, or by another version of the campaign."""
    entry, conditions = CampaignEntry, []
    if not work.whole:
        conditions.append(entry.seen_at.is_(None) | (entry.seen_at < Contact.updated_at))
        since, looked = work.since, work.campaign.planned_at
        if since is None and looked is not None:
            since = min(looked, work.at) - SLOWEST  # what changed before was seen by the look before
        conditions.append(Contact.updated_at >= since)
    rows = await work.session.scalars(
        select(entry.contact_id)
        .join(Contact, Contact.id == entry.contact_id)
        .where(entry.campaign_id == work.campaign.id, _untouched(), *conditions)
        .distinct()
    )
    return set(rows)


def _repeats_are_due(campaign: Campaign, made: Definition, at: datetime) -> bool:
    if not any(rule.every for rule in made.rules):
        return False
    last = campaign.repeats_planned_at
    return last is None or at - last >= REPEATS_EVERY or last > at


async def _coming_into_sight(work: _Work) -> set[int]:
    """Customers whose next contact by a repeated rule is due within a month, before they are written into the plan."""
    found: set[int] = set()
    entry = CampaignEntry
    for rule in work.made.rules:
        if not rule.every:
            continue
        # A month has 28 days or more, so nobody is found too late.
        latest = work.at + IN_SIGHT - timedelta(days=28 * rule.every)
        last = func.max(func.coalesce(entry.due_at, entry.base_at)) <= latest
        if rule.times:
            last &= func.max(entry.occurrence) < rule.times - 1
        found |= set(
            await work.session.scalars(
                select(entry.contact_id)
                .where(entry.campaign_id == work.campaign.id, entry.rule == rule.id)
                .group_by(entry.contact_id)
                .having(last)
            )
        )
    return found


async def _leave(work: _Work, contact_ids: Sequence[int]) -> None:
    if contact_ids:
        entry = CampaignEntry
        this = update(entry).where(entry.campaign_id == work.campaign.id, entry.contact_id.in_(contact_ids), _untouched())
        await work.session.execute(
            this.where(entry.state.in_(("reserve", "waiting"))).values(
                state="suppressed", reason=LEFT_AUDIENCE, next_at=None, closed_at=work.at
            )
        )
        seen = select(Contact.updated_at).where(Contact.id == entry.contact_id).scalar_subquery()
        await work.session.execute(this.values(version=work.campaign.version, seen_at=seen))


def _untouched() -> ColumnElement[bool]:
    """No message was tried yet, so a new plan may take its place."""
    return CampaignEntry.state.in_(_UNSENT) & (CampaignEntry.channel == "") & CampaignEntry.sent_at.is_(None)


# What ended stays as it ended once its time is over. What waits is not late because it was planned again: it may have been
# held back by the customer's daily cap or the campaign's limit.
_WRITE = text(
    """
    INSERT INTO campaign_entries AS entry (campaign_id, contact_id, rule, occurrence, version, stratum, lot, draw_id,
        base_at, due_at, not_after, next_at, state, reason, seen_at, created_at, closed_at)
    SELECT :campaign_id, new.contact_id, new.rule, new.occurrence, :version, :stratum, new.lot, CAST(:draw_id AS bigint),
        new.base_at, new.due_at, new.not_after, new.next_at, new.state, new.reason, new.seen_at, :at,
        CASE WHEN new.state IN ('suppressed', 'late') THEN CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (contact_id bigint, rule text, occurrence bigint, lot bigint,
        base_at timestamptz, due_at timestamptz, not_after timestamptz, next_at timestamptz, state text, reason text,
        seen_at timestamptz)
    ON CONFLICT (campaign_id, contact_id, rule, occurrence) DO UPDATE SET
        base_at = excluded.base_at, due_at = excluded.due_at, not_after = excluded.not_after,
        next_at = excluded.next_at, state = excluded.state, reason = excluded.reason, closed_at = excluded.closed_at
    WHERE entry.state = ANY(:unsent) AND entry.channel = '' AND entry.sent_at IS NULL
        AND (entry.state IN ('reserve', 'waiting') OR entry.not_after IS NULL OR entry.not_after > :at)
        AND NOT (entry.state = 'waiting' AND excluded.state IN ('waiting', 'late')
            AND entry.due_at = excluded.due_at AND entry.not_after = excluded.not_after)
    """
)

_GONE = text(
    """
    UPDATE campaign_entries AS entry SET state = 'cancelled', reason = :reason, next_at = NULL, closed_at = :at
    WHERE campaign_id = :campaign_id AND contact_id = ANY(:contacts) AND state IN ('reserve', 'waiting')
        AND channel = '' AND sent_at IS NULL AND (not_after IS NULL OR not_after > :at)
        AND NOT EXISTS (
            SELECT FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (contact_id bigint, rule text, occurrence bigint)
            WHERE new.contact_id = entry.contact_id AND new.rule = entry.rule AND new.occurrence = entry.occurrence
        )
    """
)

_SEEN = text(
    """
    UPDATE campaign_entries AS entry SET version = :version, seen_at = new.seen_at
    FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS new (contact_id bigint, seen_at timestamptz)
    WHERE campaign_id = :campaign_id AND entry.contact_id = new.contact_id
        AND state = ANY(:unsent) AND channel = '' AND sent_at IS NULL
        AND (version <> :version OR entry.seen_at IS DISTINCT FROM new.seen_at)
    """
)


async def _write(work: _Work, contact_ids: Sequence[int], *, stratum: str, draw_id: int | None) -> None:
    """The rows of these customers, whatever stood there before, except where something was sent already."""
    if not contact_ids:
        return
    session, campaign = work.session, work.campaign
    people = (
        await session.execute(
            select(Contact.id, Contact.groups, Contact.fields, Contact.updated_at, blocked(Contact.id, Contact.phone).label("stop"))
            .where(Contact.id == func.any(list(contact_ids)))
            .order_by(Contact.id)
        )
    ).all()
    # Customers write to the same worker: it must not stand still while thousands are planned.
    rows = await asyncio.to_thread(_rows, work, people, drawn=draw_id is not None)
    given = {"campaign_id": campaign.id, "version": campaign.version, "at": work.at, "unsent": list(_UNSENT)}
    await session.execute(_WRITE, {**given, "rows": rows, "stratum": stratum, "draw_id": draw_id})
    if campaign.planned_at is None:
        return
    if work.whole:
        await session.execute(_GONE, {**given, "rows": rows, "contacts": list(contact_ids), "reason": RULE_GONE})
    seen = json.dumps([{"contact_id": person.id, "seen_at": person.updated_at} for person in people], default=str)
    await session.execute(_SEEN, {**given, "seen": seen})


def _rows(work: _Work, people: Iterable[Row[Any]], *, drawn: bool) -> str:
    campaign, rows = work.campaign, []
    started_at = campaign.started_at or work.at
    for person in people:
        customer = Customer(person.id, frozenset(person.groups), person.fields)
        its_lot = lot(campaign.seed, person.id) >> 1
        for entry in plan(work.made, customer, work.at, started_at, spread(campaign.seed, person.id)):
            rows.append({**_row(entry, its_lot, person.stop, drawn), "seen_at": person.updated_at})
    return json.dumps(rows, ensure_ascii=False, default=str)


def _row(entry: PlannedEntry, its_lot: int, stop: bool, drawn: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "contact_id": entry.contact_id, "rule": entry.rule, "occurrence": entry.occurrence, "base_at": entry.base_at,
        "due_at": entry.due_at, "not_after": entry.not_after, "next_at": entry.next_at, "state": entry.state,
        "reason": entry.reason, "lot": its_lot,
    }  # fmt: skip
    if stop:
        row.update(state="suppressed", reason=DO_NOT_CONTACT, next_at=None)
    elif not drawn and entry.state == "waiting":
        row.update(state="reserve", next_at=None)
    return row


def _parts(ids: Iterable[int]) -> list[list[int]]:
    every = sorted(ids)
    return [every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)]
