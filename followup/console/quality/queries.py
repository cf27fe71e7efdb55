"""What the inspection pages read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.paging import PER_PAGE
from followup.console.quality.results import Filled
from followup.console.quality.work import SINGLE
from followup.settings import SHANGHAI
from followup.store.models import Case, Contact, Message, User
from followup.store.staff_models import Inspection, InspectionCorrection, InspectionSample, StaffMessage

LOWEST = 50
_AGENT, _INSPECTOR = aliased(User), aliased(User)


@dataclass(frozen=True, slots=True)
class SampleRow:
    sample: InspectionSample
    who: str
    total: int
    done: int

    @property
    def single(self) -> bool:
        """The one that holds talks opened one by one."""
        return self.sample.filters == SINGLE


@dataclass(frozen=True, slots=True)
class SheetRow:
    sheet: Inspection
    case: Case
    contact: Contact
    agent: str
    """Empty: the bot."""
    inspector: str


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    correction: InspectionCorrection
    who: str


@dataclass(frozen=True, slots=True)
class StaffLine:
    """Something a colleague wrote that held forbidden phrases."""

    message: Message
    case: Case
    who: str
    phrases: list[str]


@dataclass(frozen=True, slots=True)
class Apart:
    """A talk that was judged more than once."""

    case_id: str
    script_id: str
    totals: list[tuple[int, int, str]]
    """(sheet's id, total, inspector), lowest first."""

    @property
    def gap(self) -> int:
        return self.totals[-1][1] - self.totals[0][1]


async def page_of_samples(session: AsyncSession, page: int) -> tuple[list[SampleRow], int]:
    """One page of the samples, newest first, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(InspectionSample)) or 0
    rows = await session.execute(_samples().order_by(InspectionSample.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [SampleRow(*row) for row in rows], total


async def sample(session: AsyncSession, sample_id: int) -> SampleRow | None:
    row = (await session.execute(_samples().where(InspectionSample.id == sample_id))).first()
    return SampleRow(*row) if row else None


async def sheets_of(session: AsyncSession, sample_id: int, page: int) -> tuple[list[SheetRow], int]:
    """One page of a sample's sheets, those to be filled in first."""
    mine = Inspection.sample_id == sample_id
    total = await session.scalar(select(func.count()).select_from(Inspection).where(mine)) or 0
    rows = await session.execute(
        _sheets().where(mine).order_by(Inspection.total.is_not(None), Inspection.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    return [_sheet(row) for row in rows], total


async def sheet(session: AsyncSession, sheet_id: int) -> SheetRow | None:
    row = (await session.execute(_sheets().where(Inspection.id == sheet_id))).first()
    return _sheet(row) if row else None


async def next_to_do(session: AsyncSession, sheet: Inspection) -> int | None:
    """The sample's next empty sheet behind this one."""
    return await session.scalar(
        select(Inspection.id)
        .where(Inspection.sample_id == sheet.sample_id, Inspection.total.is_(None), Inspection.id != sheet.id)
        .order_by(Inspection.id < sheet.id, Inspection.id)
        .limit(1)
    )


async def corrections(session: AsyncSession, sheet_id: int) -> list[CorrectionRow]:
    rows = await session.execute(
        select(InspectionCorrection, User.name)
        .join(User, User.id == InspectionCorrection.user_id)
        .where(InspectionCorrection.inspection_id == sheet_id)
        .order_by(InspectionCorrection.id)
    )
    return [CorrectionRow(correction, who) for correction, who in rows]


async def names(session: AsyncSession, ids: Sequence[int]) -> dict[int, str]:
    """User id -> name."""
    rows = await session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {user_id: name for user_id, name in rows}


async def talkers(session: AsyncSession) -> list[tuple[str, str]]:
    """(id, name) of every colleague who ever wrote to a customer."""
    rows = await session.execute(select(User.id, User.name).where(User.id.in_(select(StaffMessage.user_id))).order_by(User.name))
    return [(str(user_id), name) for user_id, name in rows]


async def filled(session: AsyncSession, first: date, last: date, agent_id: int | None = None) -> list[Filled]:
    """The sheets filled in on these days, both included; `agent_id`: about this colleague only."""
    conditions = [*_filled_between(first, last), *([Inspection.agent_id == agent_id] if agent_id is not None else [])]
    rows = await session.execute(
        select(Inspection, _AGENT.name).outerjoin(_AGENT, _AGENT.id == Inspection.agent_id).where(*conditions).order_by(Inspection.inspected_at)
    )
    return [
        Filled(one.id, one.agent_id, agent or "", one.inspected_at, one.total, one.scores or {}, one.sheet or [])
        for one, agent in rows
        if one.inspected_at is not None and one.total is not None
    ]


async def sheets_between(session: AsyncSession, first: date, last: date, agent_id: int | None = None, most: int = 20_000) -> list[SheetRow]:
    """The same as rows, newest first."""
    conditions = [*_filled_between(first, last), *([Inspection.agent_id == agent_id] if agent_id is not None else [])]
    rows = await session.execute(_sheets().where(*conditions).order_by(Inspection.inspected_at.desc(), Inspection.id.desc()).limit(most))
    return [_sheet(row) for row in rows]


async def lowest(session: AsyncSession, first: date, last: date) -> list[SheetRow]:
    """The LOWEST sheets with the fewest points."""
    rows = await session.execute(
        _sheets().where(*_filled_between(first, last)).order_by(Inspection.total, Inspection.id.desc()).limit(LOWEST)
    )
    return [_sheet(row) for row in rows]


async def judged_twice(session: AsyncSession, first: date, last: date) -> list[Apart]:
    """Talks with more than one filled sheet about the same work, widest apart first; at most LOWEST."""
    same = func.coalesce(Inspection.agent_id, 0)
    spread = func.max(Inspection.total) - func.min(Inspection.total)
    groups = (
        select(Inspection.case_id, same.label("agent"), spread.label("spread"))
        .where(*_filled_between(first, last))
        .group_by(Inspection.case_id, same)
        .having(func.count() > 1)
        .order_by(spread.desc(), Inspection.case_id)
        .limit(LOWEST)
        .subquery()
    )
    rows = await session.execute(
        select(Inspection.id, Inspection.case_id, same, Inspection.total, Case.script_id, _INSPECTOR.name)
        .join(groups, (groups.c.case_id == Inspection.case_id) & (groups.c.agent == same))
        .join(Case, Case.id == Inspection.case_id)
        .join(_INSPECTOR, _INSPECTOR.id == Inspection.inspector_id)
        .where(*_filled_between(first, last))
        .order_by(groups.c.spread.desc(), Inspection.case_id, Inspection.total, Inspection.id)
    )
    found: dict[tuple[str, int], Apart] = {}
    for sheet_id, case_id, agent, total, script_id, inspector in rows:
        found.setdefault((case_id, agent), Apart(case_id, script_id, [])).totals.append((sheet_id, total, inspector))
    return list(found.values())


async def forbidden_of(session: AsyncSession, case_id: str) -> dict[int, list[str]]:
    """Message -> phrases stored with it when a colleague sent it."""
    rows = await session.execute(
        select(StaffMessage.message_id, StaffMessage.forbidden)
        .join(Message, Message.id == StaffMessage.message_id)
        .where(Message.case_id == case_id)
    )
    return {message_id: phrases_of(stored) for message_id, stored in rows if stored}


async def staff_lines(session: AsyncSession, first: date, last: date, who: str, page: int) -> tuple[list[StaffLine], int]:
    """One page of what colleagues wrote with forbidden phrases in it, newest first, and how many there are."""
    begin, end = _span(first, last)
    conditions: list[ColumnElement[bool]] = [
        func.jsonb_array_length(StaffMessage.forbidden) > 0, Message.created_at >= begin, Message.created_at < end
    ]  # fmt: skip
    if who:
        conditions.append(StaffMessage.user_id == int(who))
    joined = select(Message, Case, User.name, StaffMessage.forbidden).select_from(StaffMessage).join(Message, Message.id == StaffMessage.message_id)
    wanted = joined.join(Case, Case.id == Message.case_id).join(User, User.id == StaffMessage.user_id).where(*conditions)
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = await session.execute(wanted.order_by(Message.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [StaffLine(message, case, name, phrases_of(stored)) for message, case, name, stored in rows], total


def phrases_of(stored: Sequence[Any]) -> list[str]:
    """The phrases of a stored list, whether it holds them bare or with what goes with them."""
    return [str(one.get("phrase", "")) if isinstance(one, dict) else str(one) for one in stored]


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time(), SHANGHAI), datetime.combine(last + timedelta(days=1), time(), SHANGHAI)


def _filled_between(first: date, last: date) -> list[ColumnElement[bool]]:
    begin, end = _span(first, last)
    return [Inspection.total.is_not(None), Inspection.inspected_at >= begin, Inspection.inspected_at < end]


def _samples() -> Select[Any]:
    mine = Inspection.sample_id == InspectionSample.id
    return select(
        InspectionSample,
        User.name,
        select(func.count()).where(mine).scalar_subquery(),
        select(func.count()).where(mine, Inspection.total.is_not(None)).scalar_subquery(),
    ).join(User, User.id == InspectionSample.user_id)


def _sheets() -> Select[Any]:
    return (
        select(Inspection, Case, Contact, func.coalesce(_AGENT.name, literal("")), func.coalesce(_INSPECTOR.name, literal("")))
        .join(Case, Case.id == Inspection.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .outerjoin(_AGENT, _AGENT.id == Inspection.agent_id)
        .outerjoin(_INSPECTOR, _INSPECTOR.id == Inspection.inspector_id)
    )


def _sheet(row: Any) -> SheetRow:
    return SheetRow(*row)
