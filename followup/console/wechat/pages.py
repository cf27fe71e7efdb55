"""The accounts 公众号: the list, one of them, adding, changing, checking, stopping and removing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat.account import API
from followup.channels.wechat.seal import seal
from followup.channels.wechat.template import Notices, as_json
from followup.console.audit import audit
from followup.console.forms import field, number
from followup.console.labels import label
from followup.console.parts import database, page, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.wechat import acts, delivery_pages, menu_pages, wecom_pages
from followup.console.wechat.accounts import Shown, all_accounts, one_account
from followup.console.wechat.checks import Row, check
from followup.console.wechat.form import Entered, blank, changes, entered_of, notices_of, wrong
from followup.store.wechat_account_models import WechatAccount, WechatMenu
from followup.store.wechat_models import WechatToken

WECHAT = "/console/wechat"
NAMED = r"{name:[a-z][a-z0-9]*}"
_FIELDS = {
    "title": 100, "kind": 40, "app_id": 64, "secret": 128, "token": 64, "aes_key": 100, "mode": 20, "api": 200,
    "template": 100, "template_fields": 2000, "subscribe": 100, "subscribe_fields": 2000,
}  # fmt: skip


@needs(Permission.READ_UNDELIVERED)
async def accounts_page(request: web.Request) -> web.Response:
    """GET /console/wechat: who may not see accounts is led to the messages that did not arrive."""
    if not staff(request).may(Permission.READ_WECHAT):
        return see(f"{WECHAT}/undelivered")
    async with database(request).session() as session:
        accounts = await all_accounts(session, settings(request))
    return page(request, "wechat/accounts.html", accounts=accounts)


@needs(Permission.READ_WECHAT)
async def account_page(request: web.Request) -> web.Response:
    """GET /console/wechat/accounts/{name}"""
    return await _account(request, await _shown(request))


async def _account(
    request: web.Request,
    shown: Shown,
    *,
    status: int = 200,
    entered: Entered | None = None,
    errors: dict[str, str] | None = None,
    rows: list[Row] | None = None,
    error: str = "",
) -> web.Response:
    return page(
        request,
        "wechat/account.html",
        status=status,
        account=shown,
        address=shown.address(settings(request).public_url),
        entered=entered or entered_of(shown),
        errors=errors or {},
        rows=rows,
        error=error,
        API=API,
    )


async def _shown(request: web.Request) -> Shown:
    async with database(request).session() as session:
        return await _found(session, request)


async def _found(session: AsyncSession, request: web.Request, *, own: bool = False) -> Shown:
    """The account of the path; `own`: one of the console, its row locked."""
    shown = await one_account(session, settings(request), request.match_info["name"], lock=own)
    if shown is None or (own and shown.from_environment):
        raise web.HTTPNotFound
    return shown


# —— adding and changing ————————————————————————————————————————————————


@needs(Permission.MANAGE_WECHAT)
async def new_page(request: web.Request) -> web.Response:
    """GET /console/wechat/new"""
    return _new(request, blank())


def _new(request: web.Request, entered: Entered, errors: dict[str, str] | None = None) -> web.Response:
    return page(request, "wechat/new.html", status=400 if errors else 200, entered=entered, errors=errors or {}, API=API)


@needs(Permission.MANAGE_WECHAT)
async def add(request: web.Request) -> web.Response:
    """POST /console/wechat/new"""
    entered = replace(await _read(request), name=await field(request, "name", longest=40))
    if made := await acts.made_anew(request, entered):
        return _new(request, made)
    if errors := wrong(entered, None):
        return _new(request, entered, errors)
    values = _columns(entered, "", settings(request).signing_secret(), notices_of(entered, Notices()))
    taken = entered.name in {account.name for account in settings(request).wechat}
    try:
        async with database(request).session() as session:
            if not taken:
                session.add(WechatAccount(name=entered.name, created_at=clock.now(), **values))
                await session.flush()
                await audit(session, staff(request), "wechat.create", "wechat", entered.name, name=entered.title)
    except IntegrityError:
        taken = True
    if taken:
        return _new(request, entered, {"name": sentence("wechat_errors", "name_taken")})
    return see(f"{WECHAT}/accounts/{entered.name}")


@needs(Permission.MANAGE_WECHAT)
async def change(request: web.Request) -> web.Response:
    """POST /console/wechat/accounts/{name}"""
    entered, seen = await _read(request), number(await field(request, "seen", longest=20), 0, least=0)
    async with database(request).session() as session:
        shown = await _found(session, request, own=True)
        entered = replace(entered, name=shown.name)
        if made := await acts.made_anew(request, entered):
            return await _account(request, shown, entered=made)
        if shown.row is None or seen != shown.row.version:
            return await _account(request, shown, status=409, error=sentence("wechat_errors", "changed"))
        if errors := wrong(entered, shown):
            return await _account(request, shown, status=400, entered=entered, errors=errors)
        changed = changes(entered, shown)
        notices = notices_of(entered, shown.account.notices)
        for column, value in _columns(entered, shown.account.secret, settings(request).signing_secret(), notices).items():
            setattr(shown.row, column, value)
        shown.row.version += 1
        if {"app_id", "secret", "api"} & set(changed):
            await session.execute(delete(WechatToken).where(WechatToken.account == shown.name))  # it is another's
        await audit(session, staff(request), "wechat.change", "wechat", shown.name, fields=[label(one, "wechat_fields") for one in changed])
    return see(f"{WECHAT}/accounts/{entered.name}")


async def _read(request: web.Request) -> Entered:
    given: dict[str, Any] = {name: await field(request, name, longest=most) for name, most in _FIELDS.items()}
    given["api"] = given["api"].rstrip("/") or API
    return Entered(**given, lasting=await field(request, "lasting") == "1", login=await field(request, "login") == "1")


def _columns(entered: Entered, secret_before: str, key: str, notices: Notices) -> dict[str, Any]:
    secrets = {"secret": entered.secret or secret_before, "token": entered.token, "aes_key": entered.aes_key}
    return {
        "title": entered.title,
        "kind": entered.account_kind,
        "certified": entered.certified,
        "app_id": entered.app_id,
        "mode": entered.mode,
        "api": "" if entered.api == API else entered.api,
        "sealed": seal(key, entered.name, secrets),
        "options": {"notices": as_json(notices), "login": entered.login},
        "changed_at": clock.now(),
    }


# —— what else is done with it ———————————————————————————————————————————


@needs(Permission.MANAGE_WECHAT)
async def check_account(request: web.Request) -> web.Response:
    """POST /console/wechat/accounts/{name}/check: try everything, show what came of it."""
    shown = await _shown(request)
    rows = await check(shown, database(request), settings(request).public_url)
    await acts.note_check(request, "wechat", shown.name, rows)
    return await _account(request, shown, rows=rows)


@needs(Permission.MANAGE_WECHAT)
async def switch(request: web.Request) -> web.Response:
    """POST /console/wechat/accounts/{name}/switch: stop it, or let it go on."""
    async with database(request).session() as session:
        shown = await _found(session, request, own=True)
        await acts.stop_or_go_on(session, request, "wechat", shown)
    return see(f"{WECHAT}/accounts/{shown.name}")


@needs(Permission.MANAGE_WECHAT)
async def remove(request: web.Request) -> web.Response:
    """POST /console/wechat/accounts/{name}/remove: only when it is stopped, and its name was typed. Talks stay."""
    async with database(request).session() as session:
        shown = await _found(session, request, own=True)
        if problem := await acts.why_not_removed(request, shown):
            return await _account(request, shown, status=400, error=sentence("wechat_errors", problem))
        await session.delete(shown.row)
        for table in (WechatToken, WechatMenu):
            await session.execute(delete(table).where(table.account == shown.name))
        await audit(session, staff(request), "wechat.remove", "wechat", shown.name)
    return see(WECHAT)


routes = [
    web.get("/wechat", accounts_page),
    web.get("/wechat/new", new_page),
    web.post("/wechat/new", add),
    web.get(f"/wechat/accounts/{NAMED}", account_page),
    web.post(f"/wechat/accounts/{NAMED}", change),
    web.post(f"/wechat/accounts/{NAMED}/check", check_account),
    web.post(f"/wechat/accounts/{NAMED}/switch", switch),
    web.post(f"/wechat/accounts/{NAMED}/remove", remove),
    *menu_pages.routes,
    *wecom_pages.routes,
    *delivery_pages.routes,
]
