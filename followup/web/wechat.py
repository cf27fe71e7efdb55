"""/wechat/{account}: what WeChat sends. Written down first, then answered: passively when the turn ends soon, else later.

Whatever is wrong with a request is a 4xx. WeChat waits 5 s and then sends again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat import passive, queue
from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import Query, check, open_body
from followup.channels.wechat.parse import LARGEST_BODY, BadRequest, Incoming, read
from followup.channels.wechat.patience import Patience, Waiting
from followup.channels.wechat.receive import Received, receive
from followup.store.models import Message
from followup.web import enquiry
from followup.web.fanout import TooManyStreams
from followup.web.keys import DATABASE, FANOUT, SETTINGS, WECHAT

_log = logging.getLogger(__name__)

_LOOK_EVERY = 0.3
_LONGEST_ECHO = 128
BODY_SECONDS = 5.0
"""For the whole body to come: WeChat itself gives up then."""

PATIENCE = web.AppKey("wechat_patience", Patience)


def add_wechat(app: web.Application) -> None:
    app[PATIENCE] = Patience()
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
    except web.RequestPayloadError:  # cut off, or not compressed as it says
        request.content.feed_eof()  # else aiohttp reads on, stumbles once more and logs it as a failure of ours
        refused = web.Response(status=400)
        refused.force_close()
        return refused
    except TimeoutError:
        return web.Response(status=408)
    async with request.app[DATABASE].session() as session:
        secret = request.app[SETTINGS].signing_secret()
        taken = await receive(session, account, got, secret, clock.now(), lambda *who: _enquire(request, *who))
        if taken.case_id is not None and not taken.duplicate:
            await queue.hold(session, taken.user_id, request.app[PATIENCE].wait + 0.5)
    if taken.case_id is not None and not taken.duplicate:
        return await _answer_in_the_talk(request, account, got, taken, encrypted=query.encrypted)
    return _answer(account, got, taken.say, encrypted=query.encrypted)


async def _answer_in_the_talk(
    request: web.Request, account: Account, got: Incoming, taken: Received, *, encrypted: bool
) -> web.Response:
    """The turn's lines as the passive reply, or nothing: then they are sent by the job."""
    database, case_id = request.app[DATABASE], taken.case_id or ""
    part = None
    try:
        if taken.message_id is not None:
            with request.app[PATIENCE].waiting(last_chance=not account.may_send) as waiting:
                await _turn_ends(request, case_id, taken.message_id, waiting)
        if request.transport is not None and not request.transport.is_closing():
            async with database.session() as session:
                part = await queue.take_for_reply(session, account, taken.user_id, case_id, clock.now())
    finally:
        async with database.session() as session:
            await queue.let_go(session, taken.user_id, case_id, account.channel)
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
        async with database.session() as session:
            await queue.settle(session, part.lines, "sent" if written else "unknown", clock.now(), error=None if written else "connection")
    return response


async def _turn_ends(request: web.Request, case_id: str, message_id: int, waiting: Waiting) -> None:
    """Wait until the message was handled, its turn failed, or too long."""
    try:
        with request.app[FANOUT].bell(case_id) as bell:
            while True:
                bell.clear()
                status, tries = await _state(request, message_id)
                if status != "received":
                    return waiting.ended()
                if tries or (left := waiting.left()) <= 0:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(left, _LOOK_EVERY))
    except TooManyStreams:
        return


async def _state(request: web.Request, message_id: int) -> tuple[str, int]:
    async with request.app[DATABASE].session() as session:
        row = (await session.execute(select(Message.status, Message.tries).where(Message.id == message_id))).one_or_none()
    return (row.status, row.tries) if row is not None else ("gone", 0)


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
