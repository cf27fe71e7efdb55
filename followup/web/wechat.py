"""/wechat/{account}: what WeChat sends. Written down first, then answered: passively when the turn ends soon, else later.

Whatever is wrong with a request is a 4xx. WeChat waits 5 s and then sends again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat import outbox, passive, queue
from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import Query, check, open_body
from followup.channels.wechat.parse import LARGEST_BODY, BadRequest, Incoming, read
from followup.channels.wechat.patience import Patience
from followup.channels.wechat.receive import Received, receive
from followup.web import enquiry
from followup.web.bodies import hang_up, status_of
from followup.web.keys import DATABASE, FANOUT, SETTINGS, WECHAT
from followup.web.wechat_turns import TURNS, Turns

_log = logging.getLogger(__name__)

_LONGEST_ECHO = 128
BODY_SECONDS = 5.0
"""For the whole body to come: WeChat itself gives up then."""

PATIENCE = web.AppKey("wechat_patience", Patience)
WRITERS = web.AppKey("wechat_writers", asyncio.Semaphore)
MOST_WRITERS = 6
"""A crowd does not take all connections: those beyond the pool's would be opened and closed for each message."""


def add_wechat(app: web.Application) -> None:
    app[PATIENCE], app[WRITERS] = Patience(), asyncio.Semaphore(MOST_WRITERS)
    app.cleanup_ctx.append(_turns)
    app.add_routes([web.get("/wechat/{account}", verify, allow_head=False), web.post("/wechat/{account}", post)])


async def verify(request: web.Request) -> web.Response:
    """GET: WeChat asks whether the address is ours."""
    try:
        query = _query(request)
        check(await _account(request), query)
        if not 0 < len(query.echostr) <= _LONGEST_ECHO or not query.echostr.isascii():
            raise BadRequest("echostr")
    except BadRequest as error:
        return _refusal(error)
    return web.Response(text=query.echostr)


async def post(request: web.Request) -> web.Response:
    """POST: a message or an event."""
    try:
        account, query = await _account(request), _query(request)
        check(account, query)
        if (request.content_length or 0) > LARGEST_BODY:
            raise BadRequest("too large")
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
        got = read(open_body(account, query, body))
    except BadRequest as error:
        return _refusal(error)
    except web.RequestPayloadError as error:
        return hang_up(request, web.Response(status=status_of(error)))
    except TimeoutError:
        return web.Response(status=408)
    return await _take(request, account, got, encrypted=query.encrypted)


async def _take(request: web.Request, account: Account, got: Incoming, *, encrypted: bool) -> web.Response:
    """Written down, then answered: at once where no turn is to be expected soon."""
    patience = request.app[PATIENCE]
    waiting = patience.waiting(last_chance=not account.may_send)
    hold = patience.wait + 0.5 if waiting.left() > 0 else 0.0
    async with request.app[WRITERS], request.app[DATABASE].session() as session:
        secret = request.app[SETTINGS].signing_secret()
        taken = await receive(session, account, got, secret, clock.now(), lambda *who: _enquire(request, *who), hold=hold)
    if taken.case_id is None or taken.duplicate:
        return _answer(account, got, taken.say, encrypted=encrypted)
    if taken.message_id is not None:
        try:
            await request.app[TURNS].wait(taken.case_id, taken.message_id, waiting)
        except asyncio.CancelledError:
            await _let_go(request, account, taken)
            raise
        if not taken.held and account.may_send:
            return _answer(account, got, "", encrypted=encrypted)
    return await _answer_in_the_talk(request, account, got, taken, encrypted=encrypted)


async def _answer_in_the_talk(
    request: web.Request, account: Account, got: Incoming, taken: Received, *, encrypted: bool
) -> web.Response:
    """The turn's lines as the passive reply, or nothing: then they are sent by the job."""
    database, case_id = request.app[DATABASE], taken.case_id or ""
    if request.transport is None or request.transport.is_closing():
        await _let_go(request, account, taken)
        return _answer(account, got, "", encrypted=encrypted)
    try:
        async with database.session() as session:
            part = await queue.take_for_reply(session, account, taken.user_id, case_id, got.key, clock.now())
    except BaseException:
        await _let_go(request, account, taken)
        raise
    if part is None:
        return _answer(account, got, "", encrypted=encrypted)
    response = _answer(account, got, part.text, encrypted=encrypted)
    written = False
    try:
        await response.prepare(request)
        await response.write_eof()
        written = True
    except OSError:
        _log.warning("a passive reply could not be written")
    finally:
        error = queue.passive_mark(got.key) if written else "connection"
        await outbox.settle(database, part.lines, "sent" if written else "unknown", clock.now(), error=error)
    return response


async def _let_go(request: web.Request, account: Account, taken: Received) -> None:
    async with request.app[DATABASE].session() as session:
        await queue.let_go(session, taken.user_id, taken.case_id or "", account.channel)


async def _turns(app: web.Application) -> AsyncIterator[None]:
    app[TURNS] = Turns(app[DATABASE], app[FANOUT], app[PATIENCE])
    yield
    await app[TURNS].close()


async def _enquire(request: web.Request, session: AsyncSession, contact_id: int | None, channel: str) -> str | None:
    settings = request.app[SETTINGS]
    script = enquiry.open_script(settings)
    return None if script is None else await enquiry.begin_case(session, script, settings, contact_id, channel)


async def _account(request: web.Request) -> Account:
    account = await request.app[WECHAT].find(request.match_info["account"])
    if account is None:
        raise web.HTTPNotFound
    return account


def _query(request: web.Request) -> Query:
    asked = request.query
    return Query(
        asked.get("signature", ""),
        asked.get("timestamp", ""),
        asked.get("nonce", ""),
        asked.get("echostr", ""),
        asked.get("msg_signature", ""),
        asked.get("encrypt_type", "") == "aes",
    )


def _answer(account: Account, got: Incoming, said: str, *, encrypted: bool) -> web.Response:
    if not said:
        return web.Response(text=passive.NOTHING)
    return web.Response(text=passive.reply(account, got, said, encrypted=encrypted), content_type="application/xml")


def _refusal(error: BadRequest) -> web.Response:
    _log.warning("WeChat request refused: %s", error)
    return web.Response(status=403 if error.forbidden else 400, text="")
