"""The do-not-contact list 免打扰名单: adding, lifting, reading. Rows are only added and lifted, so that the history stays.

Whether somebody may be contacted is said in one place, `store.records.is_blocked`; links (`talk.links`), turns that we begin
(`talk.turn`), call-backs (`talk.watch`) and revisits ask there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, case, cast, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.contacts.parse import normal_phone
from followup.store.models import Callback, Case, Contact, DoNotContact, Message, User

LONGEST_REASON = 500
_LIST = "block-list"


class Source(StrEnum):
    """Who wished it."""

    CUSTOMER = "customer"
    STAFF = "staff"
    IMPORT = "import"
    API = "api"
    ERASED = "erased"
    """Nobody wished it: the customer was erased, and must not come back by a list."""


class BlockError(ValueError):
    """It cannot be done. `key` names the sentence in labels.yml, group block_errors."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class BlockRow:
    """An entry as the list shows it."""

    entry: DoNotContact
    contact: Contact | None
    case_id: str | None
    """The talk in which the customer said it."""
    added_by: str
    lifted_by: str


async def block_contact(
    session: AsyncSession, contact_id: int, reason: str, user_id: int | None, at: datetime, source: Source = Source.STAFF
) -> DoNotContact:
    """Put a customer on the list, with their number. Raises BlockError: no_reason, no_customer, already."""
    contact = await session.get(Contact, contact_id, with_for_update={"key_share": True})
    if contact is None or contact.erased_at is not None:
        raise BlockError("no_customer")
    if await _stands(session, DoNotContact.contact_id == contact_id):
        raise BlockError("already")
    return await _add(session, contact.id, contact.phone, reason, source, user_id, at, email=contact.email)


async def block_phone(
    session: AsyncSession, phone: str, reason: str, user_id: int | None, at: datetime, source: Source = Source.STAFF
) -> DoNotContact:
    """Put a number on the list, whoever has it now or later. Raises BlockError: no_reason, bad_phone, already."""
    number = normal_phone(phone)
    if number is None:
        raise BlockError("bad_phone")
    # One entry for a number, also of two people at once; a list is taken in while no number is.
    await session.execute(select(func.pg_advisory_xact_lock_shared(_lock(_LIST)), func.pg_advisory_xact_lock(_lock(f"block:{number}"))))
    if await _stands(session, or_(DoNotContact.phone == number, DoNotContact.phone_digest == func.phone_digest(number))):
        raise BlockError("already")
    return await _add(session, None, number, reason, source, user_id, at)


async def block_all(
    session: AsyncSession, numbers: Iterable[tuple[str, str]], user_id: int | None, at: datetime
) -> tuple[int, int]:
    """An imported list of (number, reason); how many were added, and how many stood on it already or twice in the list.

    Raises BlockError: no_reason, bad_phone; then nothing of the list is added.
    """
    wanted: dict[str, str] = {}
    lines = 0
    for lines, (phone, reason) in enumerate(numbers, 1):
        number = normal_phone(phone)
        if number is None:
            raise BlockError("bad_phone")
        wanted.setdefault(number, _reason(reason))
    await session.execute(select(func.pg_advisory_xact_lock(_lock(_LIST))))
    known = await _standing(session, list(wanted))
    new = [number for number in wanted if number not in known]
    source = Source.IMPORT.value
    if new:
        rows = [{"phone": number, "reason": wanted[number], "source": source, "user_id": user_id, "at": at} for number in new]
        await session.execute(insert(DoNotContact), rows)
        await _cancel_callbacks(session, Contact.phone.in_(new))
    return len(new), lines - len(new)


async def lift(session: AsyncSession, entry_id: int, reason: str, user_id: int, at: datetime) -> DoNotContact:
    """Take an entry off the list; the row stays, with who did it and why. Raises BlockError: no_entry, lifted, no_reason."""
    entry = await session.get(DoNotContact, entry_id, with_for_update=True, populate_existing=True)
    if entry is None:
        raise BlockError("no_entry")
    if entry.lifted_at is not None:
        raise BlockError("lifted")
    if not reason.strip():
        raise BlockError("no_reason")
    entry.lifted_at, entry.lifted_by, entry.lift_reason = at, user_id, reason.strip()[:LONGEST_REASON]
    await session.flush()
    return entry


async def entries_of(session: AsyncSession, contact: Contact) -> list[BlockRow]:
    """Everything that ever stood on the list about this customer or their number, newest first."""
    return [_row(row) async for row in await session.stream(_rows().where(_about(contact)).order_by(DoNotContact.id.desc()))]


async def page_of_entries(
    session: AsyncSession, q: str, *, standing: bool, source: str, limit: int, offset: int
) -> list[BlockRow]:
    """A part of the list, newest first. `q`: part of a number, a name or the reason."""
    query = _wanted(_rows(), q, standing=standing, source=source)
    rows = await session.execute(query.order_by(DoNotContact.id.desc()).limit(limit).offset(offset))
    return [_row(row) for row in rows]


async def count_entries(session: AsyncSession, q: str, *, standing: bool, source: str, most: int) -> int:
    """How many entries `page_of_entries` has in all; counts no further than `most`."""
    ids = _wanted(_rows().with_only_columns(DoNotContact.id), q, standing=standing, source=source).limit(most)
    return await session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _wanted(query: Select[Any], q: str, *, standing: bool, source: str) -> Select[Any]:
    if standing:
        query = query.where(DoNotContact.lifted_at.is_(None))
    if source:
        query = query.where(DoNotContact.source == source)
    if q:
        parts = [column.icontains(q, autoescape=True) for column in (DoNotContact.phone, DoNotContact.reason, Contact.name, Contact.phone)]
        if number := normal_phone(q):
            parts.append(DoNotContact.phone_digest == func.phone_digest(number))
        query = query.where(or_(*parts))
    return query


def _about(contact: Contact) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [DoNotContact.contact_id == contact.id]
    if contact.phone:
        parts += [DoNotContact.phone == contact.phone, DoNotContact.phone_digest == func.phone_digest(contact.phone)]
    if contact.email:
        parts += [DoNotContact.email == contact.email, DoNotContact.email_digest == func.phone_digest(contact.email)]
    return or_(*parts)


def _rows() -> Select[tuple[DoNotContact, Contact, str, str, str]]:
    added, lifted, whose = aliased(User), aliased(User), aliased(Contact)
    # An entry without a customer is shown with the one who has the number.
    holder = (
        select(func.min(whose.id)).where(whose.phone == DoNotContact.phone, ~whose.is_anonymous).correlate(DoNotContact).scalar_subquery()
    )
    return (
        select(DoNotContact, Contact, Message.case_id, func.coalesce(added.name, ""), func.coalesce(lifted.name, ""))
        .select_from(DoNotContact)
        .outerjoin(Contact, Contact.id == case((DoNotContact.contact_id.is_(None), holder), else_=DoNotContact.contact_id))
        .outerjoin(Message, Message.id == DoNotContact.message_id)
        .outerjoin(added, added.id == DoNotContact.user_id)
        .outerjoin(lifted, lifted.id == DoNotContact.lifted_by)
    )


def _row(row: Sequence[object]) -> BlockRow:
    return BlockRow(*row)  # type: ignore[arg-type]


async def _stands(session: AsyncSession, condition: ColumnElement[bool]) -> bool:
    return bool(await session.scalar(select(exists().where(_STANDS, condition))))


_STANDS = and_(DoNotContact.lifted_at.is_(None), DoNotContact.source != Source.ERASED.value)


def _lock(name: str) -> ColumnElement[int]:
    return func.hashtextextended(name, 0)


def _reason(given: str) -> str:
    """The reason as it is kept. Raises BlockError: no_reason."""
    if not given.strip():
        raise BlockError("no_reason")
    return given.strip()[:LONGEST_REASON]


async def _standing(session: AsyncSession, numbers: list[str]) -> set[str]:
    """Which of these numbers are on the list."""
    asked = select(func.unnest(cast(numbers, ARRAY(Text))).label("number")).subquery()
    found: set[str] = set()
    for same in (DoNotContact.phone == asked.c.number, DoNotContact.phone_digest == func.phone_digest(asked.c.number)):
        found.update(await session.scalars(select(asked.c.number).join(DoNotContact, same).where(_STANDS)))
    return found


async def _add(
    session: AsyncSession, contact_id: int | None, phone: str | None, reason: str, source: Source, user_id: int | None, at: datetime, *,
    email: str | None = None,
) -> DoNotContact:
    entry = DoNotContact(contact_id=contact_id, phone=phone, email=email, reason=_reason(reason), source=source.value, user_id=user_id, at=at)
    session.add(entry)
    await session.flush()
    theirs = [Contact.id == contact_id] if contact_id is not None else []
    theirs += [Contact.phone == phone] if phone else []
    await _cancel_callbacks(session, or_(*theirs))
    return entry


async def _cancel_callbacks(session: AsyncSession, theirs: ColumnElement[bool]) -> None:
    """What was booked is off: they are not called any more."""
    cases = select(Case.id).join(Contact, Contact.id == Case.contact_id).where(theirs)
    await session.execute(
        update(Callback)
        .where(Callback.case_id.in_(cases), Callback.status == "booked")
        .values(status="cancelled")
        .execution_options(synchronize_session=False)
    )
