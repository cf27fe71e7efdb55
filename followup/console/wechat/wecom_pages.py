"""The accounts 微信客服: the list, one of them, adding, changing, checking, stopping and removing it, and links for single customers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.seal import CannotOpen, seal, unseal
from followup.channels.wecom.account import API
from followup.channels.wecom.book import owner
from followup.channels.wecom.client import WecomClient
from followup.channels.wecom.scene import account_link, create_link
from followup.console.audit import audit
from followup.console.forms import field, number
from followup.console.labels import label
from followup.console.parts import database, page, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.wechat import acts
from followup.console.wechat.checks import Row
from followup.console.wechat.wecom_check import check
from followup.console.wechat.wecom_form import FIELDS, Entered, Shown, blank, changes, entered_of, of_row, wrong
from followup.store.models import Case
from followup.store.wechat_models import WechatToken
from followup.store.wecom_account_models import WecomAccount
from followup.store.wecom_models import WecomCursor, WecomUser
from followup.talk import links

WECOM = "/console/wechat/wecom"
LINK_FOR = timedelta(days=14)
_NAMED = r"{name:(?!new$)[a-z][a-z0-9]*}"
_CASE = re.compile(r"(?:^|/)([0-9a-f]{32})(?:[/?#]|$)")


@needs(Permission.READ_WECHAT)
async def accounts_page(request: web.Request) -> web.Response:
    """GET /console/wechat/wecom"""
    async with database(request).session() as session:
        found = [Shown(account) for account in settings(request).wecom]
        taken = {one.name for one in found}
        rows = await session.scalars(select(WecomAccount).order_by(WecomAccount.active.desc(), WecomAccount.name))
        found += [_of(request, row) for row in rows if row.name not in taken]
        counted = await session.execute(select(WecomUser.account, func.count()).group_by(WecomUser.account))
        people = {name: count for name, count in counted}
    return page(request, "wechat/wecom.html", accounts=[replace(one, customers=people.get(one.name, 0)) for one in found])


@needs(Permission.READ_WECHAT)
async def account_page(request: web.Request) -> web.Response:
    """GET /console/wechat/wecom/{name}"""
    async with database(request).session() as session:
        return await _account(request, await _found(session, request))


async def _account(request: web.Request, shown: Shown, *, status: int = 200, entered: Entered | None = None, **more: Any) -> web.Response:
    given = {"errors": {}, "rows": None, "error": "", "link": "", "case": "", **more}
    return page(
        request, "wechat/wecom_account.html", status=status, account=shown, address=shown.address(settings(request).public_url),
        entered=entered or entered_of(shown), API=API, days=LINK_FOR.days, **given,
    )  # fmt: skip


def _of(request: web.Request, row: WecomAccount) -> Shown:
    try:
        return of_row(row, unseal(settings(request).signing_secret(), owner(row.name), row.sealed))
    except CannotOpen:
        return of_row(row, None)


async def _found(session: AsyncSession, request: web.Request, *, own: bool = False) -> Shown:
    """The account of the path; `own`: one of the console, its row locked."""
    name = request.match_info["name"]
    for account in settings(request).wecom:
        if account.name == name and not own:
            return Shown(account)
        if account.name == name:
            raise web.HTTPNotFound
    row = await session.get(WecomAccount, name, with_for_update=own or None, populate_existing=own)
    if row is None:
        raise web.HTTPNotFound
    return _of(request, row)


# —— adding and changing ————————————————————————————————————————————————


@needs(Permission.MANAGE_WECHAT)
async def new_page(request: web.Request) -> web.Response:
    """GET /console/wechat/wecom/new"""
    return _new(request, blank())


def _new(request: web.Request, entered: Entered, errors: dict[str, str] | None = None) -> web.Response:
    return page(request, "wechat/wecom_new.html", status=400 if errors else 200, entered=entered, errors=errors or {}, API=API)


@needs(Permission.MANAGE_WECHAT)
async def add(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/new"""
    entered = replace(await _read(request), name=await field(request, "name", longest=40))
    if made := await acts.made_anew(request, entered):
        return _new(request, made)
    if errors := wrong(entered, None):
        return _new(request, entered, errors)
    taken = entered.name in {account.name for account in settings(request).wecom} | {"new"}
    try:
        async with database(request).session() as session:
            if not taken:
                session.add(WecomAccount(name=entered.name, created_at=clock.now(), **_columns(request, entered, "")))
                await session.flush()
                await audit(session, staff(request), "wechat.create", "wecom", entered.name, name=entered.title)
    except IntegrityError:
        taken = True
    if taken:
        return _new(request, entered, {"name": sentence("wechat_errors", "name_taken")})
    return see(f"{WECOM}/{entered.name}")


@needs(Permission.MANAGE_WECHAT)
async def change(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/{name}"""
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
        for column, value in _columns(request, entered, shown.account.secret).items():
            setattr(shown.row, column, value)
        shown.row.version += 1
        if {"corp_id", "secret", "api"} & set(changed):
            await _forget(session, shown.name)
        await audit(session, staff(request), "wechat.change", "wecom", shown.name, fields=[label(one, "wecom_fields") for one in changed])
    return see(f"{WECOM}/{entered.name}")


async def _forget(session: AsyncSession, name: str) -> None:
    """Token and links are another's."""
    await session.execute(delete(WechatToken).where(WechatToken.account == owner(name)))
    await session.execute(WecomCursor.__table__.update().where(WecomCursor.account == name).values(link=""))


async def _read(request: web.Request) -> Entered:
    given: dict[str, Any] = {name: await field(request, name, longest=most) for name, most in FIELDS.items()}
    given["api"] = given["api"].rstrip("/") or API
    return Entered(**given)


def _columns(request: web.Request, entered: Entered, secret_before: str) -> dict[str, Any]:
    secrets = {"secret": entered.secret or secret_before, "token": entered.token, "aes_key": entered.aes_key}
    return {
        "title": entered.title,
        "corp_id": entered.corp_id,
        "kfids": entered.ids,
        "handover": entered.handover,
        "servicer": entered.servicer,
        "api": "" if entered.api == API else entered.api,
        "sealed": seal(settings(request).signing_secret(), owner(entered.name), secrets),
        "changed_at": clock.now(),
    }


# —— what else is done with it ———————————————————————————————————————————


@needs(Permission.MANAGE_WECHAT)
async def check_account(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/{name}/check: try everything, show what came of it."""
    async with database(request).session() as session:
        shown = await _found(session, request)
    rows: list[Row] = await check(shown, database(request), settings(request).public_url)
    await acts.note_check(request, "wecom", shown.name, rows)
    return await _account(request, shown, rows=rows)


@needs(Permission.MANAGE_WECHAT)
async def link(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/{name}/link: the address that opens one customer's talk in WeChat."""
    typed = await field(request, "case", longest=300)
    found = _CASE.search(typed)
    async with database(request).session() as session:
        shown = await _found(session, request)
        case = await session.get(Case, found[1]) if found else None
        known = case is not None and case.erased_at is None and case.status != "closed"
    if case is None or not known or not shown.readable or not shown.active:
        problem = "no_case" if not known else "not_in_use"
        return await _account(request, shown, status=400, error=sentence("wecom_errors", problem), case=typed)
    try:
        async with WecomClient(shown.account, database(request)) as client:
            address = await account_link(database(request), client)
        async with database(request).session() as session:
            made = await create_link(session, address, case.id, valid_for=LINK_FOR)
            await audit(session, staff(request), "wechat.link", "case", case.id, account=shown.name)
    except links.DoNotContact:
        return await _account(request, shown, status=400, error=sentence("wecom_errors", "do_not_contact"), case=typed)
    except (Failed, NotReached, Unclear):
        return await _account(request, shown, status=502, error=sentence("wecom_errors", "no_link"), case=typed)
    return await _account(request, shown, link=made, case=case.id)


@needs(Permission.MANAGE_WECHAT)
async def switch(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/{name}/switch: stop it, or let it go on."""
    async with database(request).session() as session:
        shown = await _found(session, request, own=True)
        await acts.stop_or_go_on(session, request, "wecom", shown)
    return see(f"{WECOM}/{shown.name}")


@needs(Permission.MANAGE_WECHAT)
async def remove(request: web.Request) -> web.Response:
    """POST /console/wechat/wecom/{name}/remove: only when it is stopped, and its name was typed. Talks stay."""
    async with database(request).session() as session:
        shown = await _found(session, request, own=True)
        if problem := await acts.why_not_removed(request, shown):
            return await _account(request, shown, status=400, error=sentence("wechat_errors", problem))
        await session.delete(shown.row)
        await _forget(session, shown.name)
        await audit(session, staff(request), "wechat.remove", "wecom", shown.name)
    return see(WECOM)


routes = [
    web.get("/wechat/wecom", accounts_page),
    web.get("/wechat/wecom/new", new_page),
    web.post("/wechat/wecom/new", add),
    web.get(f"/wechat/wecom/{_NAMED}", account_page),
    web.post(f"/wechat/wecom/{_NAMED}", change),
    web.post(f"/wechat/wecom/{_NAMED}/check", check_account),
    web.post(f"/wechat/wecom/{_NAMED}/link", link),
    web.post(f"/wechat/wecom/{_NAMED}/switch", switch),
    web.post(f"/wechat/wecom/{_NAMED}/remove", remove),
]
