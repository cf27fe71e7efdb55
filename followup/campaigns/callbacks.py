"""Call-backs 预约回访: kept on time in the chat and by a message, tried twice, then left to a colleague (issue 6, 5).

- A call-back is made when its time has come, between 8:30 and 21:00; one booked outside is moved to the next opening.
- A customer who is not in the chat also gets a message: on the channel they came by, else on the first they agreed to.
- Who has not come within 24 hours is called back once more, at the same time of the next day; after that staff get a ticket.
- A call-back without a time is for the next working day, at the first of the best hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Exists, Row, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate
from followup.campaigns.definition import Hours
from followup.campaigns.labels import sentence
from followup.campaigns.queue import CALLBACKS, last_numbers, wake
from followup.campaigns.send import CALLBACK_HOURS
from followup.campaigns.unfinished import SILENCE
from followup.campaigns.windows import is_open, next_open
from followup.dialogue.effects import RaiseTicket
from followup.holidays import next_working_day
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.campaign_models import Campaign, CampaignEntry, Delivery
from followup.store.models import Callback, Case, Contact, Message
from followup.talk.inbox import SYSTEM_CHANNEL, Trigger, accept_trigger

TRIES = 2
PATIENCE = timedelta(hours=24)
IN_CHAT = timedelta(minutes=5)
"""Who wrote so lately is in the chat: the bot's line there is enough."""
BY_A_PERSON = "request_human"
"""The reason of call-backs that a colleague makes."""
TOPIC = "callback"
PUSHED = ("sms", "wechat", "email")
"""Channels on which a message reaches somebody who is not in the chat."""
_AT_ONCE = 200

# A talk that ended like this is taken up again when a call-back was booked; after any other end a person calls.
_RESUMABLE = ("unreachable", "ended_early")


# —— a time for those that have none ——————————————————————————————————————


async def give_times(session: AsyncSession, at: datetime) -> int:
    """A time for call-backs whose customer has left without naming one. Returns how many.

    Who only fell silent named nothing at all: where the campaign says how they are asked to go on, that takes its place.
    """
    rows = await session.execute(
        select(Callback, _asked_by_campaign().label("asked"))
        .join(Case, Case.id == Callback.case_id)
        .where(Callback.status == "booked", Callback.at.is_(None), Callback.reason != BY_A_PERSON, _resumable())
        .limit(_AT_ONCE)
        .with_for_update(of=Callback, skip_locked=True)
    )
    count = 0
    for callback, asked in rows.all():
        if callback.reason == SILENCE and asked:
            callback.status = "cancelled"
            continue
        callback.at = time_for(callback.created_at, at)
        count += callback.at is not None
    return count


def _asked_by_campaign() -> Exists:
    """The talk is a campaign's that asks who went away before the end to go on (campaigns.unfinished)."""
    times = Campaign.definition["retry"]["unfinished"]["times"].as_integer()
    return exists().where(CampaignEntry.case_id == Callback.case_id, Campaign.id == CampaignEntry.campaign_id, times > 0)


def time_for(booked_at: datetime, at: datetime) -> datetime | None:
    """The next working day after the talk, at the first of the best hours; never in the past."""
    day = max(booked_at, at - timedelta(days=1)).astimezone(SHANGHAI).date() + timedelta(days=1)
    return next_open(Hours(), max(datetime.combine(next_working_day(day), time(), SHANGHAI), at))


def _resumable() -> ColumnElement[bool]:
    return or_(Case.status == "waiting", Case.outcome.in_(_RESUMABLE))


# —— when the time has come ————————————————————————————————————————————————


async def resume_due_callbacks(session: AsyncSession, at: datetime) -> int:
    """Go on with the talks whose call-back time has come, and send who is not there a message. Returns how many."""
    due = await _locked(session, at, Callback.status == "booked", Callback.at <= at)
    made: dict[str, Row[Any]] = {}
    for row in due:
        callback, case = row.Callback, row.Case
        if row.blocked:
            callback.status = "cancelled"
        elif case.status == "open" and (not callback.tries or row.came):
            callback.status = "done"  # the customer came back first
        elif callback.reason == BY_A_PERSON or not (case.status in ("waiting", "open") or case.outcome in _RESUMABLE):
            callback.status = "due"  # a person calls
        elif not is_open(CALLBACK_HOURS, at):
            callback.at = next_open(CALLBACK_HOURS, at)
        else:
            made.setdefault(case.id, row)  # another one of the same talk: the next minute sees what came of this one
    for row in made.values():
        await _go_on(session, row.Callback, row.Case, at)
    away = [row for row in made.values() if not row.in_chat]
    invited = await _invite(session, away, at)
    for row in away:
        if row.Callback.id in invited:
            row.Case.nudged_at = at  # the message is the nudge: nobody is asked in an empty room whether they are still there
        else:
            row.Callback.tries = TRIES
            await _to_staff(session, row.Callback, "no_way", at)
    return len(made)


async def _locked(session: AsyncSession, at: datetime, *conditions: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """Call-backs that nobody else has in hand, each with its case and what is known of its customer now.

    They are locked first and read by a statement of its own: the one that locks may have begun before a colleague was done with them.
    """
    ids = (
        select(Callback.id)
        .join(Case, Case.id == Callback.case_id)
        .where(*conditions)
        .order_by(Callback.at, Callback.id)
        .limit(_AT_ONCE)
        .with_for_update(of=Callback, skip_locked=True)
    )
    ours = list(await session.scalars(ids))
    if not ours:
        return []
    arrived = Delivery.status.in_(("accepted", "delivered"))
    of_case, of_callback = Delivery.case_id == Callback.case_id, Delivery.callback_id == Callback.id
    came_by = select(Delivery.channel).where(of_case, arrived).order_by(Delivery.number.desc()).limit(1)
    tried = select(func.array_agg(Delivery.channel)).where(of_callback, Delivery.queued_at >= Callback.tried_at)
    found = (
        select(
            Callback,
            Case,
            records.blocked(Contact.id, Contact.phone).label("blocked"),
            _came_since(Callback.tried_at).label("came"),
            _came_since(at - IN_CHAT).label("in_chat"),
            came_by.scalar_subquery().label("came_by"),
            tried.scalar_subquery().label("tried"),
        )
        .join(Case, Case.id == Callback.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .where(*conditions, Callback.id == gate.any_of(ours))
        .order_by(Callback.at, Callback.id)
    )
    return (await session.execute(found.execution_options(populate_existing=True))).all()


async def _go_on(session: AsyncSession, callback: Callback, case: Case, at: datetime) -> None:
    callback.status, callback.tries, callback.tried_at = "due", callback.tries + 1, at
    if case.status != "open":  # else the question stands in the chat already
        key = f"callback-{callback.id}" if callback.tries == 1 else f"callback-{callback.id}-{callback.tries}"
        await accept_trigger(session, case.id, Trigger.RESUME, key)


async def _invite(session: AsyncSession, rows: Sequence[Row[Any]], at: datetime, *, another_way: bool = False) -> set[int]:
    """A message on the channel each customer came by, else on the first they agreed to; `another_way`: on none that was tried.

    Returns the call-backs for which there is a way.
    """
    if not rows:
        return set()
    day = at.astimezone(SHANGHAI).date()
    standings = await gate.standings(session, sorted({row.Case.contact_id for row in rows}), day, wait=True)
    numbers = await last_numbers(session, [row.Case.id for row in rows])
    deliveries = []
    for row in rows:
        standing = standings.get(row.Case.contact_id)
        if standing is None or standing.blocked:
            continue
        without = (row.tried or ()) if another_way else ()
        wanted = [channel for channel in (row.came_by, *PUSHED) if channel in standing.ways and channel in PUSHED]
        if (channel := next((one for one in wanted if one not in without), None)) is None:
            continue
        deliveries.append(
            Delivery(
                case_id=row.Case.id, contact_id=row.Case.contact_id, callback_id=row.Callback.id, number=numbers.get(row.Case.id, 0) + 1, kind="callback",
                channel=channel, priority=CALLBACKS, day=day, queued_at=at,
            )  # fmt: skip
        )
    if deliveries:
        session.add_all(deliveries)
        await session.flush()
        await wake(session)
    return {delivery.callback_id for delivery in deliveries if delivery.callback_id is not None}


# —— whether the customer came ———————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Settled:
    """`failed`: how many were tried in vain for the last time."""

    came: int = 0
    again: int = 0
    failed: int = 0


async def settle_callbacks(session: AsyncSession, at: datetime) -> Settled:
    """Call-backs that were made: who came, who is called back again, who is left to a colleague."""
    came = again = failed = 0
    made = (Callback.status == "due", Callback.tried_at.is_not(None))
    for row in await _locked(session, at, *made, Callback.tried_at <= at - PATIENCE):
        callback = row.Callback
        if row.came:
            callback.status, came = "done", came + 1
        elif callback.tries < TRIES:
            callback.status, callback.at, again = "booked", _next_day(callback, at), again + 1
        else:
            callback.status, failed = "failed", failed + 1
            await _to_staff(session, callback, "failed", at)
    stuck = await _locked(session, at, *made, Callback.tried_at > at - PATIENCE, _last_failed())
    stuck = list({row.Case.id: row for row in stuck}.values())
    invited = await _invite(session, stuck, at, another_way=True)
    for row in stuck:
        if row.Callback.id not in invited:
            row.Callback.status, failed = "failed", failed + 1
            await _to_staff(session, row.Callback, "no_way", at)
    return Settled(came, again, failed)


def _last_failed() -> ColumnElement[bool]:
    """The newest message of the call-back could not be sent."""
    newest = (
        select(Delivery.status).where(Delivery.callback_id == Callback.id).order_by(Delivery.number.desc()).limit(1).scalar_subquery()
    )
    return newest == "failed"


def _next_day(callback: Callback, at: datetime) -> datetime | None:
    """The same time of the day after the last try."""
    assert callback.at is not None and callback.tried_at is not None
    local, tried = callback.at.astimezone(SHANGHAI), callback.tried_at.astimezone(SHANGHAI)
    return next_open(CALLBACK_HOURS, datetime.combine(tried.date() + timedelta(days=1), local.time(), SHANGHAI))


def _came_since(since: datetime | ColumnElement[datetime | None]) -> Exists:
    """The customer of the call-back wrote, or opened the link, after `since`."""
    theirs = or_(Message.direction == "in", (Message.direction == "system") & (Message.channel != SYSTEM_CHANNEL))
    return exists().where(Message.case_id == Callback.case_id, theirs, Message.created_at > since)


async def _to_staff(session: AsyncSession, callback: Callback, why: str, at: datetime) -> None:
    ticket = RaiseTicket(TOPIC, "request", 3, sentence("department", "callbacks"), sentence(why, "callbacks"))
    await records.apply(session, callback.case_id, None, [ticket], at)


__all__ = ["Settled", "give_times", "resume_due_callbacks", "settle_callbacks", "time_for"]
