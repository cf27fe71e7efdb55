"""The list of talks: a page of it, what comes before and after a talk in it, all of it for an export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, exists, func, literal, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.console.paging import PER_PAGE
from followup.console.transcripts.conditions import complained, corrected, often_said, sort_key, unsure, wanted
from followup.console.transcripts.filters import TalkFilters
from followup.store.campaign_models import Campaign
from followup.store.models import Attempt, Case, Contact, Message, ScriptRevision, Ticket
from followup.store.staff_models import StaffNote


@dataclass(frozen=True, slots=True)
class TalkRow:
    """A talk as the list shows it."""

    id: str
    script_id: str
    status: str
    outcome: str | None
    outcome_reason: str
    is_demo: bool
    created_at: datetime
    last_at: datetime | None
    """When either side spoke last."""
    name: str
    title: str
    phone: str | None
    is_anonymous: bool
    claimed_id: int | None
    claimed_name: str | None
    """The customer whose number an anonymous visitor gave."""
    channel: str | None
    messages: int
    complaint: bool
    tickets: int
    unsure: bool
    corrected: bool
    notes: bool
    found: str | None
    """The first message that holds the first word searched for."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    previous: str | None
    next: str | None


COUNTED_UP_TO = 500
"""So many talks are counted and shown, where what is searched for is in a good part of all of them."""


async def page_of_talks(
    session: AsyncSession, filters: TalkFilters, number: int, *, personal: bool
) -> tuple[list[TalkRow], int, bool]:
    """Page `number` of the talks that the filters let through, how many there are, and whether there are more than that."""
    key, down = sort_key(filters.sort)
    often = await often_said(session, filters, personal=personal)
    all_of_them = wanted(filters, personal=personal, often=often)
    if often:
        first = (key.desc(), Case.id.desc()) if down else (key, Case.id)
        all_of_them = all_of_them.order_by(*first).limit(COUNTED_UP_TO + 1)
    found = all_of_them.cte("found")
    order = (found.c.key.desc(), found.c.id.desc()) if down else (found.c.key, found.c.id)
    paged = (
        select(found, func.row_number().over(order_by=order).label("place"))
        .order_by(*order)
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
        .cte("paged")
    )
    counted = select(func.count().label("total")).select_from(found).subquery("counted")
    # The count stands in one row even when the page is empty.
    rows = await session.execute(
        _columns(filters, counted.c.total)
        .select_from(counted)
        .outerjoin(paged, true())
        .outerjoin(Case, Case.id == paged.c.id)
        .outerjoin(Contact, Contact.id == Case.contact_id)
        .outerjoin(_CLAIMED, _CLAIMED.id == Case.claimed_contact_id)
        .order_by(paged.c.place)
    )
    all_rows = rows.all()
    total = all_rows[0].total if all_rows else 0
    more = bool(often) and total > COUNTED_UP_TO
    rows_of_page = [_row(row) for row in all_rows if row.id is not None]
    return rows_of_page[: COUNTED_UP_TO - (number - 1) * PER_PAGE] if more else rows_of_page, total - more, more


async def all_talks(session: AsyncSession, filters: TalkFilters, most: int, *, personal: bool) -> list[TalkRow]:
    """The whole list in its order; one more than `most` when there are more."""
    key, down = sort_key(filters.sort)
    found = wanted(filters, personal=personal).subquery("found")
    order = (found.c.key.desc(), found.c.id.desc()) if down else (found.c.key, found.c.id)
    rows = await session.execute(
        _columns(filters, literal(0).label("total"))
        .select_from(found)
        .join(Case, Case.id == found.c.id)
        .join(Contact, Contact.id == Case.contact_id)
        .outerjoin(_CLAIMED, _CLAIMED.id == Case.claimed_contact_id)
        .order_by(*order)
        .limit(most + 1)
    )
    return [_row(row) for row in rows]


async def neighbours(session: AsyncSession, filters: TalkFilters, case_id: str, *, personal: bool) -> Neighbours:
    """What stands above and below a talk in the list; also when the talk itself is no longer in it."""
    key, down = sort_key(filters.sort)
    here = select(key.label("key"), Case.id).select_from(Case).join(Contact, Contact.id == Case.contact_id)
    place = here.where(Case.id == case_id).subquery("here")
    at = tuple_(place.c.key, place.c.id)
    often = await often_said(session, filters, personal=personal)
    found = wanted(filters, personal=personal, often=often)
    # The whole list, once, where it is filtered: for a single row of it the planner would try every talk one by one.
    rows = found.cte("found").prefix_with("MATERIALIZED") if filters.any and not often else None

    def nearest(after: bool) -> Any:
        those = rows if rows is not None else found.subquery("after" if after else "before")
        mine = tuple_(those.c.key, those.c.id)
        upwards = after is not down
        where = mine > at if upwards else mine < at
        order = (those.c.key, those.c.id) if upwards else (those.c.key.desc(), those.c.id.desc())
        return select(those.c.id).where(where).order_by(*order).limit(1).scalar_subquery()

    row = (await session.execute(select(nearest(False), nearest(True)).select_from(place))).first()
    return Neighbours(*row) if row else Neighbours(None, None)


async def script_names(session: AsyncSession) -> dict[str, str]:
    """Script id -> name in its newest revision, of every script that was ever used."""
    newest = (
        select(func.max(ScriptRevision.id).label("id")).group_by(ScriptRevision.script_id).subquery("newest")
    )
    name = ScriptRevision.content[("script", "name")].astext
    rows = await session.execute(
        select(ScriptRevision.script_id, name).join(newest, newest.c.id == ScriptRevision.id)
    )
    return dict(sorted(((script, text or script) for script, text in rows), key=lambda pair: pair[1]))


async def campaign_names(session: AsyncSession) -> dict[str, str]:
    """Campaign id -> name of those that were started, the newest first."""
    rows = await session.execute(
        select(Campaign.id, Campaign.name).where(Campaign.started_at.is_not(None)).order_by(Campaign.id.desc()).limit(200)
    )
    return {str(campaign_id): name for campaign_id, name in rows}


_CLAIMED = aliased(Contact)


def _columns(filters: TalkFilters, total: ColumnElement[int]) -> Select[Any]:
    channel = select(Attempt.channel).where(Attempt.case_id == Case.id).order_by(Attempt.number.desc()).limit(1)
    spoken = and_(Message.case_id == Case.id, Message.direction != "system")
    return select(
        total,
        Case.id,
        Case.script_id,
        Case.status,
        Case.outcome,
        Case.outcome_reason,
        Case.is_demo,
        Case.created_at,
        Case.last_message_at.label("last_at"),
        Contact.name,
        Contact.title,
        Contact.phone,
        Contact.is_anonymous,
        _CLAIMED.id.label("claimed_id"),
        _CLAIMED.name.label("claimed_name"),
        channel.scalar_subquery().label("channel"),
        select(func.count()).where(spoken).scalar_subquery().label("messages"),
        complained().label("complaint"),
        select(func.count()).where(Ticket.case_id == Case.id).scalar_subquery().label("tickets"),
        unsure().label("unsure"),
        corrected().label("corrected"),
        exists().where(StaffNote.case_id == Case.id).label("notes"),
        _found(filters).label("found"),
    )


def _found(filters: TalkFilters) -> ColumnElement[Any]:
    if not filters.words:
        return literal(None, Text)
    here = and_(Message.case_id == Case.id, Message.text.icontains(filters.words[0], autoescape=True))
    first = select(Message.text).where(here, Message.direction != "system").order_by(Message.id).limit(1)
    return first.scalar_subquery()


def _row(row: Any) -> TalkRow:
    values = row._mapping
    return TalkRow(**{name: values[name] for name in TalkRow.__slots__})
