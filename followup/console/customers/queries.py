"""What the customers' pages read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.paging import PER_PAGE
from followup.contacts.parse import normal_phone
from followup.store.models import Attempt, Callback, Case, Contact, Message, ScriptRevision, Ticket
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
    wanted = _wanted(q, state)
    total = await session.scalar(select(func.count()).select_from(wanted.limit(COUNTED_UP_TO + 1).subquery())) or 0
    ids = wanted.order_by(Contact.id.desc()).limit(PER_PAGE).offset((number - 1) * PER_PAGE).subquery()
    unfinished = select(func.count()).join(Case, Case.id == Ticket.case_id).where(
        Case.contact_id == Contact.id, Ticket.status.in_(("open", "working"))
    )  # fmt: skip
    theirs = select(func.count(), func.max(func.coalesce(Case.last_message_at, Case.created_at))).where(Case.contact_id == Contact.id)
    talks = theirs.lateral("talks")
    rows = await session.execute(
        select(Contact, *talks.c, unfinished.scalar_subquery(), blocked(Contact.id, Contact.phone))
        .join(ids, ids.c.id == Contact.id)
        .join(talks, literal(True))
        .order_by(Contact.id.desc())
    )
    return [CustomerRow(*row) for row in rows], total


def _wanted(q: str, state: str) -> Select[tuple[int]]:
    query = select(Contact.id).where(Contact.erased_at.is_(None))
    if state == "blocked":
        query = query.where(blocked(Contact.id, Contact.phone))
    elif state == "anonymous":
        query = query.where(Contact.is_anonymous)
    elif state == "demo":
        query = query.where(Contact.is_demo)
    else:
        query = query.where(~Contact.is_anonymous, ~Contact.is_demo)
    if q:
        number = normal_phone(q) or q
        query = query.where(or_(Contact.name.icontains(q, autoescape=True), Contact.phone.contains(number, autoescape=True)))
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
