"""Tickets: the list, the board, one ticket and its acts, the revisit's link, the printed forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.forms import field, object_id
from followup.console.labels import labels
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, sentence, settings, staff
from followup.console.permissions import Permission, Staff, needs
from followup.console.tickets import papers, queries, revisit, work
from followup.console.tickets.deadlines import PRESETS, UNFINISHED, is_due_soon, is_overdue
from followup.console.tickets.filters import MINE, NOBODY, STATUSES, TICKETS, TicketFilters, read_filters, ticket_link
from followup.console.transcripts.masking import Mask, NoMask, name_of, phone_of
from followup.store.models import Ticket

_BOARD = f"{TICKETS}/board"
_TAKEN_AWAY = "taken_away"
_FIELDS = {
    "seen": 40, "owner": 20, "department": 40, "severity": 2, "due": 10, "due_at": 20,
    "reason": work.LONGEST_REASON, "text": work.LONGEST_TEXT, "solution": work.LONGEST_TEXT, "matter": revisit.LONGEST_MATTER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket as this person may see it."""

    ticket: Ticket
    link: str
    seen: str
    customer: str
    phone: str
    words: list[str]
    owner: str
    overdue: bool
    soon: bool
    is_demo: bool
    mask: Mask

    @property
    def words_in_short(self) -> str:
        text = "；".join(self.words)
        return text if len(text) <= 120 else text[:119] + "…"

    @property
    def unfinished(self) -> bool:
        return self.ticket.status in UNFINISHED


def shown(row: queries.TicketRow, person: Staff) -> Shown:
    """Masked unless the person may see names and numbers."""
    personal, ticket, contact = person.may(Permission.SEE_PERSONAL), row.ticket, row.contact
    mask = NoMask() if personal else Mask([contact.name, contact.phone or ""])
    now = clock.now()
    return Shown(
        ticket=ticket,
        link=ticket_link(ticket.id),
        seen=work.version(ticket),
        customer=f"{contact.name if personal else name_of(contact.name)}{contact.title}" or "没有留下姓名",
        phone=(contact.phone or "") if personal else phone_of(contact.phone),
        words=[mask(str(word.get("text", ""))) for word in ticket.words if word.get("text")],
        owner=row.owner,
        overdue=is_overdue(ticket.status, ticket.due_at, now),
        soon=is_due_soon(ticket.status, ticket.due_at, now),
        is_demo=row.case.is_demo,
        mask=mask,
    )


# —— list and board ————————————————————————————————————————————————————


@needs(Permission.READ_TICKETS)
async def tickets_page(request: web.Request) -> web.Response:
    """GET /console/tickets?…: the filters are those of `filters.TicketFilters`."""
    filters, person = read_filters(request.query), staff(request)
    async with database(request).session() as session:
        rows, total = await queries.page_of_tickets(session, person, filters, page_number(request), clock.now())
        common = await _around(session, person, filters)
    return page(
        request, "tickets/list.html", tickets=page_of(request, [shown(row, person) for row in rows], total), **common
    )


@needs(Permission.READ_TICKETS)
async def board_page(request: web.Request) -> web.Response:
    """GET /console/tickets/board?…"""
    return await _board(request)


async def _board(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    filters, person = read_filters(request.query), staff(request)
    async with database(request).session() as session:
        columns = await queries.board(session, person, filters, clock.now())
        common = await _around(session, person, filters)
    ready = [(name, [shown(row, person) for row in rows], count) for name, (rows, count) in columns.items()]
    return page(request, "tickets/board.html", status=status, columns=ready, error=error, **common)


async def _around(session: AsyncSession, person: Staff, filters: TicketFilters) -> dict[str, object]:
    owners = [*labels()["ticket_owners"].items(), *((str(user.id), user.name) for user in await queries.workers(session))]
    return {
        "filters": filters,
        "counts": await queries.counts(session, person, clock.now()),
        "departments": [(name, name) for name in await queries.departments(session)],
        "owners": owners,
        "MINE": MINE,
        "NOBODY": NOBODY,
    }


@needs(Permission.WORK_TICKETS)
async def move(request: web.Request) -> web.Response:
    """POST /console/tickets/{id}/move: dragged into the column `to`, or one of the card's buttons.

    What needs words (a solution, a reason) leads to the ticket's own form. htmx gets the board's new state.
    """
    ticket_id, to = object_id(request), await field(request, "to")
    if to not in STATUSES:
        raise web.HTTPNotFound
    async with database(request).session() as session:
        row = await queries.one(session, ticket_id)
    if row is None:
        raise web.HTTPNotFound
    sent = await field(request, "seen")
    if sent != work.version(row.ticket):
        error = "changed_meanwhile" if queries.may_see(staff(request), row.ticket) else _TAKEN_AWAY
        return await _board(request, error=sentence("ticket_errors", error), status=409)
    if not queries.may_see(staff(request), row.ticket):
        raise web.HTTPForbidden
    before = row.ticket.status
    name = {"open": "release", "working": "take", "solved": "solve", "closed": "close"}[to]
    if before not in UNFINISHED and to in UNFINISHED:
        return _to(request, ticket_link(ticket_id, "reopen"))
    if before in UNFINISHED and to not in UNFINISHED:
        return _to(request, ticket_link(ticket_id, "solve"))
    if to == before or before == "closed":
        return await _board(request, error="" if to == before else sentence("ticket_errors", "is_finished"))
    if error := await _acted(request, ticket_id, name, {"seen": sent}):
        return await _board(request, error=sentence("ticket_errors", error), status=_status(error))
    if "HX-Request" in request.headers:
        return await _board(request)
    return see(read_filters(request.query).link(_BOARD))


# —— one ticket ——————————————————————————————————————————————————————


@needs(Permission.READ_TICKETS)
async def ticket_page(request: web.Request) -> web.Response:
    """GET /console/tickets/{id}"""
    return await _ticket(request)


async def _ticket(
    request: web.Request,
    *,
    error: str = "",
    about: str = "",
    draft: Mapping[str, str] | None = None,
    link: str = "",
    status: int = 200,
) -> web.Response:
    """`about`: the act that `error` is about; `draft`: what its form held, so that nothing written is lost."""
    person = staff(request)
    async with database(request).session() as session:
        row = await _row(session, person, object_id(request))
        events = await queries.events(session, row.ticket.id)
        again = await revisit.view(session, row.ticket)
        workers, departments = await queries.workers(session), await queries.departments(session)
    return page(
        request,
        "tickets/ticket.html",
        status=status,
        one=shown(row, person),
        case=row.case,
        events=events,
        revisit=again,
        matter=revisit.matter_of(row.ticket),
        needs_revisit=row.ticket.kind in revisit.KINDS,
        workers=_choices(workers),
        departments=departments,
        works=person.may(Permission.WORK_TICKETS),
        error=error,
        about=about,
        draft=draft or {},
        link=link,
        presets=[(name, labels()["ticket_deadlines"][name]) for name in PRESETS],
        papers=papers.names(),
    )


def _choices(workers: Sequence[queries.User]) -> list[tuple[str, str]]:
    return [(str(user.id), f"{user.name}（{user.department}）" if user.department else user.name) for user in workers]


async def _row(session: AsyncSession, person: Staff, ticket_id: int) -> queries.TicketRow:
    row = await queries.one(session, ticket_id)
    if row is None:
        raise web.HTTPNotFound
    if not queries.may_see(person, row.ticket):
        raise web.HTTPForbidden
    return row


@needs(Permission.WORK_TICKETS)
async def do(request: web.Request) -> web.Response:
    """POST /console/tickets/{id}/{act}: a key of `work.ACTS`."""
    ticket_id, name = object_id(request), request.match_info["act"]
    form = {key: await field(request, key, longest=longest) for key, longest in _FIELDS.items()}
    if error := await _acted(request, ticket_id, name, form):
        if error == _TAKEN_AWAY:
            return page(request, "tickets/taken_away.html", status=409, ticket_id=ticket_id, written=_written(form))
        text = sentence("ticket_errors", error)
        return await _ticket(request, error=text, about=name, draft=form, status=_status(error))
    if name in ("release", "assign", "change"):
        async with database(request).session() as session:
            row = await queries.one(session, ticket_id)
        if row is None or not queries.may_see(staff(request), row.ticket):
            return see(TICKETS)  # given away: it is no longer this person's
    return see(ticket_link(ticket_id, "history" if name == "note" else ""))


async def _acted(request: web.Request, ticket_id: int, name: str, form: Mapping[str, str]) -> str:
    """Do it; returns the key of what is wrong, empty when it is done."""
    try:
        async with database(request).session() as session:
            await work.act(session, staff(request), ticket_id, name, form, company=settings(request).company)
    except work.TicketError as error:
        return error.key
    except work.TakenAway:
        return _TAKEN_AWAY
    except work.NotFound:
        raise web.HTTPNotFound from None
    except work.NotAllowed:
        raise web.HTTPForbidden from None
    return ""


@needs(Permission.WORK_TICKETS)
async def revisit_link(request: web.Request) -> web.Response:
    """POST /console/tickets/{id}/revisit-link: a link to the revisit, shown once on the answer's page."""
    async with database(request).session() as session:
        row = await _row(session, staff(request), object_id(request))
        token = await revisit.new_link(session, row.ticket)
        if token is not None:
            await audit(session, staff(request), "ticket.link", "ticket", row.ticket.id, case=row.ticket.revisit_case_id)
    if token is None:
        text = sentence("ticket_errors", "no_link")
        return await _ticket(request, error=text, about="revisit", status=409)
    return await _ticket(request, link=settings(request).link(token))


# —— printed forms ———————————————————————————————————————————————————————


@needs(Permission.READ_TICKETS)
async def print_ticket(request: web.Request) -> web.Response:
    """GET /console/tickets/{id}/print/{paper}: the form as a page to print, or to save as PDF."""
    paper, ticket_id = await _paper(request, "print")
    return page(request, "tickets/print.html", paper=paper, ticket_id=ticket_id)


@needs(Permission.READ_TICKETS)
async def ticket_docx(request: web.Request) -> web.Response:
    """GET /console/tickets/{id}/{paper}.docx"""
    paper, ticket_id = await _paper(request, "docx")
    headers = {
        "Content-Type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "Content-Disposition": f'attachment; filename="ticket-{ticket_id}-{request.match_info["paper"]}.docx"',
    }
    return web.Response(body=papers.as_docx(paper), headers=headers)


async def _paper(request: web.Request, kind: str) -> tuple[papers.Paper, int]:
    person, name = staff(request), request.match_info["paper"]
    async with database(request).session() as session:
        row = await _row(session, person, object_id(request))
        one = shown(row, person)
        events = await queries.events(session, row.ticket.id)
        again = await revisit.view(session, row.ticket)
        # Names and words leave the console with it.
        await audit(session, person, "ticket.export", "ticket", row.ticket.id, format=f"{name}.{kind}")
    facts = papers.facts(
        ticket=row.ticket, case=row.case, customer=one.customer, phone=one.phone, words=one.words,
        owner=one.owner, events=events, revisit=again, mask=one.mask,
    )  # fmt: skip
    return papers.paper(name, facts), row.ticket.id


def _to(request: web.Request, path: str) -> web.Response:
    """There; htmx, which would put the other page into a part of this one, is told to go itself."""
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Redirect": path})
    return see(path)


def _written(form: Mapping[str, str]) -> str:
    """What somebody wrote into the form, to be copied."""
    return form["solution"] or form["text"] or form["reason"]


def _status(error: str) -> int:
    return 409 if error in ("changed_meanwhile", _TAKEN_AWAY) else 400


routes = [
    web.get("/tickets", tickets_page),
    web.get("/tickets/board", board_page),
    web.get(r"/tickets/{id:\d+}", ticket_page),
    web.post(r"/tickets/{id:\d+}/move", move),
    web.post(rf"/tickets/{{id:\d+}}/{{act:{'|'.join(work.ACTS)}}}", do),
    web.post(r"/tickets/{id:\d+}/revisit-link", revisit_link),
    web.get(rf"/tickets/{{id:\d+}}/print/{{paper:{'|'.join(papers.NAMES)}}}", print_ticket),
    web.get(rf"/tickets/{{id:\d+}}/{{paper:{'|'.join(papers.NAMES)}}}.docx", ticket_docx),
]
