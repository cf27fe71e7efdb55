"""All accounts as they stand now: those of the environment, and those that were added in the console.

Every process reads the console's again when what it knows is older than two seconds: a change needs no restart. While the
database cannot be asked, what was known last stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.account import API, Account
from followup.channels.wechat.seal import CannotOpen, unseal
from followup.channels.wechat.template import from_json
from followup.store.database import Database
from followup.store.wechat_account_models import WechatAccount

_log = logging.getLogger(__name__)

FRESH = 2.0
"""Seconds."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


A = TypeVar("A", bound=_Named)


class Book(Generic[A]):
    """`fixed`: the environment's accounts, which win when a name stands in both. `secret`: FOLLOWUP_SECRET. `stored`: reads those of
    the console: (session, secret, but=names); of 公众号 by default."""

    def __init__(
        self, fixed: Iterable[A], database: Database, secret: str, *, clock: Callable[[], float] = time.monotonic,
        stored: Callable[..., Awaitable[tuple[Any, ...]]] | None = None,
    ) -> None:  # fmt: skip
        self._stored = stored or stored_accounts
        self.fixed = tuple(fixed)
        self._database, self._secret, self._clock = database, secret, clock
        self._known: tuple[A, ...] = ()
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    async def accounts(self) -> tuple[A, ...]:
        """Those that are in use, the environment's first."""
        if self._is_old():
            async with self._lock:
                if self._is_old():
                    await self._read()
        return self.fixed + self._known

    async def find(self, name: str) -> A | None:
        return next((account for account in await self.accounts() if account.name == name), None)

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= FRESH

    async def _read(self) -> None:
        try:
            async with self._database.session() as session:
                self._known = await self._stored(session, self._secret, but={one.name for one in self.fixed})
        except (SQLAlchemyError, OSError) as error:
            _log.warning("the accounts of WeChat could not be read: %s", type(error).__name__)
        self._read_at = self._clock()


async def stored_accounts(session: AsyncSession, secret: str, *, but: Iterable[str] = ()) -> tuple[Account, ...]:
    """The console's accounts that are in use. One that cannot be opened is left out: its page in the console says why."""
    rows = await session.scalars(select(WechatAccount).where(WechatAccount.active).order_by(WechatAccount.name))
    found = []
    for row in rows:
        if row.name in set(but):
            continue
        try:
            found.append(account_of(row, unseal(secret, row.name, row.sealed)))
        except CannotOpen:
            _log.error("WeChat account %s: its secrets were sealed with another FOLLOWUP_SECRET", row.name)
    return tuple(found)


def account_of(row: WechatAccount, opened: Mapping[str, str]) -> Account:
    """The account as the channel uses it: without certification WeChat refuses everything but passive replies."""
    secret = opened.get("secret", "") if row.certified else ""
    token, aes_key, notices = opened.get("token", ""), opened.get("aes_key", ""), from_json(row.options.get("notices"))
    login = row.options.get("login") is True and row.kind == "service" and bool(secret)
    return Account(row.name, row.app_id, row.kind, token, secret, aes_key, row.mode, row.api or API, notices, login)
