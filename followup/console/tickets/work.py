"""What is done with a ticket. Each act is one transaction: the ticket, its history and the audit log together.

Nobody overwrites what they have not seen: a form sends back the ticket's `updated_at` that its page showed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.permissions import Staff
from followup.console.tickets import queries, revisit
from followup.console.tickets.deadlines import UNFINISHED, preset
from followup.settings import SHANGHAI
from followup.store.due import due_at
from followup.store.models import Ticket, User
from followup.store.staff_models import TicketEvent

LONGEST_TEXT = 4000
LONGEST_REASON = 500
LONGEST_DEPARTMENT = 40


class TicketError(ValueError):
    """It cannot be done. `key` names the sentence in labels.yml, group ticket_errors."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class NotFound(LookupError):
    """There is no such ticket."""


class NotAllowed(PermissionError):
    """It is somebody else's ticket."""


class TakenAway(NotAllowed):
    """It became somebody else's ticket after the page was shown."""


@dataclass(slots=True)
class Act:
    """Somebody at work on a ticket."""

    session: AsyncSession
    staff: Staff
    ticket: Ticket
    form: Mapping[str, str]
    now: datetime
    company: str = ""
    """The firm's own name (FOLLOWUP_COMPANY)."""

    def text(self, name: str, missing: str, longest: int = LONGEST_TEXT) -> str:
        """A field that must be filled in. Raises TicketError(missing)."""
        text = self.form.get(name, "").strip()[:longest]
        if not text:
            raise TicketError(missing)
        return text

    async def record(self, kind: str, **detail: Any) -> None:
        """Into the ticket's history and the audit log. The customer's words and staff's texts stay in the history."""
        ticket_id = self.ticket.id
        self.session.add(TicketEvent(ticket_id=ticket_id, user_id=self.staff.id, kind=kind, detail=detail, at=self.now))
        kept = {key: value for key, value in detail.items() if key not in ("text", "words")}
        await audit(self.session, self.staff, f"ticket.{kind}", "ticket", ticket_id, **kept)

    def changed(self) -> None:
        """The ticket has a new version, also where the clock stands still."""
        self.ticket.updated_at = max(self.now, self.ticket.updated_at + timedelta(microseconds=1))


async def act(
    session: AsyncSession, staff: Staff, ticket_id: int, name: str, form: Mapping[str, str], *, company: str = ""
) -> Ticket:
    """Do `name` (a key of ACTS) with the ticket.

    Raises NotFound, NotAllowed (TakenAway), and TicketError for what cannot be and for a ticket that changed after it was shown;
    then the caller's transaction must not be committed.
    """
    wanted = select(Ticket).where(Ticket.id == ticket_id).with_for_update().execution_options(populate_existing=True)
    ticket = (await session.scalars(wanted)).one_or_none()
    if ticket is None:
        raise NotFound
    stale = form.get("seen", "") != version(ticket)
    if not queries.may_see(staff, ticket):
        raise TakenAway if stale else NotAllowed
    if stale and name != "note":  # a note overwrites nothing
        raise TicketError("changed_meanwhile")
    doing = Act(session, staff, ticket, form, clock.now(), company)
    await ACTS[name](doing)
    if name != "note":
        doing.changed()
    return ticket


def version(ticket: Ticket) -> str:
    """What a page shows of the ticket's state, to be sent back by its forms."""
    return ticket.updated_at.astimezone(SHANGHAI).isoformat()


async def _take(act: Act) -> None:
    ticket = act.ticket
    if ticket.status not in UNFINISHED:
        raise TicketError("is_finished")
    if ticket.owner_id == act.staff.id and ticket.status == "working":
        raise TicketError("already_yours")
    before = await _name(act.session, ticket.owner_id)
    ticket.owner_id, ticket.status = act.staff.id, "working"
    await act.record("taken", before=before)


async def _release(act: Act) -> None:
    ticket = act.ticket
    if ticket.status not in UNFINISHED:
        raise TicketError("is_finished")
    before = await _name(act.session, ticket.owner_id)
    ticket.owner_id, ticket.status = None, "open"
    await act.record("released", before=before)


async def _assign(act: Act) -> None:
    ticket, chosen = act.ticket, act.form.get("owner", "")
    if ticket.status not in UNFINISHED:
        raise TicketError("is_finished")
    owner = next((user for user in await queries.workers(act.session) if str(user.id) == chosen), None)
    if owner is None:
        raise TicketError("bad_owner")
    if owner.id == ticket.owner_id:
        raise TicketError("no_change")
    before = await _name(act.session, ticket.owner_id)
    ticket.owner_id = owner.id
    await act.record("assigned", before=before, after=owner.name)


async def _change(act: Act) -> None:
    """Department, severity and due time, whichever differ; with a reason."""
    ticket, form = act.ticket, act.form
    if ticket.status not in UNFINISHED:
        raise TicketError("is_finished")
    department = act.text("department", "no_department", LONGEST_DEPARTMENT)
    if form.get("severity") not in ("1", "2", "3", "4"):
        raise TicketError("bad_severity")
    severity = int(form["severity"])
    due = _due(act, severity)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in (("department", department), ("severity", severity), ("due_at", due)):
        if value != getattr(ticket, name):
            before[name], after[name] = _plain(getattr(ticket, name)), _plain(value)
            setattr(ticket, name, value)
    if not after:
        raise TicketError("no_change")
    reason = act.text("reason", "no_reason", LONGEST_REASON)
    await act.record("changed", before=before, after=after, reason=reason)


def _due(act: Act, severity: int) -> datetime:
    name = act.form.get("due", "keep")
    if name == "keep":
        return act.ticket.due_at
    if name != "at":
        try:
            return preset(name, act.now, severity)
        except KeyError:
            raise TicketError("bad_due") from None
    try:
        at = datetime.fromisoformat(act.form.get("due_at", ""))
    except ValueError:
        raise TicketError("bad_due") from None
    if at.tzinfo is not None or not act.now.year - 1 <= at.year <= act.now.year + 5:
        raise TicketError("bad_due")
    return at.replace(tzinfo=SHANGHAI)


async def _note(act: Act) -> None:
    await act.record("noted", text=act.text("text", "no_note"))


async def _solve(act: Act) -> None:
    ticket = act.ticket
    if ticket.status not in UNFINISHED:
        raise TicketError("is_finished")
    ticket.solution = act.text("solution", "no_solution")
    ticket.status, ticket.solved_at = "solved", act.now
    ticket.owner_id = ticket.owner_id or act.staff.id
    await act.record("solved", text=ticket.solution)


async def _close(act: Act) -> None:
    """Closing a complaint starts the revisit, in the same transaction (58741)."""
    ticket = act.ticket
    if ticket.status != "solved":
        raise TicketError("not_solved")
    ticket.status, ticket.closed_at = "closed", act.now
    await act.record("closed")
    begun = await revisit.begin(act.session, ticket, act.form.get("matter", ""), act.now, act.company)
    if begun is not None:
        await act.record("revisited", result=begun.result, case=begun.case_id, first_score=begun.first_score)


async def _reopen(act: Act) -> None:
    ticket = act.ticket
    if ticket.status in UNFINISHED:
        raise TicketError("not_finished")
    reason = act.text("reason", "no_reason", LONGEST_REASON)
    before = ticket.status
    ticket.status = "working" if ticket.owner_id else "open"
    ticket.solved_at = ticket.closed_at = None
    ticket.due_at = due_at(act.now)
    await act.record("reopened", before=before, reason=reason)


ACTS: dict[str, Callable[[Act], Awaitable[None]]] = {
    "take": _take,
    "release": _release,
    "assign": _assign,
    "change": _change,
    "note": _note,
    "solve": _solve,
    "close": _close,
    "reopen": _reopen,
}


async def _name(session: AsyncSession, user_id: int | None) -> str:
    return (await session.scalar(select(User.name).where(User.id == user_id)) or "") if user_id else ""


def _plain(value: Any) -> Any:
    return value.astimezone(SHANGHAI).isoformat(timespec="minutes") if isinstance(value, datetime) else value
