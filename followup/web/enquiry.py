"""The public way in for customers nobody invited: a page to begin on, and a talk that they lead.

Who comes with the session of a talk of their own is led to that talk; whoever else comes is a visitor, of whom nothing is
known and to whom nothing is shown, whatever they say of themselves (docs/decisions/0007).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.scripts import load
from followup.scripts.model import Script
from followup.settings import Settings
from followup.store import records
from followup.store.models import Case, Contact
from followup.talk import links
from followup.talk.inbox import Trigger, accept
from followup.talk.visitor import begin_as_visitor, prepared
from followup.web import talks
from followup.web.keys import DATABASE, ENQUIRIES, SESSIONS, SETTINGS
from followup.web.landing import CHANNEL, is_embedded
from followup.web.security import address_of, is_from_our_page, notice
from followup.web.session import LIFETIME_SECONDS, Session
from followup.web.wording import load_wording

_log = logging.getLogger(__name__)
_LIVE = ("new", "open", "waiting")


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose browser this is, when it came by a link of its own before."""

    contact_id: int


async def page(request: web.Request) -> web.Response:
    """GET /ask: changes nothing, whoever or whatever opens it."""
    script = open_script(request.app[SETTINGS])
    if script is None:
        return notice(request, "no_enquiries", 404)
    async with request.app[DATABASE].session() as session:
        if await _live_talk(session, request) is not None:
            return _to_chat()
    return aiohttp_jinja2.render_template(
        "ask.html",
        request,
        {"company": _company(script, request.app[SETTINGS]), "embedded": is_embedded(request)},
    )


async def start(request: web.Request) -> web.Response:
    """POST /ask: the visitor's own talk goes on, or a new one begins."""
    if not is_from_our_page(request):
        return notice(request, "foreign", 403)
    script = open_script(request.app[SETTINGS])
    if script is None:
        return notice(request, "no_enquiries", 404)
    async with request.app[DATABASE].session() as session:
        if await _live_talk(session, request) is not None:
            return _to_chat()
        if wait := request.app[ENQUIRIES].wait_for(address_of(request)):
            answer = notice(request, "too_many_enquiries", 429)
            answer.headers["Retry-After"] = str(wait)
            return answer
        who = await _begin(session, script, request.app[SETTINGS], await _known(session, request))
    response = _to_chat()
    request.app[SESSIONS].write(response, who, embedded=is_embedded(request))
    return response


async def _begin(session: AsyncSession, script: Script, settings: Settings, known: _Known | None) -> Session:
    case_id = await begin_case(session, script, settings, known.contact_id if known is not None else None, CHANNEL)
    # Nobody gets this token: a session stands on a link, and staff end it by taking the link back.
    await links.create_link(
        session, case_id, valid_for=timedelta(seconds=LIFETIME_SECONDS), asked_for_by_customer=True
    )
    return await talks.begin(session, case_id)


async def begin_case(session: AsyncSession, script: Script, settings: Settings, contact_id: int | None, channel: str) -> str:
    """A new enquiry of the customer, or of a visitor nobody knows; its opening is on the way."""
    variables = {**script.demo_variables(), "company": _company(script, settings)}
    if contact_id is None:
        return await begin_as_visitor(session, prepared(script.id), variables, load_wording().visitor, channel)
    variables["known"] = "yes"
    revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
    case_id = await records.create_case(session, contact_id, revision, variables)
    await accept(session, case_id, channel, "start", Trigger.START.value, direction="system")
    return case_id


def beginner(settings: Settings) -> Callable[[AsyncSession, int | None, str], Awaitable[str | None]]:
    """For channels: begins an enquiry of (the contact if known, channel); None when the entry is closed."""

    async def begin(session: AsyncSession, contact_id: int | None, channel: str) -> str | None:
        script = open_script(settings)
        return None if script is None else await begin_case(session, script, settings, contact_id, channel)

    return begin


async def _live_talk(session: AsyncSession, request: web.Request) -> str | None:
    """The talk of this browser that is not over, if it has one."""
    case = await _own_case(session, request)
    return case.id if case is not None and case.status in _LIVE else None


async def _known(session: AsyncSession, request: web.Request) -> _Known | None:
    """The customer who came by a link with this browser, unless they want nothing more from us."""
    case = await _own_case(session, request)
    if case is None:
        return None
    contact = await session.get_one(Contact, case.contact_id)
    if contact.is_anonymous or await records.is_blocked(session, contact.id):
        return None
    return _Known(contact.id)


async def _own_case(session: AsyncSession, request: web.Request) -> Case | None:
    who = request.app[SESSIONS].read(request)
    if who is None:
        return None
    async with request.app[DATABASE].straight() as connection:
        if not await talks.stands(connection, who):
            return None
    return await session.get(Case, who.case_id)


def open_script(settings: Settings) -> Script | None:
    """The script that answers, as it is in force now; None when the entry is closed."""
    if settings.enquiry_script is None:
        return None
    try:
        script = prepared(settings.enquiry_script).script
    except load.UnknownScript:
        _log.error("FOLLOWUP_ENQUIRIES names no script")
        return None
    if not script.customer_led:
        _log.error("the script of FOLLOWUP_ENQUIRIES lacks `starts: customer`")
        return None
    return script


def _company(script: Script, settings: Settings) -> str:
    return settings.company or str(script.demo_variables().get("company") or load_wording().no_company)


def _to_chat() -> web.Response:
    return web.Response(status=303, headers={"Location": "/chat"})
