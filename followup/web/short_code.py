"""The fixed address of a short message: the customer types the code, and the talk begins."""

from __future__ import annotations

import math

import aiohttp_jinja2
from aiohttp import web

from followup.channels.codes import LENGTH, as_typed, resolve_code
from followup.talk import links
from followup.web import bodies, wechat_login
from followup.web.keys import CODES, DATABASE, SETTINGS
from followup.web.landing import begin, is_embedded, to_chat
from followup.web.security import address_of, is_from_our_page, notice
from followup.web.wording import load_wording


async def page(request: web.Request) -> web.Response:
    """GET /s"""
    response = _form(request)
    await wechat_login.allow(request, response)
    return response


async def start(request: web.Request) -> web.Response:
    """POST /s: typing the code is what pressing 开始 is on the page of a link."""
    if not is_from_our_page(request):
        return notice(request, "foreign", 403)
    typed = (await bodies.form(request)).get("code", "")
    typed = typed if isinstance(typed, str) else ""
    code, address = as_typed(typed), address_of(request)
    codes, database = request.app[CODES], request.app[DATABASE]
    if wait := await codes.wait_for(database, address, code or "none"):
        answer = _form(request, typed, "too_many", 429, minutes=math.ceil(wait / 60))
        answer.headers["Retry-After"] = str(wait)
        return answer
    try:
        if code is None:
            raise links.UnknownLink
        async with database.session() as session:
            case_id = await resolve_code(session, request.app[SETTINGS].signing_secret(), code)
            who = await begin(session, case_id)
            await codes.succeeded(session, address)
    except links.LinkError as error:
        why = "expired" if isinstance(error, links.ExpiredLink) else "revoked" if isinstance(error, links.RevokedLink) else "wrong"
        return _form(request, typed, why, 410 if why != "wrong" else 404)
    return await wechat_login.by_wechat(request, who) or to_chat(request, who)


def _form(request: web.Request, typed: str = "", why: str = "", status: int = 200, **words: object) -> web.Response:
    said = load_wording().codes[why].format(**words) if why else ""
    company = request.app[SETTINGS].company or load_wording().no_company
    shown = {"company": company, "typed": typed[: 2 * LENGTH], "said": said, "embedded": is_embedded(request)}
    return aiohttp_jinja2.render_template("code.html", request, shown, status=status)
