"""Reminds staff of tickets that are soon due or late: by a webhook (a group robot of WeCom, DingTalk or one's own), by mail.

The messages hold numbers, kinds and times, never a customer's name or words: they leave the house. The two ways do not
wait for each other: what one could not send, it sends in its next round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.labels import label, labels
from followup.console.permissions import ROLE_PERMISSIONS, Permission
from followup.console.show import moment
from followup.console.tickets.deadlines import SOON, UNFINISHED
from followup.console.tickets.filters import ticket_link
from followup.mail import Fate, MailServer, NotSent, Post, courier, letter
from followup.store.database import Database
from followup.store.models import Ticket, User
from followup.store.staff_models import TicketEvent

_log = logging.getLogger(__name__)
AGAIN = timedelta(hours=24)
"""A late ticket is named once a day."""
MOST = 20
"""Tickets in one message; the rest follows a minute later."""
MOST_MAILED = 200
"""Tickets in one round of letters."""
TRIES = 3
TIMEOUT_SECONDS = 10

Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reminder:
    ticket: Ticket
    owner: str
    late: bool


# —— which ————————————————————————————————————————————————————————————


async def _due(session: AsyncSession, told_at: Any, now: datetime, most: int) -> list[Reminder]:
    """What is to be named. `told_at`: the column that says when this way last did. No ticket is locked meanwhile."""
    due_soon = and_(Ticket.due_at >= now, Ticket.due_at <= now + SOON, or_(told_at.is_(None), told_at < Ticket.due_at - SOON))
    late = and_(Ticket.due_at < now, or_(told_at.is_(None), told_at < Ticket.due_at, told_at <= now - AGAIN))
    rows = await session.execute(
        select(Ticket, User.name)
        .outerjoin(User, User.id == Ticket.owner_id)
        .where(Ticket.status.in_(UNFINISHED), or_(due_soon, late))
        .order_by(Ticket.due_at, Ticket.id)
        .limit(most)
    )
    return [Reminder(ticket, owner or "", ticket.due_at < now) for ticket, owner in rows]


async def _alone(session: AsyncSession, way: str) -> bool:
    """Whether this is the only round of this way: one that a slow server holds up is not overtaken by the next."""
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended('remind:' || :way, 0))")
    return bool(await session.scalar(lock, {"way": way}))


# —— by webhook ———————————————————————————————————————————————————————


async def remind(database: Database, send: Send, public_url: str, now: datetime) -> int:
    """Send what is to be sent; returns how many tickets it names. Raises NotSent: then nothing counts as reminded."""
    async with database.session() as session:
        if not await _alone(session, "webhook"):
            return 0
        found = await _due(session, Ticket.reminded_at, now, MOST)
        if not found:
            return 0
        await send(message(found, public_url))
        for one in found:
            one.ticket.reminded_at = now  # not updated_at: nobody's form becomes stale
            session.add(TicketEvent(ticket_id=one.ticket.id, kind="reminded", detail={"why": _why(one)}, at=now))
        return len(found)


def message(found: Sequence[Reminder], public_url: str) -> dict[str, Any]:
    """A text message as WeCom and DingTalk take it, with the same as data for one's own receiver."""
    head = labels()["ticket_message"]["head"].format(count=len(found))
    lines = [head, *(_line(one, public_url) for one in found)]
    tickets = [
        {"id": one.ticket.id, "kind": one.ticket.kind, "severity": one.ticket.severity, "department": one.ticket.department,
         "owner": one.owner, "status": one.ticket.status, "due_at": one.ticket.due_at.isoformat(), "late": one.late,
         "link": _link(one.ticket, public_url)}
        for one in found
    ]  # fmt: skip
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


# —— by mail ——————————————————————————————————————————————————————————


async def remind_by_mail(database: Database, server: MailServer, public_url: str, now: datetime, *, timeout: float | None = None) -> int:
    """One round for the worker; returns how many tickets at least one colleague was told of."""
    options = {} if timeout is None else {"timeout": timeout}
    async with database.session() as session:
        if not await _alone(session, "mail"):
            return 0
        users = (await session.scalars(select(User).where(User.disabled_at.is_(None), _works(), User.email != ""))).all()
        found = await _due(session, Ticket.mailed_at, now, MOST_MAILED) if users else []
        letters = addressed(found, users)
        fates: dict[int, Fate] = {}
        try:
            if letters:
                async with courier(server, **options) as post:
                    for user in users:
                        if user.id in letters:
                            fates[user.id] = await _post(post, server.sender, user, letters[user.id], public_url)
        except NotSent as problem:  # what was sent before the line broke stays sent
            _log.warning("ticket reminders were not mailed: %s", problem)
        return _mark(session, found, letters, fates, {user.id: user.name for user in users}, now)


def addressed(found: Sequence[Reminder], users: Sequence[User]) -> dict[int, list[Reminder]]:
    """Who is told of what: the owner; of nobody's ticket the department, else the supervisors; of a late one these too."""
    letters: dict[int, list[Reminder]] = {}
    for one in found:
        ticket = one.ticket
        told = [user for user in users if user.id == ticket.owner_id]
        if not told and ticket.owner_id is None and ticket.department:
            told = [user for user in users if user.department == ticket.department]
        if not told or one.late:
            told += [user for user in users if user.role == "supervisor" and user not in told]
        for user in told:
            letters.setdefault(user.id, []).append(one)
    return letters


async def _post(post: Post, sender: str, user: User, reminders: Sequence[Reminder], public_url: str) -> Fate:
    words = labels()["ticket_message"]
    late = sum(one.late for one in reminders)
    subject = words["subject_late" if late else "subject"].format(count=len(reminders), late=late)
    lines = [words["dear"].format(name=user.name), words["head"].format(count=len(reminders)), ""]
    lines += [_line(one, public_url) for one in reminders]
    fate = await post(letter(sender, user.email, subject, "\n".join([*lines, "", words["foot"]]) + "\n"))
    if fate is not Fate.SENT:
        _log.warning("the mail of user %s: %s", user.id, fate)
    return fate


def _mark(
    session: AsyncSession, found: Sequence[Reminder], letters: Mapping[int, Sequence[Reminder]], fates: Mapping[int, Fate],
    names: Mapping[int, str], now: datetime,
) -> int:  # fmt: skip
    """A ticket is done with for now when somebody was told, or when every address was refused for good."""
    count = 0
    for one in found:
        readers = [user_id for user_id, reminders in letters.items() if one in reminders]
        told = [names[user_id] for user_id in readers if fates.get(user_id) is Fate.SENT]
        refused = [names[user_id] for user_id in readers if fates.get(user_id) is Fate.REFUSED]
        if readers and not told and len(refused) < len(readers):
            continue
        one.ticket.mailed_at = now
        if not readers:  # looked at again in a day: it must not stand in the way of others
            continue
        count += bool(told)
        detail = {"why": _why(one), "by": "mail", "to": told, "refused": refused}
        session.add(TicketEvent(ticket_id=one.ticket.id, kind="reminded", detail=detail, at=now))
    return count


def _works() -> ColumnElement[bool]:
    return User.role.in_([role for role, permissions in ROLE_PERMISSIONS.items() if Permission.WORK_TICKETS in permissions])


# —— parts ———————————————————————————————————————————————————————————


def _line(one: Reminder, public_url: str) -> str:
    ticket = one.ticket
    return labels()["ticket_message"]["line"].format(
        number=ticket.id, kind=label(ticket.kind, "ticket_kinds"), severity=label(ticket.severity, "severity"),
        department=ticket.department, owner=one.owner or labels()["ticket_owners"]["nobody"],
        due=moment(ticket.due_at), why=label(_why(one), "ticket_reminders"), link=_link(ticket, public_url),
    )  # fmt: skip


def _link(ticket: Ticket, public_url: str) -> str:
    return f"{public_url}{ticket_link(ticket.id)}"


def _why(one: Reminder) -> str:
    return "late" if one.late else "soon"
