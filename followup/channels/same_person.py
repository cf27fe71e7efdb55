"""One person at several accounts: who has the same UnionID is the same customer (docs/decisions/0015).

Only visitors of whom nothing is known become the known customer. Two customers who each have a phone are never merged by
this: a colleague is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wecom.words import words
from followup.store.models import Case, Contact, DoNotContact, Note
from followup.store.records import is_blocked
from followup.store.wechat_models import WechatUser
from followup.store.wecom_models import WecomUser

NOTE = "same_person"
_USERS = (WechatUser, WecomUser)


async def join(session: AsyncSession, unionid: str, at: datetime) -> int | None:
    """Make everybody with this UnionID one contact, as far as nothing speaks against it. Returns the contact."""
    if not unionid:
        return None
    contacts = await _contacts(session, unionid)
    keeper = await make_one(session, contacts, at)
    if keeper is None:
        return None
    for table in _USERS:
        nobody = [table.unionid == unionid, table.contact_id.is_(None)]
        await session.execute(update(table).where(*nobody).values(contact_id=keeper))
    return keeper


async def make_one(session: AsyncSession, contacts: Sequence[Contact], at: datetime) -> int | None:
    """One contact of several, oldest first. None when there is none, or when a colleague has to say."""
    if not contacts:
        return None
    known = [contact for contact in contacts if not contact.is_anonymous]
    keeper = known[0] if known else next((contact for contact in contacts if contact.phone), contacts[0])
    others = [contact for contact in contacts if contact is not keeper]
    same = [one for one in others if one.is_anonymous and one.phone in (None, "", keeper.phone)]
    for other in same:
        await _merge(session, other.id, keeper.id, at)
    if len(same) == len(others):
        return keeper.id
    if known:
        await _ask(session, [one for one in (keeper, *others) if one not in same], at)
    return None


async def live_case(session: AsyncSession, contact_id: int) -> Case | None:
    """The customer's talk that is under way, on whatever channel."""
    return await session.scalar(
        select(Case)
        .where(Case.contact_id == contact_id, Case.status.in_(("open", "waiting")), Case.erased_at.is_(None))
        .order_by(Case.last_message_at.desc().nulls_last(), Case.created_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


async def _contacts(session: AsyncSession, unionid: str) -> list[Contact]:
    """Oldest first."""
    ids: set[int] = set()
    for table in _USERS:
        ids |= set(await session.scalars(select(table.contact_id).where(table.unionid == unionid, table.contact_id.is_not(None))))
    found = select(Contact).where(Contact.id.in_(ids), Contact.erased_at.is_(None)).order_by(Contact.id)
    return list(await session.scalars(found.execution_options(populate_existing=True)))


async def _merge(session: AsyncSession, visitor: int, customer: int, at: datetime) -> None:
    """The visitor's talks are the customer's; and whoever wanted to be left alone as a visitor is left alone."""
    if await is_blocked(session, visitor) and not await is_blocked(session, customer):
        session.add(DoNotContact(contact_id=customer, reason="same_person", source="customer", at=at))
    await session.execute(update(Case).where(Case.contact_id == visitor).values(contact_id=customer))
    for table in _USERS:
        await session.execute(update(table).where(table.contact_id == visitor).values(contact_id=customer))
    await session.flush()


async def _ask(session: AsyncSession, contacts: Sequence[Contact], at: datetime) -> None:
    """A note at the newest talk of one of them; once."""
    ids = sorted(contact.id for contact in contacts)
    case_id = await session.scalar(
        select(Case.id).where(Case.contact_id.in_(ids), Case.erased_at.is_(None)).order_by(Case.created_at.desc()).limit(1)
    )
    topic = "-".join(map(str, ids))
    known = select(Note.id).where(Note.kind == NOTE, Note.topic == topic).limit(1)
    if case_id is None or await session.scalar(known) is not None:
        return
    said = words().two_people.format(contacts="、".join(map(str, ids)))
    row = insert(Note).values(case_id=case_id, kind=NOTE, topic=topic, text=said, created_at=at)
    await session.execute(row.on_conflict_do_nothing())
