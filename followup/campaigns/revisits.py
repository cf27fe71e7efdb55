"""The closed loop: a ticket is closed, the customer is asked again, by themselves, within three days (58741).

The revisit's case is made when the ticket is closed (console.tickets.revisit). Here it is sent: at the next opening of the best
hours after the closing, once more a day later, on the next channel when one fails. Whoever could not be reached in three days is
left to staff: an event of the ticket says so. What has been done is read off the deliveries, so a kill in between loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate
from followup.campaigns.decide import Facts, Send, Stop, decide
from followup.campaigns.definition import Amount, Definition, Retry, Rule, Unit
from followup.campaigns.labels import label, reason_said
from followup.campaigns.queue import REVISITS, last_numbers, wake
from followup.campaigns.send import REVISIT_HOURS
from followup.campaigns.windows import stretches
from followup.settings import SHANGHAI
from followup.store.campaign_models import Delivery
from followup.store.models import Case, Ticket
from followup.store.staff_models import TicketEvent

WITHIN = timedelta(days=3)
SENT, UNREACHED = "revisit_sent", "revisit_unreached"
_NOT_OLDER = timedelta(days=10)
"""Tickets closed longer ago were closed before the system sent revisits by itself."""
_AT_ONCE = 200
_STRATEGY = Definition(
    "",
    (Rule("revisit", "", Amount(0, Unit.HOURS)),),
    hours=REVISIT_HOURS,
    channels=("sms", "wechat", "email"),
    retry=Retry(1, timedelta(days=1), WITHIN),
)


@dataclass(frozen=True, slots=True)
class Revisited:
    queued: int = 0
    unreached: int = 0


async def run_revisits(session: AsyncSession, at: datetime, daily_cap: int) -> Revisited:
    """What is due of all revisits. Safe in several processes at once."""
    at = at.astimezone(SHANGHAI)
    rows = (await session.execute(_PENDING.where(Ticket.closed_at > at - _NOT_OLDER))).all()
    rows = [row for row in rows if first_at(row.Ticket.closed_at) <= at]
    if not rows:
        return Revisited()
    people = sorted({row.contact_id for row in rows})
    standings = await gate.standings(session, people, at.date())
    queued: list[int] = []
    unreached = 0
    for row in rows:
        standing = standings.get(row.contact_id)
        if standing is None:
            continue  # another process has the customer in hand
        step = await _step(session, row, standing, at, daily_cap)
        if isinstance(step, Send):
            queued.append(await _queue(session, row, step, at))
            standings.pop(row.contact_id)  # one message a round
        elif isinstance(step, Stop):
            unreached += 1
            detail = {"reason": step.reason, "text": reason_said(step.reason or "unreachable")}
            session.add(TicketEvent(ticket_id=row.Ticket.id, kind=UNREACHED, detail=detail, at=at))
    await session.flush()
    if queued:
        await wake(session)
    return Revisited(len(queued), unreached)


_PENDING = (
    select(Ticket, Case.contact_id)
    .join(Case, Case.id == Ticket.revisit_case_id)
    .where(
        Ticket.status == "closed",
        Case.status == "new",
        Case.opened_at.is_(None),
        ~Case.is_demo,
        ~exists().where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind == UNREACHED, TicketEvent.at >= Ticket.closed_at),
    )
    .order_by(Ticket.closed_at, Ticket.id)
    .limit(_AT_ONCE)
    .with_for_update(of=Ticket, skip_locked=True)
)


def first_at(closed_at: datetime) -> datetime:
    """The next opening after the closing, not the one it falls into: nobody is asked the minute their matter is closed."""
    day = closed_at.astimezone(SHANGHAI).date()
    while True:
        for opens, _ in stretches(REVISIT_HOURS, day):
            if opens > closed_at:
                return opens
        day += timedelta(days=1)


async def _step(session: AsyncSession, row: Row[Any], standing: gate.Standing, at: datetime, cap: int) -> Any:
    case_id, closed_at = row.Ticket.revisit_case_id, row.Ticket.closed_at
    if at >= closed_at + WITHIN:
        return Stop("unreachable", "")
    found = await session.scalars(select(Delivery).where(Delivery.case_id == case_id).order_by(Delivery.number))
    made = [delivery for delivery in found.all() if delivery.status != "suppressed"]
    if any(delivery.status in ("queued", "sending") for delivery in made):
        return None
    last = made[-1] if made else None
    arrived = [delivery for delivery in made if delivery.status in ("accepted", "delivered", "unknown")]
    if last is not None and last.status == "unknown":
        return None  # never sent again by itself
    facts = Facts(
        state="sent" if last is not None and last.status != "failed" else "waiting",
        channel=last.channel if last is not None else "",
        tries=sum(delivery.channel == last.channel for delivery in arrived) if last is not None else 0,
        sent_at=max((delivery.sending_at or delivery.queued_at for delivery in arrived), default=None),
        not_after=closed_at + WITHIN,
        came=False,
        standing=standing,
    )
    return decide(_STRATEGY, facts, at, cap)


async def _queue(session: AsyncSession, row: Row[Any], step: Send, at: datetime) -> int:
    case_id = row.Ticket.revisit_case_id
    numbers = await last_numbers(session, [case_id])
    delivery = Delivery(
        case_id=case_id, contact_id=row.contact_id, number=numbers.get(case_id, 0) + 1, kind="revisit", channel=step.channel, priority=REVISITS,
        day=at.date(), queued_at=at,
    )  # fmt: skip
    session.add(delivery)
    detail = {"channel": step.channel, "text": label(step.channel, "channels")}
    session.add(TicketEvent(ticket_id=row.Ticket.id, kind=SENT, detail=detail, at=at))
    await session.flush()
    return delivery.id
