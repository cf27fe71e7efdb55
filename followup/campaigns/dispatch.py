"""What is due goes out: entries whose time has come become deliveries, or learn why not (decision 0011)."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate, parse
from followup.campaigns.decide import NOT_DELIVERED, Facts, Send, Step, Stop, Talk, Wait, decide
from followup.campaigns.definition import Definition
from followup.campaigns.queue import last_numbers, wake
from followup.campaigns.unfinished import talks
from followup.campaigns.versions import Version, Versions, versions
from followup.scripts import load, published
from followup.scripts.model import Script, build
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.models import Case, Contact

_log = logging.getLogger(__name__)

AT_ONCE = 1000
_MINUTE = timedelta(minutes=1)
MISSING_DATA, UNREACHABLE = "missing_data", "unreachable"
_NOTHING_NEEDED: dict[str, str] = {}
_LOCKED_AGAIN = timedelta(seconds=20)
"""When to look again at a customer whom another process has in hand."""


class NoScript(Exception):
    """The campaign's script was withdrawn, or cannot be read any more. `why`: a key of labels.yml."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def script_now(script_id: str) -> tuple[Script, dict[str, Any]]:
    """The script and its content as they are in force now. Raises NoScript."""
    try:
        changed = [published.stamp(path) for path in (load.find(script_id), load.SCRIPTS_DIR / load.SHARED)]
    except (load.UnknownScript, FileNotFoundError):
        raise NoScript("script_gone") from None
    try:
        return _script(script_id, *changed)
    except Exception as error:  # whatever is wrong with a file somebody is writing at
        _log.warning("script %s cannot be read: %s", script_id, type(error).__name__)
        raise NoScript("script_broken") from error


@lru_cache(maxsize=64)
def _script(script_id: str, *changed: published.Stamp) -> tuple[Script, dict[str, Any]]:
    content = load.content(script_id)
    return build(content), content


@dataclass
class Dispatched:
    """What a round did. `more`: something else may be due."""

    looked_at: int = 0
    more: bool = False
    queued: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    deliveries: list[int] = field(default_factory=list)


async def dispatch(session: AsyncSession, campaign_id: int, at: datetime, daily_cap: int, limit: int = AT_ONCE) -> Dispatched:
    """One round of one running campaign; call again while there is more.

    Of several processes at once only one does it, so that the campaign's limit per minute holds.
    """
    done = Dispatched()
    key = {"key": f"dispatch:{campaign_id}"}
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))"), key):
        return done
    campaign = await session.get(Campaign, campaign_id, populate_existing=True)
    if campaign is None or campaign.status != "running":
        return done
    made = parse.definition(campaign.definition)
    room = made.per_minute - await _made_lately(session, campaign_id, at)
    most = min(limit, room)
    rows = await _due(session, campaign_id, campaign.version, at, most) if most > 0 else []
    if not rows:
        return done
    done.looked_at, done.more = len(rows), len(rows) == most
    down: list[tuple[Row[Any], Wait | Stop]] = []
    standings = await gate.standings(session, sorted({row.contact_id for row in rows}), at.astimezone(SHANGHAI).date())
    opened = [row.case_id for row in rows if _came(row)] if made.retry.unfinished.times else []
    held = await talks(session, opened)
    today: Counter[int] = Counter()
    sends: list[tuple[Row[Any], Send]] = []
    for row in rows:
        step = _step(made, row, standings.get(row.contact_id), held.get(row.case_id), at, daily_cap - today[row.contact_id])
        if isinstance(step, Send):
            sends.append((row, step))
            today[row.contact_id] += 1
        else:
            down.append((row, step))
    variables: dict[int, dict[str, str] | None] = {}
    new = [row for row, _ in sends if _is_new(row)]
    by = await versions(session, campaign, *script_now(campaign.script_id)) if new else Versions([])
    if new:
        variables = await _variables(session, campaign, made, by, new)
        down += [(row, Stop("suppressed", MISSING_DATA)) for row, _ in sends if variables.get(row.id, _NOTHING_NEEDED) is None]
        sends = [(row, step) for row, step in sends if variables.get(row.id, _NOTHING_NEEDED) is not None]
    await _set_down(session, down, at, done)
    if sends:
        done.deliveries = await _queue(session, campaign, by, sends, variables, at)
        done.queued = len(done.deliveries)
    return done


async def _made_lately(session: AsyncSession, campaign_id: int, at: datetime) -> int:
    lately = select(func.count()).select_from(Delivery).join(CampaignEntry, CampaignEntry.id == Delivery.entry_id)
    lately = lately.where(CampaignEntry.campaign_id == campaign_id, Delivery.queued_at > at - _MINUTE, Delivery.queued_at <= at)
    return await session.scalar(lately) or 0


async def _due(session: AsyncSession, campaign_id: int, version: int, at: datetime, limit: int) -> Sequence[Row[Any]]:
    entry = CampaignEntry
    last_sent = (
        select(func.max(Delivery.sending_at))
        .where(Delivery.entry_id == entry.id, Delivery.status.in_(("accepted", "delivered", "unknown")))
        .scalar_subquery()
    )
    # Only of what waits: who was sent something and has not come is not looked at for it.
    of_entry = (Delivery.entry_id == entry.id, entry.state == "waiting")
    for_the_moment = (Delivery.status == "failed") & ~Delivery.lasting & (Delivery.channel == entry.channel)
    newest = select(case((for_the_moment, Delivery.done_at))).where(*of_entry, Delivery.status != "suppressed")
    failed_at = newest.order_by(Delivery.number.desc()).limit(1).scalar_subquery()
    failures = select(func.count()).where(*of_entry, for_the_moment).scalar_subquery()
    return (
        await session.execute(
            select(
                entry.id,
                entry.contact_id,
                entry.state,
                entry.channel,
                entry.tries,
                entry.not_after,
                entry.case_id,
                entry.reason,
                last_sent.label("last_sent"),
                failed_at.label("failed_at"),
                failures.label("failures"),
                Case.status.label("case_status"),
                Case.opened_at,
            )
            .outerjoin(Case, Case.id == entry.case_id)
            .where(
                entry.campaign_id == campaign_id,
                entry.next_at <= at,
                entry.state.in_(("waiting", "sent", "closed")),
                # What an edit changed is planned again first.
                or_(entry.version == version, entry.channel != ""),
            )
            .order_by(entry.next_at, entry.id)
            .limit(limit)
            .with_for_update(of=entry, skip_locked=True)
        )
    ).all()


def _came(row: Row[Any]) -> bool:
    return row.state == "closed" or row.opened_at is not None or row.case_status == "closed"


def _step(made: Definition, row: Row[Any], standing: gate.Standing | None, talk: Talk | None, at: datetime, cap: int) -> Step:
    if standing is None:
        return Wait(at + _LOCKED_AGAIN, NOT_DELIVERED if row.reason == NOT_DELIVERED else "")
    facts = Facts(
        row.state, row.channel, row.tries, row.last_sent, row.not_after, _came(row), standing, row.failed_at, row.failures, talk
    )
    return decide(made, facts, at, cap)


def _is_new(row: Row[Any]) -> bool:
    """Whether the customer knows nothing of the talk yet: its variables and script are taken as they are now."""
    return row.case_id is None or (row.channel == "" and row.case_status == "new")


async def _set_down(session: AsyncSession, steps: Sequence[tuple[Row[Any], Wait | Stop]], at: datetime, done: Dispatched) -> None:
    """Write the steps that send nothing, all at once; a talk that nobody opened ends with its entry."""
    waits = [
        {"id": row.id, "next_at": step.until.isoformat(), "reason": step.reason, "came": _came(row)}
        for row, step in steps
        if isinstance(step, Wait)
    ]
    if waits:
        await session.execute(_WAITS, {"rows": json.dumps(waits), "at": at, "own": NOT_DELIVERED})
    stops, over = [], []
    for row, step in steps:
        if not isinstance(step, Stop):
            continue
        reason = step.reason or (UNREACHABLE if step.state == "unreachable" else "")
        done.stopped[reason or step.state] += 1
        stops.append({"id": row.id, "state": "suppressed" if step.state == "suppressed" else "closed", "reason": reason})
        if row.case_id is not None and row.case_status == "new" and reason:
            over.append({"id": row.case_id, "outcome": reason})
    if stops:
        await session.execute(_STOPS, {"rows": json.dumps(stops), "at": at})
    if over:
        await session.execute(_OVER, {"rows": json.dumps(over), "at": at})


_WAITS = text(
    """
    UPDATE campaign_entries AS entry SET next_at = new.next_at,
        reason = CASE WHEN new.reason <> '' OR entry.reason = :own THEN new.reason ELSE entry.reason END,
        state = CASE WHEN new.came THEN 'closed' ELSE entry.state END,
        closed_at = CASE WHEN new.came THEN coalesce(entry.closed_at, CAST(:at AS timestamptz)) ELSE entry.closed_at END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id bigint, next_at timestamptz, reason text, came boolean)
    WHERE entry.id = new.id
    """
)
_STOPS = text(
    """
    UPDATE campaign_entries AS entry SET state = new.state, reason = new.reason, next_at = NULL,
        closed_at = CASE entry.state WHEN 'closed' THEN coalesce(entry.closed_at, :at) ELSE CAST(:at AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id bigint, state text, reason text) WHERE entry.id = new.id
    """
)
_OVER = text(
    """
    UPDATE cases SET status = 'closed', outcome = new.outcome, outcome_reason = '', ended_at = :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id text, outcome text)
    WHERE cases.id = new.id AND cases.status = 'new'
    """
)
_REFRESHED = text(
    """
    UPDATE cases SET variables = new.variables, script_id = :script_id, revision_id = :revision_id,
        comparison_id = CAST(:comparison_id AS bigint), side = CAST(:side AS text)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id text, variables jsonb)
    WHERE cases.id = new.id AND cases.status = 'new'
    """
)


async def _queue(
    session: AsyncSession,
    campaign: Campaign,
    by: Versions,
    sends: Sequence[tuple[Row[Any], Send]],
    variables: Mapping[int, Mapping[str, str] | None],
    at: datetime,
) -> list[int]:
    """Cases where there are none yet, deliveries, and their jobs: all in this transaction."""
    cases = {row.id: row.case_id for row, _ in sends if row.case_id is not None}
    cases |= await _open_cases(session, campaign, by, [row for row, _ in sends if _is_new(row)], variables, at)
    numbers = await last_numbers(session, cases.values())
    ids = await session.scalars(
        _DELIVERIES,
        {
            "rows": json.dumps(
                [
                    {
                        "case_id": cases[row.id],
                        "contact_id": row.contact_id,
                        "entry_id": row.id,
                        "number": numbers.get(cases[row.id], 0) + 1,
                        "kind": step.kind,
                        "channel": step.channel,
                    }
                    for row, step in sends
                ]
            ),
            "day": at.astimezone(SHANGHAI).date(),
            "at": at,
            "priority": campaign.priority,
        },
    )
    await session.execute(_QUEUED, {"rows": json.dumps([{"id": row.id, "case_id": cases[row.id]} for row, _ in sends])})
    deliveries = list(ids)
    await wake(session)
    return deliveries


_DELIVERIES = text(
    """
    INSERT INTO deliveries (case_id, contact_id, entry_id, number, kind, channel, priority, day, queued_at)
    SELECT case_id, contact_id, entry_id, number, kind, channel, :priority, :day, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS new (case_id text, contact_id bigint, entry_id bigint, number bigint, kind text, channel text)
    RETURNING id
    """
)
_QUEUED = text(
    """
    UPDATE campaign_entries AS entry SET state = 'queued', next_at = NULL, reason = '', case_id = new.case_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id bigint, case_id text) WHERE entry.id = new.id
    """
)
_CASES = text(
    """
    INSERT INTO cases (id, contact_id, script_id, revision_id, comparison_id, side, variables, is_demo, created_at)
    SELECT id, contact_id, :script_id, :revision_id, CAST(:comparison_id AS bigint), CAST(:side AS text), variables, :is_demo, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (id text, contact_id bigint, variables jsonb)
    """
)


async def _variables(
    session: AsyncSession, campaign: Campaign, made: Definition, by: Versions, rows: Sequence[Row[Any]]
) -> dict[int, dict[str, str] | None]:
    """Entry id -> the variables of its talk; None where one is not known: nobody is told a sample value for a fact."""
    people = await session.execute(select(Contact.id, Contact.fields).where(Contact.id.in_([row.contact_id for row in rows])))
    fields = dict(map(tuple, people))
    found: dict[int, dict[str, str] | None] = {}
    for row in rows:
        script = by.of(row.contact_id).script
        samples = script.demo_variables() if campaign.is_demo else {}
        values = {**samples, **variables_of(made.variables, script.variables, fields[row.contact_id])}
        found[row.id] = values if set(values) >= set(script.variables) else None
    return found


async def _open_cases(
    session: AsyncSession,
    campaign: Campaign,
    by: Versions,
    rows: Sequence[Row[Any]],
    variables: Mapping[int, Mapping[str, str] | None],
    at: datetime,
) -> dict[int, str]:
    """A case for each entry, pinned to its version of the script; one that was made before and never sent is made new.

    Returns entry id -> case id.
    """
    cases = {row.id: row.case_id or secrets.token_hex(16) for row in rows}

    def json_of(wanted: Iterable[Row[Any]]) -> str:
        new = [{"id": cases[row.id], "contact_id": row.contact_id, "variables": variables[row.id]} for row in wanted]
        return json.dumps(new, ensure_ascii=False)

    for version in by.every:
        its = [row for row in rows if by.of(row.contact_id) is version]
        given = _pinned(version)
        if made_before := [row for row in its if row.case_id is not None]:
            await session.execute(_REFRESHED, {**given, "rows": json_of(made_before)})
        if new := [row for row in its if row.case_id is None]:
            await session.execute(_CASES, {**given, "rows": json_of(new), "is_demo": campaign.is_demo, "at": at})
    return cases


def _pinned(version: Version) -> dict[str, Any]:
    return {
        "script_id": version.script.id, "revision_id": version.revision_id, "comparison_id": version.comparison_id, "side": version.side,
    }  # fmt: skip


def variables_of(
    given: Mapping[str, str], declared: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, str]:
    """The script's variables for one customer: as the campaign says, else from the column that has the variable's label.

    "{购买日期}" in a given text stands for the customer's column. What nobody knows is left out.
    """
    found = {}
    for name, spec in declared.items():
        value = _filled(given[name], fields) if name in given else fields.get(str(spec.get("label", name)), "")
        if value:
            found[name] = str(value)
    return found


def _filled(template: str, fields: Mapping[str, Any]) -> str:
    return re.sub(r"\{([^{}]+)\}", lambda column: str(fields.get(column[1].strip(), "")), template).strip()
