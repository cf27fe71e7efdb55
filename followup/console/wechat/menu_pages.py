"""The menu of an account: a draft that is kept, read from WeChat, looked at as JSON, and published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.client import WechatClient
from followup.console.audit import audit
from followup.console.forms import field, number, query
from followup.console.parts import database, page, page_context, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.wechat import menu
from followup.console.wechat.accounts import Shown, one_account
from followup.console.wechat.menu import Entry, Row
from followup.console.wechat.said import Said, refusal_said, said
from followup.store.wechat_account_models import WechatMenu

_NAMED = r"/wechat/accounts/{name:[a-z][a-z0-9]*}/menu"
_NO_MENU = 46003
_MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the first level in the form, with those below it; `number` is its line's place in the form."""

    entry: Entry
    number: int
    below: list[tuple[int, Entry]]


@needs(Permission.READ_WECHAT)
async def menu_page(request: web.Request) -> web.Response:
    """GET …/menu"""
    return await _page(request, told=query(request, "told", longest=20))


async def _page(
    request: web.Request, *, status: int = 200, rows: Sequence[Row] | None = None, told: str = "", error: str = "", refused: Said | None = None
) -> web.Response:
    """`rows`: what was entered and not saved; else the draft."""
    async with database(request).session() as session:
        shown, stored = await _found(session, request)
    entries = menu.from_rows(rows) if rows is not None else menu.from_json(stored.draft)
    return page(
        request,
        "wechat/menu.html",
        status=status,
        account=shown,
        stored=stored,
        groups=_groups(entries),
        unsaved=rows is not None,
        told=told if told in ("saved", "published", "fetched") else "",
        error=error,
        refused=refused,
        published=menu.from_json(stored.published),
        same=stored.published is not None and stored.published == menu.as_json(entries),
        MOST=menu.MOST,
        MOST_BELOW=menu.MOST_BELOW,
        **_preview(entries),
    )


def _groups(entries: Sequence[Entry]) -> list[Group]:
    found, number = [], 0
    for entry in entries:
        found.append(Group(entry, number, [(number + place, one) for place, one in enumerate(entry.below, 1)]))
        number += 1 + len(entry.below)
    return found


def _preview(entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "entries": entries,
        "json_text": json.dumps(menu.as_json(entries), ensure_ascii=False, indent=2),
        "problems": menu.problems(entries),
    }


async def _found(session: AsyncSession, request: web.Request, *, lock: bool = False) -> tuple[Shown, WechatMenu]:
    """The account, and its menu as it is stored; a new one that is not yet stored when there is none."""
    shown = await one_account(session, settings(request), request.match_info["name"])
    if shown is None:
        raise web.HTTPNotFound
    stored = await session.get(WechatMenu, shown.name, with_for_update=lock or None)
    return shown, stored or WechatMenu(account=shown.name, draft={}, version=0)


async def _rows(request: web.Request) -> list[Row]:
    """The lines of the form in their order, as they stand on the page."""
    form = await request.post()

    def all_of(name: str) -> list[str]:
        return [str(value).replace("\0", "").strip()[:3000] for value in form.getall(name, [])][:_MOST_ROWS]

    lines = zip(all_of("level"), all_of("entry"), all_of("act"), all_of("value"), strict=False)
    return [Row(2 if level == "2" else 1, name, act, value) for level, name, act, value in lines]


@needs(Permission.MANAGE_WECHAT)
async def preview(request: web.Request) -> web.Response:
    """POST …/menu/preview: the part of the page that shows the JSON and what is wrong, for what stands in the form."""
    async with database(request).session() as session:
        await _found(session, request)
    context = {**page_context(request), **_preview(menu.from_rows(await _rows(request)))}
    return aiohttp_jinja2.render_template("console/wechat/_preview.html", request, context)


@needs(Permission.MANAGE_WECHAT)
async def save(request: web.Request) -> web.Response:
    """POST …/menu: keep the draft, also one that cannot be published yet. `do` = up:3 | down:3 moves a line first."""
    rows, do = await _rows(request), await field(request, "do", longest=20)
    way, _, place = do.partition(":")
    if way in ("up", "down") and place.isascii() and place.isdigit():
        return await _page(request, rows=menu.moved(rows, int(place[:4]), -1 if way == "up" else 1))
    seen = number(await field(request, "seen", longest=20), -1, least=-1)
    async with database(request).session() as session:
        shown, stored = await _found(session, request, lock=True)
        if seen == stored.version:
            await _keep(session, request, stored, menu.as_json(menu.from_rows(rows)))
            return see(f"{_path(shown)}?told=saved")
    return await _page(request, status=409, error=sentence("menu_told", "changed"))


async def _keep(session: AsyncSession, request: web.Request, stored: WechatMenu, draft: dict[str, Any]) -> None:
    stored.draft, stored.version, stored.saved_at = draft, stored.version + 1, clock.now()
    session.add(stored)
    await audit(session, staff(request), "wechat.menu.save", "wechat", stored.account)


@needs(Permission.MANAGE_WECHAT)
async def fetch(request: web.Request) -> web.Response:
    """POST …/menu/fetch: what the account has now becomes the draft."""
    async with database(request).session() as session:
        shown, _ = await _found(session, request)
    if not shown.account.secret:
        return await _page(request, status=400, error=sentence("menu_told", "no_secret"))
    try:
        async with WechatClient(shown.account, database(request)) as client:
            told = (await client.call("/cgi-bin/menu/get", None)).get("menu")
    except (Failed, NotReached, Unclear) as problem:
        return await _page(request, status=200 if _is_none(problem) else 502, refused=_refused(problem, shown))
    draft = menu.as_json(menu.from_json(told))
    async with database(request).session() as session:
        _, stored = await _found(session, request, lock=True)
        stored.published = draft
        await _keep(session, request, stored, draft)
    return see(f"{_path(shown)}?told=fetched")


@needs(Permission.MANAGE_WECHAT)
async def publish(request: web.Request) -> web.Response:
    """POST …/menu/publish: the saved draft, when it is the one that was looked at and it was confirmed."""
    seen = number(await field(request, "seen", longest=20), -1, least=-1)
    async with database(request).session() as session:
        shown, stored = await _found(session, request)
    entries = menu.from_json(stored.draft)
    confirmed = await field(request, "confirm") == "1"
    problem = "changed" if seen != stored.version else "problems" if menu.problems(entries) else "" if confirmed else "not_confirmed"
    if not shown.account.secret:
        problem = "no_secret"
    if problem:
        return await _page(request, status=409 if problem == "changed" else 400, error=sentence("menu_told", problem))
    try:
        async with WechatClient(shown.account, database(request)) as client:
            await client.call("/cgi-bin/menu/create", menu.as_json(entries))
    except (Failed, NotReached, Unclear) as refused:
        return await _page(request, status=502, refused=_refused(refused, shown))
    async with database(request).session() as session:
        _, now = await _found(session, request, lock=True)
        now.published, now.published_at = menu.as_json(entries), clock.now()
        session.add(now)
        await audit(session, staff(request), "wechat.menu.publish", "wechat", shown.name, rows=sum(1 + len(one.below) for one in entries))
    return see(f"{_path(shown)}?told=published")


def _is_none(problem: Exception) -> bool:
    return isinstance(problem, Failed) and problem.code == _NO_MENU


def _refused(problem: Exception, shown: Shown) -> Said:
    if isinstance(problem, Failed):
        return refusal_said(problem)
    if isinstance(problem, NotReached):
        return said("wechat_said", "not_reached", why=str(problem)[:60], api=shown.account.api)
    return said("wechat_said", "unclear", why=str(problem)[:60])


def _path(shown: Shown) -> str:
    return f"/console/wechat/accounts/{shown.name}/menu"


routes = [
    web.get(_NAMED, menu_page),
    web.post(_NAMED, save),
    web.post(f"{_NAMED}/preview", preview),
    web.post(f"{_NAMED}/fetch", fetch),
    web.post(f"{_NAMED}/publish", publish),
]
