"""One click to be left alone: the page behind a mail's 退订, and the click that mail programs make themselves (RFC 8058)."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from followup import clock
from followup.channels.optout import UnknownOptOut, contact_of, opt_out
from followup.web.keys import DATABASE, SETTINGS
from followup.web.security import notice
from followup.web.wording import load_wording


async def page(request: web.Request) -> web.Response:
    """GET /u/{token}: asks. Mail scanners open every address, so that opening it changes nothing."""
    token = request.match_info["token"]
    try:
        contact_of(request.app[SETTINGS].signing_secret(), token)
    except UnknownOptOut:
        return notice(request, "no_opt_out", 404)
    company = request.app[SETTINGS].company or load_wording().no_company
    return aiohttp_jinja2.render_template("opt_out.html", request, {"company": company, "token": token})


async def stop(request: web.Request) -> web.Response:
    """POST /u/{token}: from the page, or from the mail program's own server, which has no page and no cookie.

    Whoever has the address may do it; another site that makes a visitor send it would have to know it.
    """
    try:
        contact_id = contact_of(request.app[SETTINGS].signing_secret(), request.match_info["token"])
        async with request.app[DATABASE].session() as session:
            await opt_out(session, contact_id, clock.now())
    except UnknownOptOut:
        return notice(request, "no_opt_out", 404)
    return notice(request, "opted_out", 200)
