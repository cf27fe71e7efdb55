"""What the pages of 公众号 and of 微信客服 do alike. `kind` is what the audit log calls the account: wechat or wecom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.audit import audit
from followup.console.forms import field
from followup.console.labels import label
from followup.console.parts import database, staff
from followup.console.wechat import accounts, form, wecom_form
from followup.console.wechat.checks import Row

_Entered = TypeVar("_Entered", form.Entered, wecom_form.Entered)
Shown = accounts.Shown | wecom_form.Shown


async def made_anew(request: web.Request, entered: _Entered) -> _Entered | None:
    """For who has no JavaScript: the form again, with a new token or key in it. None: that is not what was pressed."""
    match await field(request, "do", longest=20):
        case "token":
            return replace(entered, token=form.new_token())
        case "aes_key":
            return replace(entered, aes_key=form.new_aes_key())
    return None


async def note_check(request: web.Request, kind: str, name: str, rows: Sequence[Row]) -> None:
    """What came of a check, in the audit log."""
    told = [f"{label(row.key, 'wechat_checks')}{label(row.state.value, 'wechat_marks')}" for row in rows]
    async with database(request).session() as session:
        await audit(session, staff(request), "wechat.check", kind, name, result=told)


async def stop_or_go_on(session: AsyncSession, request: web.Request, kind: str, shown: Shown) -> None:
    """As the form says. The account is one of the console, its row locked."""
    assert shown.row is not None
    shown.row.active = await field(request, "on") == "1"
    shown.row.version += 1
    await audit(session, staff(request), "wechat.enable" if shown.row.active else "wechat.disable", kind, shown.name)


async def why_not_removed(request: web.Request, shown: Shown) -> str:
    """A key of labels.yml, wechat_errors; empty: it is stopped, and its name was typed."""
    if shown.active:
        return "active"
    return "" if await field(request, "confirm", longest=40) == shown.name else "not_confirmed"
