"""The job that sends what waits for a WeChat talk: each row at most once, within the budget."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from followup import clock
from followup.channels.wechat import outbox, queue
from followup.channels.wechat.account import CHANNEL, Account
from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.book import Book
from followup.channels.wechat.client import (
    NO_MENUS,
    NO_RIGHT,
    NOT_FOLLOWING,
    TOO_LONG,
    TOO_MANY,
    WINDOW_CLOSED,
    WechatClient,
    is_ours,
)
from followup.channels.wechat.plan import HALF_SENT, Line, Part, halves, parts_of
from followup.channels.wechat.queue import Held, Ready
from followup.store.database import Database
from followup.store.wechat_models import WechatUser

_log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=20)
"""Until WeChat is tried again when it could not be reached."""


class Sender:
    """Sends for all accounts. `close()` it."""

    def __init__(self, database: Database, accounts: tuple[Account, ...] = (), *, book: Book | None = None) -> None:
        """`book`: the accounts as they stand at each sending; else they are those of `accounts`."""
        self.database = database
        self._book = book
        self.accounts: Mapping[str, Account] = {account.channel: account for account in accounts}
        self._clients: dict[str, WechatClient] = {}

    async def known(self) -> list[Account]:
        """The accounts as they stand now."""
        if self._book is not None:
            self.accounts = {account.channel: account for account in await self._book.accounts()}
        return list(self.accounts.values())

    async def send(self, case_id: str) -> int:
        """Send what is queued for the talk. Returns how many messages WeChat took; what could not go now has a job for later."""
        await self.known()
        channels = await outbox.channels(self.database, case_id, CHANNEL)
        return sum([await self._send_by(self.accounts[channel], case_id) for channel in channels if channel in self.accounts])

    async def _send_by(self, account: Account, case_id: str) -> int:
        async with self.database.session() as session:
            ready = await queue.take_to_send(session, account, case_id, clock.now())
        if ready is None or isinstance(ready, Held):
            return 0
        return await self._send_all(self.client(account), case_id, ready)

    async def _send_all(self, client: WechatClient, case_id: str, ready: Ready) -> int:
        """One after the other; when one does not go, those after it must not overtake it."""
        taken, waiting, begun, cut = 0, list(ready.parts), set[int](), list[Part]()
        while waiting:
            part = waiting.pop(0)
            status, error, wait = await self._send_one(client, ready.openid, part)
            if error == str(TOO_LONG) and part not in cut and (pieces := halves(part)) is not None:
                if await self._one_more(client.account, ready.openid):
                    waiting[:0] = cut = list(pieces)
                    continue
                status, error = "queued", "no_budget"  # the customer's next message allows both
            rest = [row for later in waiting for row in later.lines]
            if status == "sent":
                taken, begun = taken + 1, begun | set(part.lines)
                await self._settle([row for row in part.lines if row not in rest], "sent")
                continue
            await self._did_not_go(case_id, part.lines, rest, begun, status, error, wait)
            break
        return taken

    async def _did_not_go(
        self, case_id: str, rows: Sequence[int], rest: Sequence[int], begun: set[int], status: str, error: str, wait: timedelta | None
    ) -> None:
        """`rest`: the rows of what would have followed; `begun`: those of which a piece is out, which are not said again from the beginning."""
        half = [row for row in rows if row in begun and status != "unknown"]
        await self._settle(half, "failed", HALF_SENT)
        why = error if wait is None else None
        await self._settle([row for row in rows if row not in half], status, why)
        await self._settle([row for row in rest if row not in rows], "queued", why)
        if wait is not None:
            async with self.database.session() as session:
                await queue.defer_send(session, case_id, after=wait)

    async def _one_more(self, account: Account, openid: str) -> bool:
        async with self.database.session() as session:
            return await queue.count_one_more(session, account, openid, clock.now())

    async def _send_one(self, client: WechatClient, openid: str, part: Part) -> tuple[str, str, timedelta | None]:
        """(status of its rows, why, when to try again)."""
        try:
            try:
                await client.send(openid, part)
            except Failed as failed:
                if failed.code not in (NO_MENUS, NO_RIGHT) or not part.menu:
                    raise
                as_text = parts_of([Line(0, part.text, part.menu)])
                await client.send(openid, replace(as_text[0], lines=part.lines))
            return "sent", "", None
        except NotReached as error:
            return "queued", str(error), AGAIN
        except Unclear as error:
            _log.warning("nobody knows whether WeChat has a message: %s", error)
            return "unknown", str(error), None
        except Failed as failed:
            if failed.code in (WINDOW_CLOSED, TOO_MANY):
                return "queued", str(failed.code), None  # it waits until the customer writes
            _log.log(logging.ERROR if is_ours(failed) else logging.WARNING, "WeChat refused a message: %s", failed)
            if failed.wait is not None:
                return "queued", str(failed.code), timedelta(seconds=failed.wait)
            if failed.code in NOT_FOLLOWING:
                await self._no_longer_follows(client.account, openid)
            return "failed", str(failed.code), None

    async def _no_longer_follows(self, account: Account, openid: str) -> None:
        """WeChat's own word of it was lost; what is queued next is not even tried."""
        whose = update(WechatUser).where(WechatUser.account == account.name, WechatUser.openid == openid)
        async with self.database.session() as session:
            await session.execute(whose.values(follows=False))

    async def _settle(self, rows: Sequence[int], status: str, error: str | None = None) -> None:
        await outbox.settle(self.database, rows, status, clock.now(), error=error)

    def client(self, account: Account) -> WechatClient:
        if account.channel not in self._clients:
            self._clients[account.channel] = WechatClient(account, self.database)
        client = self._clients[account.channel]
        client.account = account  # it may have been changed in the console meanwhile
        return client

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
