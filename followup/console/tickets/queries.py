"""What the ticket pages read. Every query is bound to the tickets that the person may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import case as db_case
from sqlalchemy import ColumnElement, Select, Text, and_, func, or_, select, true, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.paging import PER_PAGE
from followup.console.permissions import ROLE_PERMISSIONS, Permission, Staff
from followup.console.tickets.deadlines import UNFINISHED
from followup.console.tickets.filters import ALL, MINE, NOBODY, STATUSES, TicketFilters
from followup.settings import SHANGHAI
from followup.store.models import Case, Contact, Ticket, User
from followup.store.staff_models import TicketEvent

PER_COLUMN = 30
WORKERS = tuple(role for role, permissions in ROLE_PERMISSIONS.items() if Permission.WORK_TICKETS in permissions)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket with what stands around it."""

    ticket: Ticket
    case: Case
    contact: Contact
    owner: str
    """The owner's name; empty: nobody's."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the tickets this person may see and that are not closed."""

    unfinished: int
    overdue: int
    nobodys: int
    mine: int


@dataclass(frozen=True, slots=True)
class EventRow:
    event: TicketEvent
    who: str


def may_see(staff: Staff, ticket: Ticket) -> bool:
    """An agent: one's own, those of one's department, and nobody's; everybody else who reads tickets: all."""
    if _sees_all(staff):
        return staff.may(Permission.READ_TICKETS)
    mine = ticket.owner_id is None or ticket.owner_id == staff.id
    return staff.may(Permission.READ_TICKETS) and (mine or bool(staff.department) and ticket.department == staff.department)


def visible(staff: Staff) -> ColumnElement[bool]:
    """`may_see` as SQL."""
    if _sees_all(staff):
        return true()
    parts = [Ticket.owner_id == staff.id, Ticket.owner_id.is_(None)]
    if staff.department:
        parts.append(Ticket.department == staff.department)
    return or_(*parts)


def _sees_all(staff: Staff) -> bool:
    return staff.may(Permission.MANAGE_TICKETS) or not staff.may(Permission.WORK_TICKETS)


async def page_of_tickets(
    session: AsyncSession, staff: Staff, filters: TicketFilters, number: int, now: datetime
) -> tuple[list[TicketRow], int]:
    """Page `number`: what is unfinished first, by due time; then the rest, newest first. And how many in all."""
    conditions = list(_conditions(staff, filters, now))
    total = await session.scalar(_joined(select(func.count())).where(*conditions)) or 0
    rows = await session.execute(
        _rows()
        .where(*conditions)
        .order_by(Ticket.status.not_in(UNFINISHED), _due_if_unfinished(), Ticket.updated_at.desc(), Ticket.id)
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    )
    return [_row(row) for row in rows], total


async def board(
    session: AsyncSession, staff: Staff, filters: TicketFilters, now: datetime
) -> dict[str, tuple[list[TicketRow], int]]:
    """For each status its first PER_COLUMN tickets and how many there are."""
    conditions = list(_conditions(staff, replace(filters, status=ALL), now))
    counted = await session.execute(
        _joined(select(Ticket.status, func.count())).where(*conditions).group_by(Ticket.status)
    )
    counts: dict[str, int] = {status: count for status, count in counted}
    columns = {}
    for status in STATUSES:
        order = Ticket.due_at.asc() if status in UNFINISHED else Ticket.updated_at.desc()
        rows = await session.execute(
            _rows().where(*conditions, Ticket.status == status).order_by(order, Ticket.id).limit(PER_COLUMN)
        )
        columns[status] = ([_row(row) for row in rows], counts.get(status, 0))
    return columns


async def counts(session: AsyncSession, staff: Staff, now: datetime) -> Counts:
    unfinished = Ticket.status.in_(UNFINISHED)
    row = (
        await session.execute(
            select(
                func.count(),
                func.count().filter(Ticket.due_at < now),
                func.count().filter(Ticket.owner_id.is_(None)),
                func.count().filter(Ticket.owner_id == staff.id),
            )
            .select_from(Ticket)
            .where(visible(staff), unfinished)
        )
    ).one()
    return Counts(*row)


async def departments(session: AsyncSession) -> list[str]:
    """Every department that a ticket or a colleague belongs to."""
    found = await session.scalars(select(Ticket.department).union(select(User.department)))
    return sorted(name for name in found if name)


async def workers(session: AsyncSession) -> Sequence[User]:
    """Who can be given a ticket."""
    wanted = select(User).where(User.disabled_at.is_(None), User.role.in_(WORKERS)).order_by(User.name)
    return (await session.scalars(wanted)).all()


async def one(session: AsyncSession, ticket_id: int) -> TicketRow | None:
    row = (await session.execute(_rows().where(Ticket.id == ticket_id))).first()
    return _row(row) if row else None


async def events(session: AsyncSession, ticket_id: int) -> list[EventRow]:
    """What was done with it, oldest first."""
    rows = await session.execute(
        select(TicketEvent, User.name)
        .outerjoin(User, User.id == TicketEvent.user_id)
        .where(TicketEvent.ticket_id == ticket_id)
        .order_by(TicketEvent.id)
    )
    return [EventRow(event, who or "") for event, who in rows]


def _joined(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(Ticket)
        .join(Case, Case.id == Ticket.case_id)
        .join(Contact, Contact.id == Case.contact_id)
    )


def _rows() -> Select[Any]:
    return _joined(select(Ticket, Case, Contact, User.name)).outerjoin(User, User.id == Ticket.owner_id)


def _row(row: Any) -> TicketRow:
    ticket, case, contact, owner = row
    return TicketRow(ticket, case, contact, owner or "")


def _due_if_unfinished() -> ColumnElement[Any]:
    return db_case((Ticket.status.in_(UNFINISHED), Ticket.due_at), else_=None)


def _conditions(staff: Staff, filters: TicketFilters, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield visible(staff)
    if not filters.status:
        yield Ticket.status != "closed"
    elif filters.status != ALL:
        yield Ticket.status == filters.status
    for column, value in ((Ticket.department, filters.department), (Ticket.kind, filters.kind), (Ticket.severity, filters.severity)):
        if value:
            yield column == value
    if filters.owner == NOBODY:
        yield Ticket.owner_id.is_(None)
    elif filters.owner:
        yield Ticket.owner_id == (staff.id if filters.owner == MINE else int(filters.owner))
    if filters.overdue:
        yield and_(Ticket.status.in_(UNFINISHED), Ticket.due_at < now)
    if filters.first:
        yield Ticket.created_at >= _midnight(filters.first)
    if filters.last:
        yield Ticket.created_at < _midnight(filters.last) + timedelta(days=1)
    if filters.q:
        yield _holds(filters.q, staff.may(Permission.SEE_PERSONAL))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _holds(wanted: str, personal: bool) -> ColumnElement[bool]:
    """By the words and the solution, the customer, the number: each by its own index, then what any of them found."""
    said = func.ticket_text(Ticket.words, Ticket.solution, type_=Text())
    grams = func.text_grams(said, type_=ARRAY(Text))
    by_text = and_(grams.contains(func.text_grams(wanted, type_=ARRAY(Text))), said.icontains(wanted, autoescape=True))
    sets = [select(Ticket.id).where(by_text)]
    if personal:
        named = or_(Contact.name.icontains(wanted, autoescape=True), Contact.phone.contains(wanted, autoescape=True))
        sets.append(select(Ticket.id).join(Case, Case.id == Ticket.case_id).join(Contact, Contact.id == Case.contact_id).where(named))
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        sets.append(select(Ticket.id).where(Ticket.id == int(wanted)))
    return Ticket.id.in_(union(*sets) if len(sets) > 1 else sets[0])
