"""/wechat-login/{account}: who opens a link inside WeChat's browser and presses 开始 goes there and back by WeChat.

The talk has begun by then: whatever happens on the way, /chat is where it ends.
"""

from __future__ import annotations

import logging

from aiohttp import web

from followup import clock
from followup.channels.wechat import login
from followup.channels.wechat.account import Account
from followup.web import talks
from followup.web.keys import DATABASE, SESSIONS, SETTINGS, WECHAT
from followup.web.security import content_policy, is_embedded
from followup.web.session import Session

_log = logging.getLogger(__name__)


def add_wechat_login(app: web.Application) -> None:
    app.router.add_get("/wechat-login/{account}", back, allow_head=False)


async def allow(request: web.Request, response: web.StreamResponse) -> None:
    """On a page whose form may lead to WeChat: browsers hold a form to form-action over its redirects too."""
    account = await _account_for(request)
    if account is not None:
        policy = content_policy(request.app[SETTINGS])
        response.headers["Content-Security-Policy"] = policy.replace("form-action 'self'", f"form-action 'self' {login.page_of(account)}")


async def by_wechat(request: web.Request, who: Session) -> web.Response | None:
    """The way to /chat that leads by WeChat, with the session; None where there is none, or the OpenID is known already."""
    account = await _account_for(request)
    if account is None:
        return None
    settings = request.app[SETTINGS]
    async with request.app[DATABASE].session() as session:
        if await login.is_bound(session, account, who.case_id):
            return None
        page = f"{settings.public_url}/wechat-login/{account.name}"
        address = await login.begin(session, account, settings.signing_secret(), who.case_id, page, clock.now())
    response = web.Response(status=303, headers={"Location": address})
    request.app[SESSIONS].write(response, who, embedded=False)
    return response


async def back(request: web.Request) -> web.Response:
    """GET, with `code` and `state` from WeChat."""
    try:
        await _known(request)
    except login.LoginError as error:
        _log.info("web authorisation: %s", error)
    return web.Response(status=303, headers={"Location": "/chat"})


async def _known(request: web.Request) -> None:
    """Raises LoginError."""
    account = await request.app[WECHAT].find(request.match_info["account"])
    who = request.app[SESSIONS].read(request)
    if account is None or not account.login or who is None:
        raise login.LoginError("no account, or no session")
    database, at = request.app[DATABASE], clock.now()
    async with database.straight() as connection:
        if not await talks.stands(connection, who):
            raise login.LoginError("the session was ended")
    async with database.session() as session:
        secret = request.app[SETTINGS].signing_secret()
        await login.spend_state(session, account, secret, request.query.get("state", ""), who.case_id, at)
    known = await login.ask(account, request.query.get("code", ""))
    async with database.session() as session:
        if not await login.bind(session, account, who.case_id, known, at):
            _log.info("web authorisation: the OpenID or the talk is somebody else's")


async def _account_for(request: web.Request) -> Account | None:
    """The account by which this browser can be known: WeChat's own browser, not that of 企业微信, and no frame."""
    browser = request.headers.get("User-Agent", "")
    if "MicroMessenger" not in browser or "wxwork" in browser or is_embedded(request):
        return None
    return next((account for account in await request.app[WECHAT].accounts() if account.login and account.may_send), None)
