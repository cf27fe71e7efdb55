"""/wecom/{account}: WeCom asks whether the address is ours, and calls when there is something to read. It is read by a job.

Whatever is wrong with a request is a 4xx.
"""

from __future__ import annotations

import hmac
import logging

from aiohttp import web

from followup.channels.wechat.envelope import LONGEST_PARAMETER, decrypt, sign
from followup.channels.wechat.parse import LARGEST_BODY, BadRequest, read_xml
from followup.channels.wecom.account import Account
from followup.channels.wecom.parse import read_callback
from followup.channels.wecom.read import called
from followup.web.keys import DATABASE, SETTINGS

_log = logging.getLogger(__name__)

_LONGEST_ECHO = 1024


def add_wecom(app: web.Application) -> None:
    app.add_routes([web.get("/wecom/{account}", verify, allow_head=False), web.post("/wecom/{account}", post)])


async def verify(request: web.Request) -> web.Response:
    """GET: the echo is sent encrypted and answered in clear."""
    account = _account(request)
    try:
        echo = request.query.get("echostr", "")
        if not 0 < len(echo) <= _LONGEST_ECHO or not echo.isascii():
            raise BadRequest("echostr")
        said = _opened(account, request, echo)
    except BadRequest as error:
        return _refusal(error)
    return web.Response(text=said)


async def post(request: web.Request) -> web.Response:
    """POST: there is something to read. Written down, then acknowledged."""
    try:
        account = _account(request)
        if (request.content_length or 0) > LARGEST_BODY:
            raise BadRequest("too large")
        sealed = read_xml(await request.read()).get("Encrypt", "")
        callback = read_callback(_opened(account, request, sealed).encode())
    except BadRequest as error:
        return _refusal(error)
    except web.RequestPayloadError:  # cut off, or not compressed as it says
        return web.Response(status=400)
    if callback is not None and callback.open_kfid in account.kfids:
        async with request.app[DATABASE].session() as session:
            await called(session, account, callback)
    return web.Response(text="success")


def _opened(account: Account, request: web.Request, sealed: str) -> str:
    """What is encrypted, decrypted. Raises BadRequest unless it is signed with the account's token and for the corporation."""
    stamp, nonce = request.query.get("timestamp", ""), request.query.get("nonce", "")
    if max(len(stamp), len(nonce)) > LONGEST_PARAMETER:
        raise BadRequest("parameter too long")
    if not _same(sign(account.token, stamp, nonce, sealed), request.query.get("msg_signature", "")):
        raise BadRequest("signature", forbidden=True)
    return decrypt(account.sealed, sealed)


def _same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass"))


def _account(request: web.Request) -> Account:
    for account in request.app[SETTINGS].wecom:
        if account.name == request.match_info["account"]:
            return account
    raise web.HTTPNotFound


def _refusal(error: BadRequest) -> web.Response:
    _log.warning("WeCom request refused: %s", error)
    return web.Response(status=403 if error.forbidden else 400, text="")
