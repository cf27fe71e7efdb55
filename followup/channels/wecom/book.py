"""The accounts 微信客服 of the console, as `followup.channels.wechat.book` reads those of 公众号."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.book import Book
from followup.channels.wechat.seal import CannotOpen, unseal
from followup.channels.wecom.account import API, CHANNEL, Account
from followup.store.database import Database
from followup.store.wecom_account_models import WecomAccount

_log = logging.getLogger(__name__)


def wecom_book(fixed: Iterable[Account], database: Database, secret: str) -> Book[Account]:
    """`fixed`: the environment's accounts; `secret`: FOLLOWUP_SECRET."""
    return Book(fixed, database, secret, stored=stored_accounts)


async def stored_accounts(session: AsyncSession, secret: str, *, but: Iterable[str] = ()) -> tuple[Account, ...]:
    """The console's accounts that are in use. One that cannot be opened is left out: its page in the console says why."""
    taken, found = set(but), []
    for row in await session.scalars(select(WecomAccount).where(WecomAccount.active).order_by(WecomAccount.name)):
        if row.name in taken:
            continue
        try:
            found.append(account_of(row, unseal(secret, owner(row.name), row.sealed)))
        except CannotOpen:
            _log.error("WeCom account %s: its secrets were sealed with another FOLLOWUP_SECRET", row.name)
    return tuple(found)


def owner(name: str) -> str:
    """What the secrets are sealed for: a 公众号 may have the same name."""
    return CHANNEL + name


def account_of(row: WecomAccount, opened: Mapping[str, str]) -> Account:
    secret, token, aes_key = (opened.get(key, "") for key in ("secret", "token", "aes_key"))
    return Account(row.name, row.corp_id, secret, token, aes_key, tuple(row.kfids), row.handover, row.servicer, row.api or API)
