"""Drawing a sample, opening a sheet from a talk, filling it in, correcting it. Each is one transaction with its audit entry.

A filled sheet is locked: it is changed only by a correction that keeps what it said. Nobody overwrites what they have not
seen: a form sends back the version that its page showed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Staff
from followup.console.quality.sampling import MOST_SEED, Wish, draw, stored_wish
from followup.console.quality.sheet import BadScore, criteria_of, kept, read_scores
from followup.store.models import Case, Message
from followup.store.staff_models import Inspection, InspectionCorrection, InspectionSample, StaffMessage

LONGEST_COMMENT = 2000
LONGEST_REASON = 500
SINGLE: Mapping[str, Any] = {"single": True}
"""The filters of the one sample that holds the talks opened one by one."""


class SheetFault(ValueError):
    """It cannot be done. `key` names the sentence in labels.yml, group quality_errors; `values` fill it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class NoSheet(LookupError):
    """There is no such sheet, sample or talk."""


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A sample held against the same draw today."""

    same: int
    gone: int
    """In the sample, but no longer drawn."""
    new: int


async def new_sample(session: AsyncSession, staff: Staff, wish: Wish, seed: int | None) -> InspectionSample:
    """Draw and keep a sample; without a seed one is made up. Raises WishError."""
    if seed is None:
        seed = secrets.randbelow(MOST_SEED + 1)
    cases = await draw(session, wish, seed)
    sample = InspectionSample(seed=seed, wanted=len(cases), filters=wish.stored(), user_id=staff.id, created_at=clock.now())
    session.add(sample)
    await session.flush()
    main = {case_id: int(wish.who) for case_id in cases} if wish.who.isdigit() else await _main_speakers(session, cases)
    session.add_all(Inspection(sample_id=sample.id, case_id=case_id, agent_id=main.get(case_id)) for case_id in cases)
    await audit(session, staff, "quality.sample", "sample", sample.id, rows=len(cases), seed=seed, filters=wish.stored())
    return sample


async def redraw(session: AsyncSession, sample: InspectionSample) -> Redrawn:
    """The same draw once more, beside what it took. Raises WishError."""
    taken = set(await session.scalars(select(Inspection.case_id).where(Inspection.sample_id == sample.id)))
    again = set(await draw(session, stored_wish(sample.filters), sample.seed))
    return Redrawn(len(taken & again), len(taken - again), len(again - taken))


async def open_sheet(session: AsyncSession, staff: Staff, case_id: str) -> int:
    """The sheet of a talk: one of a sample that waits for it, else its own, made now. Raises NoSheet."""
    if not await session.scalar(select(exists().where(Case.id == case_id))):
        raise NoSheet
    # Two who click at once get the same sheet.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('inspect:' || :case_id, 0))"), {"case_id": case_id})
    sample_id = await _single_sample(session, staff)
    mine = Inspection.sample_id == sample_id
    found = await session.scalar(
        select(Inspection.id)
        .where(Inspection.case_id == case_id, (Inspection.total.is_(None)) | mine)
        .order_by(Inspection.total.is_not(None), mine, Inspection.id)
        .limit(1)
    )
    if found is not None:
        return found
    main = await _main_speakers(session, [case_id])
    sheet = Inspection(sample_id=sample_id, case_id=case_id, agent_id=main.get(case_id))
    session.add(sheet)
    await session.flush()
    await audit(session, staff, "quality.open", "inspection", sheet.id, case=case_id)
    return sheet.id


async def fill(session: AsyncSession, staff: Staff, sheet_id: int, form: Mapping[str, str]) -> None:
    """Fill in an empty sheet; it is locked then. Raises NoSheet, SheetFault."""
    sheet = await _locked(session, sheet_id)
    if sheet.total is not None:
        raise SheetFault("changed_meanwhile" if await _is_stale(session, sheet, form) else "filled")
    agent_id = await _agent(session, staff, sheet, form)
    scores = _scores(sheet, form)
    sheet.agent_id, sheet.scores, sheet.total = agent_id, scores, sum(scores.values())
    sheet.sheet = kept(criteria_of(None))
    sheet.comment = form.get("comment", "").strip()[:LONGEST_COMMENT]
    sheet.inspector_id, sheet.inspected_at = staff.id, clock.now()
    await audit(session, staff, "quality.fill", "inspection", sheet.id, case=sheet.case_id, total=sheet.total)


async def correct(session: AsyncSession, staff: Staff, sheet_id: int, form: Mapping[str, str]) -> None:
    """Change a filled sheet; what it said is kept beside it. Raises NoSheet, SheetFault."""
    sheet = await _locked(session, sheet_id)
    if sheet.total is None:
        raise SheetFault("not_filled")
    if await _is_stale(session, sheet, form):
        raise SheetFault("changed_meanwhile")
    agent_id = await _agent(session, staff, sheet, form)
    scores = _scores(sheet, form)
    comment = form.get("comment", "").strip()[:LONGEST_COMMENT]
    before = {"scores": sheet.scores, "comment": sheet.comment, "agent_id": sheet.agent_id}
    after = {"scores": scores, "comment": comment, "agent_id": agent_id}
    if after == before:
        raise SheetFault("no_change")
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    if not reason:
        raise SheetFault("no_reason")
    old = sheet.total
    sheet.scores, sheet.total, sheet.comment, sheet.agent_id = scores, sum(scores.values()), comment, agent_id
    session.add(
        InspectionCorrection(inspection_id=sheet.id, before=before, after=after, reason=reason, user_id=staff.id, at=clock.now())
    )
    await audit(session, staff, "quality.correct", "inspection", sheet.id, case=sheet.case_id, before=old, after=sheet.total)


async def version(session: AsyncSession, sheet: Inspection) -> str:
    """What a page shows of the sheet's state, to be sent back by its forms."""
    newest = select(func.max(InspectionCorrection.id)).where(InspectionCorrection.inspection_id == sheet.id)
    return f"{0 if sheet.total is None else 1}-{await session.scalar(newest) or 0}"


async def speakers(session: AsyncSession, case_id: str) -> list[int]:
    """The colleagues who wrote in a talk, who wrote most first."""
    counted = await _counted(session, [case_id])
    return [user_id for user_id, _ in _by_lines(counted.get(case_id, Counter()))]


async def _main_speakers(session: AsyncSession, cases: Iterable[str]) -> dict[str, int]:
    """Case -> the colleague who wrote most in it; cases in which only the bot spoke are left out."""
    counted = await _counted(session, list(cases))
    return {case_id: _by_lines(lines)[0][0] for case_id, lines in counted.items()}


async def _counted(session: AsyncSession, cases: list[str]) -> dict[str, Counter[int]]:
    rows = await session.execute(
        select(Message.case_id, StaffMessage.user_id, func.count())
        .join(StaffMessage, StaffMessage.message_id == Message.id)
        .where(Message.case_id.in_(cases))
        .group_by(Message.case_id, StaffMessage.user_id)
    )
    found: dict[str, Counter[int]] = {}
    for case_id, user_id, count in rows:
        found.setdefault(case_id, Counter())[user_id] = count
    return found


def _by_lines(counted: Counter[int]) -> list[tuple[int, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


async def _single_sample(session: AsyncSession, staff: Staff) -> int:
    wanted = select(InspectionSample.id).where(InspectionSample.filters == SINGLE).order_by(InspectionSample.id).limit(1)
    if found := await session.scalar(wanted):
        return found
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('inspect:single', 0))"))
    if found := await session.scalar(wanted):
        return found
    sample = InspectionSample(seed=0, wanted=0, filters=dict(SINGLE), user_id=staff.id, created_at=clock.now())
    session.add(sample)
    await session.flush()
    return sample.id


async def _locked(session: AsyncSession, sheet_id: int) -> Inspection:
    wanted = select(Inspection).where(Inspection.id == sheet_id).with_for_update().execution_options(populate_existing=True)
    sheet = (await session.scalars(wanted)).one_or_none()
    if sheet is None:
        raise NoSheet
    return sheet


async def _is_stale(session: AsyncSession, sheet: Inspection, form: Mapping[str, str]) -> bool:
    return form.get("seen", "") != await version(session, sheet)


async def _agent(session: AsyncSession, staff: Staff, sheet: Inspection, form: Mapping[str, str]) -> int | None:
    """Whose work the form says it is: somebody who wrote in the talk, or the bot (an empty field)."""
    chosen = form.get("agent", "")
    known = {str(user_id): user_id for user_id in await speakers(session, sheet.case_id)}
    if sheet.agent_id is not None:
        known[str(sheet.agent_id)] = sheet.agent_id
    if chosen and chosen not in known:
        raise SheetFault("bad_agent")
    agent_id = known.get(chosen)
    if staff.id in (agent_id, sheet.agent_id):
        raise SheetFault("own_work")
    return agent_id


def _scores(sheet: Inspection, form: Mapping[str, str]) -> dict[str, int]:
    try:
        return read_scores(criteria_of(sheet.sheet), form)
    except BadScore as error:
        raise SheetFault("bad_score", name=error.criterion.name, points=error.criterion.points) from None
