"""Reminds staff of tickets that are soon due or late, by a webhook (a group robot of WeCom, DingTalk or one's own).

The message holds numbers, kinds and times, never a customer's name or words: it leaves the house.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from sqlalchemy import and_, or_, select

from followup.console.labels import label, labels
from followup.console.show import moment
from followup.console.tickets.deadlines import SOON, UNFINISHED
from followup.console.tickets.filters import ticket_link
from followup.store.database import Database
from followup.store.models import Ticket, User
from followup.store.staff_models import TicketEvent

_log = logging.getLogger(__name__)
AGAIN = timedelta(hours=24)
"""A late ticket is named once a day."""
MOST = 20
"""Tickets in one message; the rest follows a minute later."""
TRIES = 3
TIMEOUT_SECONDS = 10

Send = Callable[[dict[str, Any]], Awaitable[None]]


class NotSent(RuntimeError):
    """The webhook did not take the message."""


@dataclass(frozen=True, slots=True)
class Reminder:
    ticket: Ticket
    owner: str
    late: bool


async def remind(database: Database, send: Send, public_url: str, now: datetime) -> int:
    """Send what is to be sent; returns how many tickets it names. Raises NotSent: then nothing counts as reminded."""
    async with database.session() as session:
        due_soon = and_(Ticket.due_at >= now, Ticket.due_at <= now + SOON, or_(Ticket.reminded_at.is_(None), Ticket.reminded_at < Ticket.due_at - SOON))
        late = and_(Ticket.due_at < now, or_(Ticket.reminded_at.is_(None), Ticket.reminded_at < Ticket.due_at, Ticket.reminded_at <= now - AGAIN))
        rows = await session.execute(
            select(Ticket, User.name)
            .outerjoin(User, User.id == Ticket.owner_id)
            .where(Ticket.status.in_(UNFINISHED), or_(due_soon, late))
            .order_by(Ticket.due_at, Ticket.id)
            .limit(MOST)
            .with_for_update(of=Ticket, skip_locked=True)  # who is at work on it is not kept waiting
        )
        found = [Reminder(ticket, owner or "", ticket.due_at < now) for ticket, owner in rows]
        if not found:
            return 0
        await send(message(found, public_url))
        for one in found:
            one.ticket.reminded_at = now  # not updated_at: nobody's form becomes stale
            session.add(TicketEvent(ticket_id=one.ticket.id, kind="reminded", detail={"why": _why(one)}, at=now))
        return len(found)


def message(found: Sequence[Reminder], public_url: str) -> dict[str, Any]:
    """A text message as WeCom and DingTalk take it, with the same as data for one's own receiver."""
    words = labels()["ticket_message"]
    lines = [words["head"].format(count=len(found))]
    tickets = []
    for one in found:
        ticket, link = one.ticket, f"{public_url}{ticket_link(one.ticket.id)}"
        lines.append(
            words["line"].format(
                number=ticket.id, kind=label(ticket.kind, "ticket_kinds"), severity=label(ticket.severity, "severity"),
                department=ticket.department, owner=one.owner or labels()["ticket_owners"]["nobody"],
                due=moment(ticket.due_at), why=label(_why(one), "ticket_reminders"), link=link,
            )
        )  # fmt: skip
        tickets.append(
            {"id": ticket.id, "kind": ticket.kind, "severity": ticket.severity, "department": ticket.department, "owner": one.owner,
             "status": ticket.status, "due_at": ticket.due_at.isoformat(), "late": one.late, "link": link}
        )  # fmt: skip
    return {"msgtype": "text", "text": {"content": "\n".join(lines)}, "tickets": tickets}


def webhook(url: str, *, tries: int = TRIES, timeout: float = TIMEOUT_SECONDS, pause: float = 1.0) -> Send:
    """What sends to the address: again after 1, 2, ... pauses. The address may hold a key and is never logged."""

    async def send(body: dict[str, Any]) -> None:
        problem = ""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as http:
            for attempt in range(tries):
                if attempt:
                    await asyncio.sleep(pause * attempt)
                try:
                    async with http.post(url, json=body, allow_redirects=False) as answer:
                        problem = await _problem(answer)
                except (aiohttp.ClientError, TimeoutError) as error:
                    problem = type(error).__name__
                if not problem:
                    return
        raise NotSent(problem)

    return send


async def _problem(answer: aiohttp.ClientResponse) -> str:
    """What is wrong with an answer. The robots say 200 and put the error into the body."""
    if not 200 <= answer.status < 300:
        return f"status {answer.status}"
    if answer.content_type == "application/json":
        try:
            body = await answer.json()
        except ValueError:
            return ""
        if isinstance(body, dict) and body.get("errcode"):
            return f"errcode {body['errcode']}"
    return ""


async def remind_by_webhook(database: Database, url: str, public_url: str, now: datetime) -> int:
    """One round for the worker: a webhook that does not answer is logged, and asked again in the next round."""
    try:
        return await remind(database, webhook(url), public_url, now)
    except NotSent as problem:
        _log.warning("ticket reminders were not sent: %s", problem)
        return 0


def _why(one: Reminder) -> str:
    return "late" if one.late else "soon"
