"""Write what a reply changes: the effects of `followup.dialogue.effects`, each at most once for a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from psycopg.types.json import Jsonb
from sqlalchemy import case as db_case
from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.contacts import consent
from followup.contacts.groups import COMPLAINED
from followup.dialogue.effects import (
    BookCallback,
    Effect,
    IdentifyCustomer,
    Outcome,
    RaiseTicket,
    Reopen,
    SetOutcome,
    StopContact,
    StoreAnswer,
    TakeNote,
    WithdrawTicket,
)
from followup.store.database import psycopgs
from followup.store.due import due_at
from followup.store.models import (
    Answer,
    Attempt,
    Callback,
    Case,
    Contact,
    DoNotContact,
    Note,
    Ticket,
)
from followup.store.staff_models import TicketEvent

# The talk goes on at another time; every other outcome ends the case.
_WAITING = {Outcome.APPOINTED}
# Nobody calls back after these, whatever was booked before.
_FINAL = {Outcome.COMPLETED, Outcome.REFUSED, Outcome.DO_NOT_CONTACT, Outcome.WRONG_PERSON}
# What becomes of a call-back that no longer stands: it was held, or it never will be.
_ENDED = db_case((Callback.status == "due", "done"), else_="cancelled")


async def apply(
    session: AsyncSession, case_id: str, message_id: int | None, effects: Sequence[Effect], at: datetime
) -> bool:
    """Write `effects` of the message; applied again for the same message nothing changes.

    `message_id` is None for what no message caused. `at` is the product's present time, aware.
    Returns False, and writes nothing, when Rasa has already stored this message's turn: then whoever asks is a
    belated second run of it, which read the customer's words against the *next* question. Nor is anything written
    for a customer who was erased meanwhile.
    """
    if not effects:
        return True
    # One writer a case: a retried turn may overlap with the one it replaces.
    case = (await session.scalars(select(Case).where(Case.id == case_id).with_for_update(key_share=True))).one_or_none()
    if case is None:
        raise LookupError(f"no case {case_id}")
    if case.erased_at is not None:
        return False  # the customer was erased while this turn was under way
    if message_id is not None and await _turn_is_stored(session, case_id, message_id):
        return False
    for effect in effects:
        match effect:
            case StoreAnswer():
                await _store_answer(session, case, message_id, effect, at)
            case RaiseTicket():
                await _raise_ticket(session, case_id, message_id, effect, at)
                if effect.kind == "complaint":
                    await _mark_as_complainer(session, case.contact_id, at)
            case WithdrawTicket():
                await _withdraw_ticket(session, case_id, message_id, effect, at)
            case BookCallback():
                await _book_callback(session, case_id, message_id, effect, at)
            case SetOutcome():
                await _set_outcome(session, case, effect, at)
            case Reopen():
                await reopen(session, case, at)
            case StopContact():
                await _stop_contact(session, case, message_id, effect, at)
            case TakeNote():
                await _take_note(session, case_id, message_id, effect, at)
            case IdentifyCustomer():
                await _identify(session, case, message_id, effect, at)
            case _:
                assert_never(effect)
    await session.flush()
    return True


_IS_STORED = "SELECT FROM events WHERE sender_id = %(case_id)s AND message_id = %(message_id)s"


async def _turn_is_stored(session: AsyncSession, case_id: str, message_id: int) -> bool:
    found = await (await psycopgs(session)).execute(_IS_STORED, {"case_id": case_id, "message_id": message_id})
    return await found.fetchone() is not None


# The old answer first: only one of a question may be valid. That it has been is what the new one's row is made from.
_STORE_ANSWER = """
    WITH old AS (
        UPDATE answers SET superseded = TRUE
        WHERE case_id = %(case_id)s AND question_id = %(question_id)s AND message_id IS DISTINCT FROM %(message_id)s::bigint
          AND NOT superseded
        RETURNING id
    )
    INSERT INTO answers (case_id, question_id, value, words, message_id, how, created_at)
    SELECT %(case_id)s::text, %(question_id)s::text, %(value)s::jsonb, %(words)s::text, %(message_id)s::bigint, %(how)s::text, %(at)s::timestamptz
    FROM (SELECT count(*) FROM old) AS done
    ON CONFLICT (case_id, question_id, message_id)
    DO UPDATE SET value = excluded.value, words = excluded.words, how = excluded.how, superseded = FALSE
"""


async def _store_answer(
    session: AsyncSession, case: Case, message_id: int | None, effect: StoreAnswer, at: datetime
) -> None:
    same_question = (Answer.case_id == case.id, Answer.question_id == effect.question_id)
    if case.status != "open" and not await session.scalar(
        select(exists().where(*same_question, Answer.message_id == message_id))
    ):
        await reopen(session, case, at)
        await session.flush()
    answer = {"value": None if effect.value is None else Jsonb(effect.value), "words": effect.text, "how": effect.how, "at": at}
    of = {"case_id": case.id, "question_id": effect.question_id, "message_id": message_id}
    await (await psycopgs(session)).execute(_STORE_ANSWER, {**of, **answer})


async def _raise_ticket(
    session: AsyncSession, case_id: str, message_id: int | None, effect: RaiseTicket, at: datetime
) -> None:
    word = {"message_id": message_id, "text": effect.reason}
    created = await session.scalar(
        insert(Ticket)
        .values(
            case_id=case_id,
            topic=effect.topic,
            kind=effect.kind,
            severity=effect.severity,
            department=effect.department,
            reason=effect.reason,
            words=[word],
            data=effect.data,
            due_at=due_at(at),
            message_id=message_id,
            created_at=at,
            updated_at=at,
        )
        .on_conflict_do_nothing(index_elements=["case_id", "topic"])
        .returning(Ticket.id)
    )
    if created is not None:
        return
    ticket = (
        await session.scalars(
            select(Ticket)
            .where(Ticket.case_id == case_id, Ticket.topic == effect.topic)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()
    if word in ticket.words:
        ticket.data = {**ticket.data, **effect.data}
        return
    ticket.words = [*ticket.words, word]
    if effect.reason and effect.reason not in ticket.reason.split("\n"):
        ticket.reason = "\n".join(part for part in (ticket.reason, effect.reason) if part)
    ticket.department = effect.department
    if effect.severity < ticket.severity:
        ticket.severity, ticket.kind = effect.severity, effect.kind
    ticket.data = {**ticket.data, **effect.data}
    ticket.updated_at = at
    # The words themselves stand on the ticket.
    detail: dict[str, object] = {"message_id": message_id}
    if ticket.status != "open":
        detail["before"] = ticket.status
        ticket.status, ticket.due_at = "open", due_at(at)
    session.add(TicketEvent(ticket_id=ticket.id, kind="raised_again", detail=detail, at=at))


async def _mark_as_complainer(session: AsyncSession, contact_id: int, at: datetime) -> None:
    """Who complained is a key customer from then on (58741). What a visitor typed is nobody's file yet."""
    await session.execute(
        update(Contact)
        .where(Contact.id == contact_id, ~Contact.is_anonymous, ~Contact.groups.contains([COMPLAINED]))
        .values(groups=func.array_append(Contact.groups, COMPLAINED), updated_at=at)
        .execution_options(synchronize_session=False)
    )


async def _withdraw_ticket(
    session: AsyncSession, case_id: str, message_id: int | None, effect: WithdrawTicket, at: datetime
) -> None:
    """Close the ticket of an answer that was taken back; what staff had already solved stays solved."""
    ticket = (
        await session.scalars(
            select(Ticket).where(Ticket.case_id == case_id, Ticket.topic == effect.topic).with_for_update()
        )
    ).one_or_none()
    if ticket is None or ticket.status in ("solved", "closed"):
        return
    ticket.words = [*ticket.words, {"message_id": message_id, "text": effect.reason}]
    ticket.status, ticket.solution, ticket.closed_at, ticket.updated_at = "closed", effect.reason, at, at
    session.add(TicketEvent(ticket_id=ticket.id, kind="withdrawn", detail={"message_id": message_id}, at=at))


async def _book_callback(
    session: AsyncSession, case_id: str, message_id: int | None, effect: BookCallback, at: datetime
) -> None:
    await session.execute(
        update(Callback)
        .where(
            Callback.case_id == case_id,
            Callback.message_id.is_distinct_from(message_id),
            Callback.status.in_(("booked", "due")),
        )
        .values(status=_ENDED)
    )
    row = insert(Callback).values(
        case_id=case_id,
        at=effect.at,
        reason=effect.reason,
        words=effect.words,
        confirmed=effect.confirmed,
        message_id=message_id,
        created_at=at,
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["case_id", "message_id"],
            set_={
                "at": row.excluded.at,
                "reason": row.excluded.reason,
                "words": row.excluded.words,
                "confirmed": row.excluded.confirmed,
            },
            where=Callback.status == "booked",
        )
    )


async def _set_outcome(session: AsyncSession, case: Case, effect: SetOutcome, at: datetime) -> None:
    status = "waiting" if effect.outcome in _WAITING else "closed"
    if (case.status, case.outcome, case.outcome_reason) != (status, effect.outcome, effect.reason):
        case.status, case.outcome, case.outcome_reason = status, effect.outcome.value, effect.reason
        case.ended_at = at if status == "closed" else None
    await session.execute(
        update(Attempt)
        .where(Attempt.case_id == case.id, Attempt.ended_at.is_(None))
        .values(ended_at=at, outcome=effect.outcome.value)
    )
    # A call-back that was being held is over; with a final outcome so is one that still stands.
    ended = ("booked", "due") if effect.outcome in _FINAL else ("due",)
    await session.execute(
        update(Callback).where(Callback.case_id == case.id, Callback.status.in_(ended)).values(status=_ENDED)
    )


async def phone_is_blocked(session: AsyncSession, phone: str) -> bool:
    """Whether the number is on the do-not-contact list, whosever it is."""
    same = or_(DoNotContact.phone == phone, DoNotContact.phone_digest == func.phone_digest(phone))
    return bool(await session.scalar(select(exists().where(DoNotContact.lifted_at.is_(None), DoNotContact.source != "erased", same))))


async def _stop_contact(
    session: AsyncSession, case: Case, message_id: int | None, effect: StopContact, at: datetime
) -> None:
    contact = await session.get_one(Contact, case.contact_id)
    await session.execute(
        insert(DoNotContact)
        .values(
            contact_id=contact.id,
            phone=contact.phone,
            email=contact.email,
            reason="customer",
            words=effect.words,
            message_id=message_id,
            at=at,
        )
        # A visitor who opts out may give the number only afterwards.
        .on_conflict_do_update(
            index_elements=["contact_id"],
            index_where=DoNotContact.lifted_at.is_(None),
            set_={"phone": func.coalesce(contact.phone, DoNotContact.phone)},
        )
    )
    await consent.withdraw_all(session, contact.id, "会话", at)
    await session.execute(
        update(Callback)
        .where(
            Callback.case_id.in_(
                select(Case.id)
                .join(Contact, Contact.id == Case.contact_id)
                .where(or_(Contact.id == contact.id, Contact.phone == contact.phone))
            ),
            Callback.status == "booked",
        )
        .values(status="cancelled")
    )


async def _take_note(
    session: AsyncSession, case_id: str, message_id: int | None, effect: TakeNote, at: datetime
) -> None:
    row = insert(Note).values(
        case_id=case_id,
        kind=effect.kind,
        topic=effect.topic,
        text=effect.text,
        message_id=message_id,
        created_at=at,
    )
    # Two notes of one kind in one reply are one row that holds both.
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["case_id", "kind", "topic", "message_id"],
            set_={"text": Note.text + "\n" + row.excluded.text},
            where=func.strpos(Note.text, row.excluded.text) == 0,
        )
    )


async def _identify(
    session: AsyncSession, case: Case, message_id: int | None, effect: IdentifyCustomer, at: datetime
) -> None:
    """Keep what the visitor says of themselves, and point to the customer with that number for staff to judge."""
    contact = await session.get_one(Contact, case.contact_id, with_for_update={"key_share": True})
    if not contact.is_anonymous:
        # Who came by a link is known; another number is something for a colleague to look at.
        await _take_note(session, case.id, message_id, TakeNote("stated_number", effect.phone or effect.name), at)
        return
    contact.name = effect.name or contact.name
    if not effect.phone:
        return
    contact.phone = effect.phone
    found = (await session.execute(_holders_of(effect.phone))).first()
    case.claimed_contact_id, case.claimed_case_id = found or (None, None)
    await session.flush()
    if await phone_is_blocked(session, effect.phone):
        await _take_note(session, case.id, message_id, TakeNote("blocked_number", effect.phone), at)


def _holders_of(phone: str) -> Select[tuple[int, str | None]]:
    """(contact, its newest open case) of the known customers with this number, those with an open case first."""
    is_open = (Case.contact_id == Contact.id) & Case.status.in_(("new", "open", "waiting"))
    return (
        select(Contact.id, Case.id)
        .outerjoin(Case, is_open)
        .where(Contact.phone == phone, ~Contact.is_anonymous)
        .order_by(Case.created_at.desc().nulls_last(), Contact.id)
        .limit(1)
    )


async def reopen(
    session: AsyncSession, case: Case, at: datetime, *, reason: str = "return", channel: str = "web"
) -> None:
    """The talk goes on. Starts an attempt when none is under way."""
    case.status, case.ended_at = "open", None
    case.outcome, case.outcome_reason = None, ""  # what the earlier attempt came to stands with the attempt
    case.opened_at = case.opened_at or at
    last = await session.scalar(
        select(Attempt).where(Attempt.case_id == case.id).order_by(Attempt.number.desc()).limit(1)
    )
    if last is not None and last.ended_at is None:
        return
    session.add(
        Attempt(
            case_id=case.id,
            number=1 if last is None else last.number + 1,
            channel=channel,
            reason="first" if last is None else reason,
            started_at=at,
        )
    )
    await session.flush()
