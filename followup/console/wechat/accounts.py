"""The accounts as the console shows them: those of the environment, which only stand there, and its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.account import Account
from followup.channels.wechat.book import account_of
from followup.channels.wechat.seal import CannotOpen, unseal
from followup.settings import Settings
from followup.store.wechat_account_models import WechatAccount
from followup.store.wechat_models import WechatReceived, WechatUser

UNCERTIFIED = "_uncertified"


@dataclass(frozen=True, slots=True)
class Shown:
    """An account on a page. Secrets are in `account` only, and are shown by those who may manage it."""

    name: str
    title: str
    kind: str
    """A key of the labels wechat_kinds."""
    app_id: str
    mode: str
    from_environment: bool
    active: bool
    readable: bool
    """Its secrets can be opened with the present FOLLOWUP_SECRET."""
    account: Account
    """With its secret even when it is not certified: for asking WeChat, not for talking to customers."""
    row: WechatAccount | None = None
    heard_at: datetime | None = None
    """When WeChat last sent something to it; kept for three days."""
    customers: int = 0

    @property
    def called(self) -> str:
        return self.title or self.name

    @property
    def certified(self) -> bool:
        return not self.kind.endswith(UNCERTIFIED)

    def address(self, public_url: str) -> str:
        """What is pasted into WeChat's back office."""
        return f"{public_url}/wechat/{self.name}"


async def all_accounts(session: AsyncSession, settings: Settings) -> list[Shown]:
    """Those of the environment first, with when each was last heard of."""
    found = [_of_environment(account) for account in settings.wechat]
    taken = {one.name for one in found}
    rows = await session.scalars(select(WechatAccount).order_by(WechatAccount.active.desc(), WechatAccount.name))
    found += [_of_row(row, settings.signing_secret()) for row in rows if row.name not in taken]
    heard = await _counted(session, select(WechatReceived.account, func.max(WechatReceived.at)).group_by(WechatReceived.account))
    people = await _counted(session, select(WechatUser.account, func.count()).where(WechatUser.follows).group_by(WechatUser.account))
    return [_with(one, heard, people) for one in found]


async def one_account(session: AsyncSession, settings: Settings, name: str, *, lock: bool = False) -> Shown | None:
    for account in settings.wechat:
        if account.name == name:
            return _of_environment(account)
    row = await session.get(WechatAccount, name, with_for_update=lock or None, populate_existing=lock)
    return _of_row(row, settings.signing_secret()) if row is not None else None


async def _counted(session: AsyncSession, query: object) -> dict[str, object]:
    return {name: value for name, value in (await session.execute(query)).all()}  # type: ignore[call-overload]


def _with(one: Shown, heard: Mapping[str, object], people: Mapping[str, object]) -> Shown:
    return replace(one, heard_at=heard.get(one.name), customers=people.get(one.name, 0))  # type: ignore[arg-type]


def _of_environment(account: Account) -> Shown:
    kind = account.kind if account.secret else account.kind + UNCERTIFIED
    return Shown(account.name, "", kind, account.app_id, account.mode, True, True, True, account)


def _of_row(row: WechatAccount, secret: str) -> Shown:
    try:
        opened, readable = unseal(secret, row.name, row.sealed), True
    except CannotOpen:
        opened, readable = {}, False
    whole = replace(account_of(row, opened), secret=opened.get("secret", ""))
    kind = row.kind if row.certified else row.kind + UNCERTIFIED
    return Shown(row.name, row.title, kind, row.app_id, row.mode, False, row.active, readable, whole, row)
