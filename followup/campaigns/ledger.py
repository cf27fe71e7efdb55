"""Reading the ledger 台账: counts whose sums agree, rows by pages, one customer's way in Chinese sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns.decide import NOT_DELIVERED
from followup.campaigns.labels import label, reason_said, sentence
from followup.contacts.parse import normal_phone
from followup.settings import SHANGHAI
from followup.store.campaign_models import CampaignDraw, CampaignEntry, Delivery
from followup.store.models import Case, Message

STAGES = (
    "not_drawn", "suppressed", "late", "cancelled", "waiting", "queued", "unknown", "failed", "sent", "delivered", "opened",
    "answered", "completed", "appointed", "refused", "do_not_contact", "wrong_person", "unreachable", "handed_over", "ended_early",
    "complained", "cannot_send", "no_consent", "no_address",
)  # fmt: skip
"""In the order of a customer's way."""


@dataclass(frozen=True, slots=True)
class Count:
    rule: str
    stratum: str
    stage: str
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Every entry of a campaign counts once. `customers`: how many customers have entries."""

    rows: tuple[Count, ...]
    customers: int

    @property
    def total(self) -> int:
        return sum(row.count for row in self.rows)

    def by(self, what: str) -> dict[str, int]:
        """`what`: stage, rule or stratum. Stages come in their own order."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[getattr(row, what)] = found.get(getattr(row, what), 0) + row.count
        if what != "stage":
            return found
        return {stage: found[stage] for stage in (*STAGES, *sorted(set(found) - set(STAGES))) if stage in found}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    entry_id: int
    contact_id: int
    name: str
    phone: str | None
    rule: str
    occurrence: int
    stratum: str
    drawn: bool
    stage: str
    reason: str
    """A code of labels.yml, group reasons; of a closed talk its own reason stands in `outcome_reason`."""
    outcome_reason: str
    channel: str
    due_at: datetime | None
    next_at: datetime | None
    sent_at: datetime | None
    case_id: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence of a customer's way."""

    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class UnknownDelivery:
    """Nobody knows whether it arrived."""

    delivery_id: int
    contact_id: int
    name: str
    phone: str | None
    campaign_id: int | None
    campaign: str
    channel: str
    kind: str
    error: str
    sending_at: datetime | None


async def counts(session: AsyncSession, campaign_id: int) -> Counts:
    """By rule, stratum and stage, in one query and so at one moment."""
    # Nobody knows beforehand how few groups there are: with little memory all entries would be sorted on the disk.
    await session.execute(text("SET LOCAL work_mem = '64MB'"))
    found = await session.execute(
        text("SELECT rule, stratum, stage, count(*) AS count FROM campaign_ledger WHERE campaign_id = :id GROUP BY rule, stratum, stage"),
        {"id": campaign_id},
    )
    rows = sorted(found, key=lambda row: (row.rule, row.stratum, row.stage))
    customers = await session.scalar(
        select(func.count(CampaignEntry.contact_id.distinct())).where(CampaignEntry.campaign_id == campaign_id)
    )
    return Counts(tuple(Count(row.rule, row.stratum, row.stage, row.count) for row in rows), customers or 0)


async def stage_counts(session: AsyncSession, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Campaign -> stage -> entries, for the list of campaigns."""
    rows = await session.execute(
        text("SELECT campaign_id, stage, count(*) AS count FROM campaign_ledger WHERE campaign_id = ANY(:ids) GROUP BY 1, 2"),
        {"ids": list(campaign_ids)},
    )
    found: dict[int, dict[str, int]] = {campaign_id: {} for campaign_id in campaign_ids}
    for row in rows:
        found[row.campaign_id][row.stage] = row.count
    return found


_ROWS = """
    SELECT ledger.id AS entry_id, ledger.contact_id, contact.name, contact.phone, ledger.rule, ledger.occurrence, ledger.stratum,
        ledger.draw_id IS NOT NULL AS drawn, ledger.stage, ledger.reason, coalesce(ledger.outcome_reason, '') AS outcome_reason,
        ledger.channel, ledger.due_at, ledger.next_at, ledger.sent_at, ledger.case_id
    FROM campaign_ledger AS ledger JOIN contacts AS contact ON contact.id = ledger.contact_id
    WHERE ledger.campaign_id = :id AND ledger.id > :after {conditions}
    ORDER BY ledger.id LIMIT :limit
"""
_COUNT = """
    SELECT count(*) FROM campaign_ledger AS ledger JOIN contacts AS contact ON contact.id = ledger.contact_id
    WHERE ledger.campaign_id = :id {conditions}
"""
_CONDITIONS = {
    "stage": "AND ledger.stage = ANY(string_to_array(:stage, ','))",
    "rule": "AND ledger.rule = :rule",
    "stratum": "AND ledger.stratum = :stratum",
    "reason": "AND ledger.reason = :reason",
    "draw": "AND ledger.draw_id IN (SELECT id FROM campaign_draws WHERE campaign_id = :id AND CAST(:draw AS text) IN (id::text, kind, 'any'))",
    "q": "AND ledger.contact_id IN (SELECT id FROM found)",
}
# Found first and once: looked for entry by entry, a name that nobody has takes a second among 100,000.
_FOUND = "WITH found AS MATERIALIZED (SELECT id FROM contacts WHERE {condition})"
_NAMED = {
    "number": "phone = :q",
    "figures": "strpos(phone, :q) > 0 OR external_id = :q",
    "words": "strpos(name, :q) > 0 OR external_id = :q",
}


async def rows(
    session: AsyncSession,
    campaign_id: int,
    *,
    stage: str = "",
    rule: str = "",
    stratum: str = "",
    reason: str = "",
    draw: str = "",
    q: str = "",
    after: int = 0,
    limit: int = 50,
) -> list[LedgerRow]:
    """A page of entries, oldest first; `after`: the last entry id of the page before. Empty filters hold for all.

    `stage` may name several, with commas between them. `draw`: who was drawn by the draw of this id, by draws of this kind (first,
    more, top_up), or by any.
    """
    given, conditions, found = _wanted(stage=stage, rule=rule, stratum=stratum, reason=reason, draw=draw, q=q)
    entries = await session.execute(text(found + _ROWS.format(conditions=conditions)), {**given, "id": campaign_id, "after": after, "limit": limit})
    return [LedgerRow(**row._mapping) for row in entries]


async def count(
    session: AsyncSession, campaign_id: int, *, stage: str = "", rule: str = "", stratum: str = "", reason: str = "", draw: str = "", q: str = ""
) -> int:
    """How many `rows` there are in all."""
    given, conditions, found = _wanted(stage=stage, rule=rule, stratum=stratum, reason=reason, draw=draw, q=q)
    return await session.scalar(text(found + _COUNT.format(conditions=conditions)), {**given, "id": campaign_id}) or 0


def _wanted(**filters: str) -> tuple[dict[str, str], str, str]:
    """The filters that are given, their conditions, and what the statement begins with."""
    given = {name: value.strip() for name, value in filters.items() if value.strip()}
    return given, " ".join(_CONDITIONS[name] for name in given), _found(given)


def _found(given: dict[str, str]) -> str:
    q = given.get("q", "")
    if not q:
        return ""
    if phone := normal_phone(q):
        given["q"] = phone
        return _FOUND.format(condition=_NAMED["number"])
    return _FOUND.format(condition=_NAMED["figures" if q.isascii() and any(map(str.isdigit, q)) else "words"])


async def draws(session: AsyncSession, campaign_id: int) -> list[CampaignDraw]:
    """Every draw, as an auditor can repeat it, oldest first."""
    found = select(CampaignDraw).where(CampaignDraw.campaign_id == campaign_id).order_by(CampaignDraw.id)
    return list(await session.scalars(found))


async def planned_days(session: AsyncSession, campaign_id: int) -> list[tuple[str, str, int]]:
    """(day as ISO text, rule, how many) of what still waits, by the day it is looked at next."""
    found = await session.execute(
        text(
            "SELECT to_char(next_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') AS day, rule, count(*) AS count"
            " FROM campaign_entries WHERE campaign_id = :id AND state = 'waiting' GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        {"id": campaign_id},
    )
    return [(row.day, row.rule, row.count) for row in found]


async def unknown_deliveries(session: AsyncSession, *, after: int = 0, limit: int = 50) -> list[UnknownDelivery]:
    """The list 待核实, oldest first."""
    found = await session.execute(
        text(
            """
            SELECT delivery.id AS delivery_id, delivery.contact_id, contact.name, contact.phone, campaign.id AS campaign_id,
                coalesce(campaign.name, '') AS campaign, delivery.channel, delivery.kind, delivery.error, delivery.sending_at
            FROM deliveries AS delivery JOIN contacts AS contact ON contact.id = delivery.contact_id
            LEFT JOIN campaign_entries AS entry ON entry.id = delivery.entry_id
            LEFT JOIN campaigns AS campaign ON campaign.id = entry.campaign_id
            WHERE delivery.status = 'unknown' AND delivery.id > :after ORDER BY delivery.id LIMIT :limit
            """
        ),
        {"after": after, "limit": limit},
    )
    return [UnknownDelivery(**row._mapping) for row in found]


# —— one customer's way ——————————————————————————————————————————————————


async def history(session: AsyncSession, entry_id: int) -> list[Step]:
    """What happened to an entry, in the order it happened. LookupError when there is none."""
    entry = await session.get(CampaignEntry, entry_id, populate_existing=True)
    if entry is None:
        raise LookupError(f"no entry {entry_id}")
    draw = await session.get(CampaignDraw, entry.draw_id) if entry.draw_id is not None else None
    deliveries = await session.scalars(select(Delivery).where(Delivery.entry_id == entry_id).order_by(Delivery.number))
    steps = [_planned(entry), _drawn(entry, draw)]
    for delivery in deliveries:
        steps += _sent(delivery)
    if entry.case_id is not None:
        steps += await _talk(session, entry.case_id)
    if (end := _end(entry)) is not None:
        steps.append(end)
    if entry.next_at is not None:
        key = "waits_again" if entry.state == "waiting" and entry.reason == NOT_DELIVERED else "waits"
        steps.append(Step(None, sentence(key, "history", next=moment(entry.next_at), channel=label(entry.channel, "channels"))))
    # What has no time of its own comes last; the rest in order, as written where the times are the same.
    return sorted(steps, key=lambda step: (step.at is None, step.at or entry.created_at))


def moment(at: datetime) -> str:
    """2026年11月22日 15:00"""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _planned(entry: CampaignEntry) -> Step:
    if entry.due_at is None:
        return Step(entry.created_at, sentence("planned_without", "history", rule=entry.rule))
    return Step(entry.created_at, sentence("planned", "history", rule=entry.rule, due=moment(entry.due_at)))


def _drawn(entry: CampaignEntry, draw: CampaignDraw | None) -> Step:
    if draw is None:
        return Step(entry.created_at, sentence("not_drawn", "history", stratum=entry.stratum, lot=entry.lot))
    given = {"draw": label(draw.kind, "draws"), "stratum": entry.stratum, "lot": entry.lot}
    return Step(max(draw.at, entry.created_at), sentence("drawn", "history", **given))


def _sent(delivery: Delivery) -> list[Step]:
    given = {
        "number": delivery.number,
        "kind": label(delivery.kind, "delivery_kinds"),
        "channel": label(delivery.channel, "channels"),
        "reason": reason_said(delivery.error),
    }
    steps = [Step(delivery.queued_at, sentence("queued", "history", **given))]
    if delivery.status in ("accepted", "delivered"):
        steps.append(Step(delivery.sending_at, sentence("sent", "history", **given)))
    elif delivery.status in ("failed", "unknown", "suppressed"):
        steps.append(Step(delivery.done_at, sentence(delivery.status, "history", **given)))
    if delivery.delivered_at is not None:
        steps.append(Step(delivery.delivered_at, sentence("delivered", "history", **given)))
    return steps


async def _talk(session: AsyncSession, case_id: str) -> list[Step]:
    case = await session.get(Case, case_id)
    steps: list[Step] = []
    if case is None:
        return steps
    if case.opened_at is not None:
        steps.append(Step(case.opened_at, sentence("opened", "history")))
        wanted = select(func.min(Message.created_at)).where(Message.case_id == case_id, Message.direction == "in")
        if (first := await session.scalar(wanted)) is not None:
            steps.append(Step(first, sentence("answered", "history")))
    if case.outcome:
        steps.append(Step(case.ended_at, sentence("outcome", "history", outcome=label(case.outcome, "stages"))))
    return steps


def _end(entry: CampaignEntry) -> Step | None:
    if not entry.reason or entry.reason == "unknown":
        return None
    key = {"suppressed": "stopped", "cancelled": "stopped", "late": "late", "closed": "closed"}.get(entry.state)
    return None if key is None else Step(entry.closed_at, sentence(key, "history", reason=reason_said(entry.reason)))
