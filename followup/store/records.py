"""Reading and writing the records of a talk. With the siblings it re-exports, the only SQL for them.

Every function takes an open session, so that a caller decides what belongs into one transaction.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.effects import apply
from followup.store.models import (
    Answer,
    Callback,
    Case,
    Contact,
    DoNotContact,
    Message,
    Note,
    ScriptRevision,
    Ticket,
)

__all__ = [
    "CaseView",
    "TranscriptLine",
    "UnknownCase",
    "answers_of",
    "apply",
    "blocked",
    "callback_of",
    "create_case",
    "create_contact",
    "enquiries_of",
    "find_contact_by_phone",
    "is_blocked",
    "load_case",
    "notes_of",
    "save_revision",
    "tickets_of",
    "transcript",
]


class UnknownCase(LookupError):
    """There is no case of this id."""


@dataclass(frozen=True)
class CaseView:
    """What a turn of the talk needs to know about its case."""

    case_id: str
    contact_id: int
    script_id: str
    script: dict[str, Any]
    """The content of the revision the talk began with."""
    variables: dict[str, Any]
    contact_name: str
    contact_title: str
    status: str
    outcome: str | None
    outcome_reason: str
    do_not_contact: bool
    is_demo: bool
    ended_at: datetime | None = None
    """When the message came with which it ended."""


@dataclass(frozen=True)
class TranscriptLine:
    message_id: int
    direction: str
    """in | out; triggers are left out"""
    text: str
    at: datetime
    intent: str | None
    confidence: float | None
    acts: list[dict[str, Any]]
    quick_replies: list[str]
    status: str


async def load_case(session: AsyncSession, case_id: str) -> CaseView:
    """The case, in one query. Raises UnknownCase."""
    row = (
        await session.execute(
            select(Case, Contact, ScriptRevision.content, blocked(Contact.id, Contact.phone))
            .join(Contact, Contact.id == Case.contact_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .where(Case.id == case_id)
        )
    ).one_or_none()
    if row is None:
        raise UnknownCase(case_id)
    case, contact, script, is_blocked_now = row
    return CaseView(
        case_id=case.id,
        contact_id=contact.id,
        script_id=case.script_id,
        script=script,
        variables=case.variables,
        contact_name=contact.name,
        contact_title=contact.title,
        status=case.status,
        outcome=case.outcome,
        outcome_reason=case.outcome_reason,
        do_not_contact=is_blocked_now,
        is_demo=case.is_demo,
        ended_at=case.ended_at,
    )


async def create_contact(
    session: AsyncSession,
    *,
    name: str,
    title: str = "",
    phone: str | None = None,
    fields: Mapping[str, Any] | None = None,
    is_demo: bool = False,
    is_anonymous: bool = False,
) -> int:
    """Write a customer; returns the contact id. `title` is 先生, 女士 or empty."""
    contact = Contact(
        name=name,
        title=title,
        phone=phone,
        fields=dict(fields or {}),
        is_demo=is_demo,
        is_anonymous=is_anonymous,
        created_at=clock.now(),
    )
    session.add(contact)
    await session.flush()
    return contact.id


async def find_contact_by_phone(session: AsyncSession, phone: str) -> Contact | None:
    """The customer with this number; the first one when several share it. What a visitor typed is nobody's number."""
    return await session.scalar(
        select(Contact).where(Contact.phone == phone, ~Contact.is_anonymous).order_by(Contact.id).limit(1)
    )


async def is_blocked(session: AsyncSession, contact_id: int) -> bool:
    """Whether the customer is on the do-not-contact list 免打扰名单, by themselves or by their phone."""
    found = await session.scalar(
        select(blocked(Contact.id, Contact.phone)).select_from(Contact).where(Contact.id == contact_id)
    )
    return bool(found)


async def save_revision(session: AsyncSession, script_id: str, version: str, content: Mapping[str, Any]) -> int:
    """The id of this content of the script; written only when it is not known yet."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    known = select(ScriptRevision.id).where(ScriptRevision.script_id == script_id, ScriptRevision.digest == digest)
    if (revision_id := await session.scalar(known)) is not None:
        return revision_id
    await session.execute(
        insert(ScriptRevision)
        .values(script_id=script_id, version=version, digest=digest, content=json.loads(canonical))
        .on_conflict_do_nothing()
    )
    return (await session.scalars(known)).one()


async def create_case(
    session: AsyncSession,
    contact_id: int,
    revision_id: int,
    variables: Mapping[str, Any] | None = None,
    *,
    is_demo: bool = False,
) -> str:
    """A new case for the customer, pinned to a script revision. Returns its id, 32 hexadecimal digits."""
    revision = await session.get_one(ScriptRevision, revision_id)
    case_id = secrets.token_hex(16)
    session.add(
        Case(
            id=case_id,
            contact_id=contact_id,
            script_id=revision.script_id,
            revision_id=revision_id,
            variables=dict(variables or {}),
            is_demo=is_demo,
            created_at=clock.now(),
        )
    )
    await session.flush()
    return case_id


async def transcript(session: AsyncSession, case_id: str, *, after: int = 0) -> list[TranscriptLine]:
    """What was said, in order; `after` is a message id to go on from."""
    rows = await session.scalars(
        select(Message)
        .where(Message.case_id == case_id, Message.direction != "system", Message.id > after)
        .order_by(Message.id)
    )
    return [
        TranscriptLine(
            message_id=row.id,
            direction=row.direction,
            text=row.text,
            at=row.created_at,
            intent=row.intent,
            confidence=row.confidence,
            acts=row.acts or [],
            quick_replies=row.quick_replies or [],
            status=row.status,
        )
        for row in rows
    ]


async def answers_of(session: AsyncSession, case_id: str) -> dict[str, Answer]:
    """The valid answer to each question, in the order they were first given."""
    rows = await session.scalars(
        select(Answer).where(Answer.case_id == case_id, ~Answer.superseded).order_by(Answer.id)
    )
    return {row.question_id: row for row in rows}


async def tickets_of(session: AsyncSession, case_id: str) -> list[Ticket]:
    """The tickets 工单 of a case, oldest first, with those of enquiries that say they are about it."""
    return list(await session.scalars(select(Ticket).where(_of_case(Ticket.case_id, case_id)).order_by(Ticket.id)))


async def callback_of(session: AsyncSession, case_id: str) -> Callback | None:
    """The call-back that stands, or None."""
    return await session.scalar(
        select(Callback)
        .where(Callback.case_id == case_id, Callback.status.in_(("booked", "due")))
        .order_by(Callback.id.desc())
        .limit(1)
    )


async def notes_of(session: AsyncSession, case_id: str) -> list[Note]:
    """What was noted for a colleague, oldest first, with what was noted in enquiries that say they are about it."""
    return list(await session.scalars(select(Note).where(_of_case(Note.case_id, case_id)).order_by(Note.id)))


async def enquiries_of(session: AsyncSession, contact_id: int) -> list[str]:
    """Ids of the enquiries in which somebody gave this customer's number, newest first."""
    return list(
        await session.scalars(
            select(Case.id).where(Case.claimed_contact_id == contact_id).order_by(Case.created_at.desc(), Case.id)
        )
    )


def _of_case(column: Any, case_id: str) -> Any:
    return or_(column == case_id, column.in_(select(Case.id).where(Case.claimed_case_id == case_id)))


def blocked(contact_id: Any, phone: Any, email: Any = Contact.email) -> Any:
    """`is_blocked` as a condition: whether an entry of the list that was not lifted names the customer, the phone or the mailbox.

    What an erasure leaves only keeps lists from bringing the customer back: who comes by themselves may be a customer again.
    """
    # `phone = NULL` is never true, so a contact without a number is blocked by its own row only; an empty text is none either.
    stop, phone, email = DoNotContact, func.nullif(phone, ""), func.nullif(email, "")

    # One look-up for each: with all in one condition every row of the list was compared, and its digests made, for every customer.
    def listed(column: Any, value: Any) -> Any:
        return exists().where(stop.lifted_at.is_(None), stop.source != "erased", column.is_not(None), column == value)

    return or_(
        listed(stop.contact_id, contact_id),
        listed(stop.phone, phone),
        listed(stop.email, email),
        listed(stop.phone_digest, func.phone_digest(phone)),
        listed(stop.email_digest, func.phone_digest(email)),
    )
