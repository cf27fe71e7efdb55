"""/wecom/{account}: WeCom asks whether the address is ours, and calls when there is something to read. It is read by a job.

Whatever is wrong with a request is a 4xx.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from followup.channels.wechat.book import Book
from followup.channels.wechat.envelope import LONGEST_PARAMETER, decrypt, sign
from followup.channels.wechat.parse import LARGEST_BODY, BadRequest, read_xml
from followup.channels.wecom.account import Account
from followup.channels.wecom.book import wecom_book
from followup.channels.wecom.parse import Callback, read_callback
from followup.channels.wecom.read import called
from followup.store.database import Database
from followup.web.bodies import hang_up, status_of
from followup.web.keys import DATABASE, SETTINGS

_log = logging.getLogger(__name__)

_LONGEST_ECHO = 1024


class Calls:
    """Notes callbacks: those that come while one of the same service account is written are written together after it.

    They would wait for one another's row anyway; fifty at once are two transactions, not fifty.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[tuple[Callback, asyncio.Future[None]]]] = {}
        self._writers: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def note(self, database: Database, account: Account, callback: Callback) -> None:
        """Returns once it is committed."""
        key, noted = (account.name, callback.open_kfid), asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((callback, noted))
        if key not in self._writers:
            self._writers[key] = asyncio.create_task(self._write(database, account, key))
        await noted

    async def _write(self, database: Database, account: Account, key: tuple[str, str]) -> None:
        try:
            while batch := self._waiting.pop(key, []):
                failed: Exception | None = None
                try:
                    async with database.session() as session:
                        await called(session, account, batch[-1][0])
                except Exception as error:  # every one of them is told, and WeCom calls again
                    failed = error
                for _, noted in batch:
                    if not noted.done():
                        noted.set_result(None) if failed is None else noted.set_exception(failed)
        finally:
            del self._writers[key]


CALLS = web.AppKey("wecom_calls", Calls)
ACCOUNTS = web.AppKey("wecom_accounts", Book)


def add_wecom(app: web.Application) -> None:
    app[CALLS] = Calls()
    app.cleanup_ctx.append(_accounts)
    app.add_routes([web.get("/wecom/{account}", verify, allow_head=False), web.post("/wecom/{account}", post)])


async def verify(request: web.Request) -> web.Response:
    """GET: the echo is sent encrypted and answered in clear."""
    account = await _account(request)
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
        account = await _account(request)
        if (request.content_length or 0) > LARGEST_BODY:
            raise BadRequest("too large")
        sealed = read_xml(await request.read()).get("Encrypt", "")
        callback = read_callback(_opened(account, request, sealed).encode())
    except BadRequest as error:
        return _refusal(error)
    except web.RequestPayloadError as error:
        return hang_up(request, web.Response(status=status_of(error)))
    if callback is not None and callback.open_kfid in account.kfids:
        await request.app[CALLS].note(request.app[DATABASE], account, callback)
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


async def _account(request: web.Request) -> Account:
    account = await request.app[ACCOUNTS].find(request.match_info["account"])
    if account is None:
        raise web.HTTPNotFound
    return account


async def _accounts(app: web.Application) -> AsyncIterator[None]:
    app[ACCOUNTS] = wecom_book(app[SETTINGS].wecom, app[DATABASE], app[SETTINGS].signing_secret())
    yield


def _refusal(error: BadRequest) -> web.Response:
    _log.warning("WeCom request refused: %s", error)
    return web.Response(status=403 if error.forbidden else 400, text="")
