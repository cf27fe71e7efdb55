"""What the customers' pages read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.paging import PER_PAGE
from followup.contacts.parse import normal_phone
from followup.store.models import Attempt, Callback, Case, Contact, DoNotContact, Message, ScriptRevision, Ticket
from followup.store.records import blocked

COUNTED_UP_TO = 10_000
"""More customers than this are "10000+": counting all of them takes longer than showing some."""


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer of the list."""

    contact: Contact
    talks: int
    last_at: datetime | None
    tickets: int
    """Not finished ones."""
    blocked: bool


@dataclass(frozen=True, slots=True)
class TalkOf:
    """A talk on a customer's page."""

    case: Case
    script: str
    messages: int
    own: bool
    """False: somebody gave this customer's number in an enquiry."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer agreed to or refused, as it was recorded."""

    case_id: str
    script: str
    version: str
    at: datetime
    kind: str
    """opened (the link was opened and 开始 clicked) | said (agreed in words) | refused | do_not_contact"""
    words: str
    channel: str


async def page_of_customers(session: AsyncSession, q: str, state: str, number: int) -> tuple[list[CustomerRow], int]:
    """A page of customers, newest first, and how many there are (at most COUNTED_UP_TO + 1).

    `q`: part of the name or number. `state`: blocked | anonymous | demo; empty: everybody who is none of the last two.
    """
    digests = await session.scalar(select(exists().where(DoNotContact.phone_digest.is_not(None), DoNotContact.lifted_at.is_(None))))
    # Looked for once, for the count and the page: a part of a name is found by reading all of them.
    found = (await session.scalars(_wanted(q, state, bool(digests)).order_by(Contact.id.desc()).limit(COUNTED_UP_TO + 1))).all()
    total, ids = len(found), found[(number - 1) * PER_PAGE : number * PER_PAGE]
    unfinished = (
        select(func.count())
        .select_from(Ticket)
        .join(Case, Case.id == Ticket.case_id)
        .where(Case.contact_id == Contact.id, Ticket.status.in_(("open", "working")))
    )
    talks = select(func.count()).where(Case.contact_id == Contact.id)
    last = select(func.max(func.coalesce(Case.last_message_at, Case.created_at))).where(Case.contact_id == Contact.id)
    rows = await session.execute(
        select(
            Contact,
            talks.scalar_subquery(),
            last.scalar_subquery(),
            unfinished.scalar_subquery(),
            blocked(Contact.id, Contact.phone),
        )
        .where(Contact.id.in_(ids))
        .order_by(Contact.id.desc())
    )
    return [CustomerRow(*row) for row in rows], total


def _wanted(q: str, state: str, digests: bool) -> Select[tuple[int]]:
    query = select(Contact.id).where(Contact.erased_at.is_(None))
    if state == "blocked":
        standing = DoNotContact.lifted_at.is_(None)
        parts = [
            Contact.id.in_(select(DoNotContact.contact_id).where(standing, DoNotContact.contact_id.is_not(None))),
            Contact.phone.in_(select(DoNotContact.phone).where(standing, DoNotContact.phone.is_not(None))),
        ]
        if digests:  # every number must be digested to compare
            parts.append(func.phone_digest(Contact.phone).in_(select(DoNotContact.phone_digest).where(standing)))
        query = query.where(or_(*parts))
    elif state == "anonymous":
        query = query.where(Contact.is_anonymous)
    elif state == "demo":
        query = query.where(Contact.is_demo)
    else:
        query = query.where(~Contact.is_anonymous, ~Contact.is_demo)
    if q:
        if number := normal_phone(q):
            query = query.where(Contact.phone == number)
        elif q.isascii() and any(char.isdigit() for char in q):
            query = query.where(Contact.phone.contains(q, autoescape=True))
        else:  # LIKE is three times as fast as ILIKE, and Chinese has no capitals
            named = Contact.name.icontains if q.isascii() else Contact.name.contains
            query = query.where(named(q, autoescape=True))
    return query


async def talks_of(session: AsyncSession, contact_id: int) -> list[TalkOf]:
    """The customer's talks, and the enquiries in which somebody gave their number; newest first."""
    name = func.coalesce(ScriptRevision.content[("script", "name")].astext, Case.script_id)
    messages = select(func.count()).where(Message.case_id == Case.id, Message.direction != "system").scalar_subquery()
    rows = await session.execute(
        select(Case, name, messages, Case.contact_id == contact_id)
        .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
        .where(or_(Case.contact_id == contact_id, Case.claimed_contact_id == contact_id))
        .order_by(Case.created_at.desc(), Case.id)
    )
    return [TalkOf(*row) for row in rows]


async def tickets_of(session: AsyncSession, contact_id: int) -> Sequence[Ticket]:
    return (
        await session.scalars(
            select(Ticket).join(Case, Case.id == Ticket.case_id).where(Case.contact_id == contact_id).order_by(Ticket.id.desc())
        )
    ).all()


async def callbacks_of(session: AsyncSession, contact_id: int) -> Sequence[Callback]:
    """Call-backs that stand."""
    return (
        await session.scalars(
            select(Callback)
            .join(Case, Case.id == Callback.case_id)
            .where(Case.contact_id == contact_id, Callback.status.in_(("booked", "due")))
            .order_by(Callback.at)
        )
    ).all()


async def consents_of(session: AsyncSession, contact_id: int) -> list[Consent]:
    """When the customer opened a link, agreed to talk in words, or refused; oldest first. The text shown is the version's."""
    name = func.coalesce(ScriptRevision.content[("script", "name")].astext, Case.script_id)

    def those(kind: str, words: Any, *conditions: Any) -> Select[Any]:
        return (
            select(Case.id, name, ScriptRevision.version, Message.created_at, literal(kind), words, Message.channel)
            .join(Case, Case.id == Message.case_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .where(Case.contact_id == contact_id, *conditions)
        )

    heard = Message.direction == "in"
    first = (
        select(func.min(Message.id)).where(Message.case_id == Case.id, heard, Message.intent == "consent").correlate(Case).scalar_subquery()
    )
    rows: list[Any] = []
    opened = (Message.direction == "system", Message.channel != "system", Message.text == "/start_followup")
    for query in (
        those("opened", literal(""), *opened),
        those("said", Message.text, Message.id == first),
        those("refused", Message.text, heard, Message.intent == "refuse", Case.outcome == "refused"),
        those("do_not_contact", Message.text, heard, Message.intent == "do_not_contact"),
    ):
        rows += (await session.execute(query)).all()
    return sorted((Consent(*row) for row in rows), key=lambda one: one.at)


async def channels_of(session: AsyncSession, contact_id: int) -> list[str]:
    """By which channels the customer was reached."""
    found = select(Attempt.channel).distinct().join(Case, Case.id == Attempt.case_id).where(Case.contact_id == contact_id)
    return sorted(await session.scalars(found))


async def erased(session: AsyncSession, contact_id: int) -> datetime | None:
    """When a customer was erased; None for one who is still there, or never was."""
    return await session.scalar(select(Contact.erased_at).where(Contact.id == contact_id))
