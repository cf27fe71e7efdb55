"""The page a link opens, and the click that begins the talk.

Opening the link changes nothing: message apps and mail scanners open links by themselves to show a preview.
"""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.talk import links
from followup.talk.inbox import Trigger, accept
from followup.web import talks, wechat_login
from followup.web.keys import DATABASE, SESSIONS
from followup.web.security import is_embedded, is_from_our_page, notice
from followup.web.session import Session
from followup.web.wording import load_wording

CHANNEL = "web"
_LONGEST_TOKEN = 200


async def landing(request: web.Request) -> web.Response:
    """GET /c/{token}"""
    token = request.match_info["token"]
    try:
        async with request.app[DATABASE].session() as session:
            talk = await talks.standing(session, await _case_of(session, token))
    except links.LinkError as error:
        return no_talk(request, error)
    response = aiohttp_jinja2.render_template(
        "landing.html",
        request,
        {
            "company": talk.company or load_wording().no_company,
            "stage": "ended" if talk.ended else "begun" if talk.started else "new",
            "token": token,
            "embedded": is_embedded(request),
        },
    )
    await wechat_login.allow(request, response)
    return response


async def start(request: web.Request) -> web.Response:
    """POST /c/{token}/start: the talk begins, or goes on, and the browser gets its session."""
    if not is_from_our_page(request):
        return notice(request, "foreign", 403)
    try:
        async with request.app[DATABASE].session() as session:
            who = await begin(session, await _case_of(session, request.match_info["token"]))
    except links.LinkError as error:
        return no_talk(request, error)
    return await wechat_login.by_wechat(request, who) or to_chat(request, who)


async def begin(session: AsyncSession, case_id: str) -> Session:
    """The talk begins, or goes on."""
    began = await accept(session, case_id, CHANNEL, "start", Trigger.START.value, direction="system")
    if began.duplicate:
        await _welcome_back(session, case_id)
    return await talks.begin(session, case_id)


def to_chat(request: web.Request, who: Session) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/chat"})
    request.app[SESSIONS].write(response, who, embedded=is_embedded(request))
    return response


async def _case_of(session: AsyncSession, token: str) -> str:
    if len(token) > _LONGEST_TOKEN:
        raise links.UnknownLink
    return await links.resolve(session, token)


async def _welcome_back(session: AsyncSession, case_id: str) -> None:
    talk = await talks.standing(session, case_id)
    if talk.waits:
        # The last message's id makes two clicks at once one return, and a later return another one.
        key = f"return-{talk.last_message_id}"
        await accept(session, case_id, CHANNEL, key, Trigger.RESUME.value, direction="system")


def no_talk(request: web.Request, error: links.LinkError) -> web.Response:
    if isinstance(error, links.ExpiredLink):
        return notice(request, "expired", 410)
    if isinstance(error, links.RevokedLink):
        return notice(request, "revoked", 410)
    return notice(request, "unknown", 404)
