"""The job that sends what waits for a talk of 微信客服: each row at most once, within the budget, only while the session is ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat import outbox
from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.book import Book
from followup.channels.wechat.plan import HALF_SENT, Part, halves
from followup.channels.wecom import queue
from followup.channels.wecom.account import Account
from followup.channels.wecom.client import (
    BAD_CODE,
    BOT,
    ENDED,
    HUMAN,
    NEW,
    NOT_OURS,
    POOL,
    TOO_LATE,
    TOO_LONG,
    TOO_MANY,
    WecomClient,
    is_ours,
)
from followup.channels.wecom.queue import Ready
from followup.store.database import Database
from followup.store.messages import customers_channel
from followup.store.models import Callback
from followup.store.wecom_models import WecomUser

_log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=20)
"""Until WeCom is tried again when it could not be reached."""
_FOR_THE_CUSTOMER = frozenset({TOO_MANY, TOO_LATE, ENDED, NOT_OURS})
"""What is refused with these waits until the customer writes."""


class Sender:
    """Sends for all accounts. `close()` it."""

    def __init__(self, database: Database, accounts: tuple[Account, ...] = (), *, book: Book[Account] | None = None) -> None:
        """`book`: the accounts as they stand at each sending; else they are those of `accounts`."""
        self.database = database
        self._book = book
        self.accounts: Mapping[str, Account] = {account.channel: account for account in accounts}
        self._clients: dict[str, WecomClient] = {}

    async def known(self) -> list[Account]:
        """The accounts as they stand now."""
        if self._book is not None:
            self.accounts = {account.channel: account for account in await self._book.accounts()}
        return list(self.accounts.values())

    async def send(self, case_id: str) -> int:
        """Send what is queued for the talk. Returns how many messages WeCom took; what could not go now has a job for later."""
        known = await self.known()
        async with self.database.session() as session:
            channel = await customers_channel(session, case_id)
        accounts = [self.accounts[channel]] if channel in self.accounts else known
        return sum([await self._send_by(account, case_id) for account in accounts])

    async def _send_by(self, account: Account, case_id: str) -> int:
        try:
            await self._make_it_ours(account, case_id)
        except (NotReached, Unclear):
            return await self._later(case_id, AGAIN)
        at = clock.now()
        async with self.database.session() as session:
            ready = await queue.take_to_send(session, account, case_id, at)
        taken = await self._send_all(account, case_id, ready, at) if ready is not None else 0
        if account.handover == "wecom":
            await self._hand_over(account, case_id)
        return taken

    async def _make_it_ours(self, account: Account, case_id: str) -> None:
        """Ask whose the session is unless it is known; a new one becomes ours. Raises NotReached, Unclear."""
        async with self.database.session() as session:
            user = await queue.user_of(session, account, case_id)
        if user is None or user.state in (BOT, POOL, HUMAN) or user.message_at is None:
            return
        try:
            state = await self.whose(account, user.open_kfid, user.external_userid)
        except Failed as failed:
            _log.log(logging.ERROR if is_ours(failed) else logging.WARNING, "WeCom does not tell the state of a session: %s", failed)
            state = BOT  # sending will show
        await self._note_state(user.id, state)

    async def whose(self, account: Account, open_kfid: str, who: str) -> int:
        """The session's state; a new one is made ours. Raises Failed, NotReached, Unclear."""
        client = self.client(account)
        state = await client.state(open_kfid, who)
        if state == NEW:
            await client.change_state(open_kfid, who, BOT)
            return BOT
        return state

    async def _send_all(self, account: Account, case_id: str, ready: Ready, at: datetime) -> int:
        """One after the other; when one does not go, those after it must not overtake it."""
        taken, code, begun, cut = 0, ready.welcome_code, set[int](), list[Part]()
        waiting = list(zip(ready.parts, ready.msgids, strict=True))
        while waiting:
            part, msgid = waiting.pop(0)
            status, error, wait = await self._send_one(account, ready, part, msgid, code)
            if error == str(TOO_LONG) and not code and part not in cut and (pieces := halves(part)) is not None:
                if await self._one_more(account, ready, pieces[1], f"{msgid}h", at):
                    cut = list(pieces)
                    waiting[:0] = [(pieces[0], msgid), (pieces[1], f"{msgid}h")]
                    continue
                status, error = "queued", "no_budget"  # the customer's next message allows both
            rest = [row for one, _ in waiting for row in one.lines]
            if status == "sent":
                taken, code, begun = taken + 1, "", begun | set(part.lines)
                await self._settle([row for row in part.lines if row not in rest], "sent")
                continue
            half = [row for row in part.lines if row in begun and status != "unknown"]
            why = error if wait is None else None
            await self._settle(half, "failed", HALF_SENT)
            await self._settle([row for row in part.lines if row not in half], status, why)
            await self._settle([row for row in rest if row not in part.lines], "queued", why)
            async with self.database.session() as session:
                await queue.not_counted(session, ready.user_id, at, len(waiting) + (status == "queued" and not code))
            if wait is not None:
                await self._later(case_id, wait)
            break
        return taken

    async def _one_more(self, account: Account, ready: Ready, part: Part, msgid: str, at: datetime) -> bool:
        async with self.database.session() as session:
            return await queue.count_one_more(session, account, ready.user_id, part, msgid, at)

    async def _send_one(self, account: Account, ready: Ready, part: Part, msgid: str, code: str) -> tuple[str, str, timedelta | None]:
        """(status of its rows, why, when to try again)."""
        client = self.client(account)
        try:
            if code:
                await client.welcome(code, part, msgid)
            else:
                await client.send(ready.open_kfid, ready.who, part, msgid)
            return "sent", "", None
        except NotReached as error:
            return "queued", str(error), AGAIN
        except Unclear as error:
            _log.warning("nobody knows whether WeCom has a message: %s", error)
            return "unknown", str(error), None
        except Failed as failed:
            if failed.code in _FOR_THE_CUSTOMER or (code and failed.code in BAD_CODE):
                if failed.code in (ENDED, NOT_OURS):
                    await self._note_state(ready.user_id, None)  # to be asked again
                again = timedelta(seconds=1) if code and failed.code in BAD_CODE else None
                return "queued", str(failed.code), again
            _log.log(logging.ERROR if is_ours(failed) else logging.WARNING, "WeCom refused a message: %s", failed)
            if failed.wait is not None:
                return "queued", str(failed.code), timedelta(seconds=failed.wait)
            return "failed", str(failed.code), None

    async def _hand_over(self, account: Account, case_id: str) -> None:
        """Who asked for a colleague goes to one in 企业微信, once what we say about it is out."""
        async with self.database.session() as session:
            user = await queue.user_of(session, account, case_id)
            if user is None or user.state != BOT or not await _wants_a_colleague(session, user, case_id):
                return
        client, target = self.client(account), HUMAN if account.servicer else POOL
        try:
            try:
                await client.change_state(user.open_kfid, user.external_userid, target, account.servicer)
            except Failed as failed:
                if target == POOL:
                    raise
                _log.warning("the servicer cannot take over, the session waits in the pool: %s", failed)
                target = POOL
                await client.change_state(user.open_kfid, user.external_userid, target)
        except (Failed, NotReached, Unclear) as error:
            _log.error("a session could not be handed over in WeCom: %s", error)
            return
        await self._note_state(user.id, target, handed=True)

    async def _note_state(self, user_id: int, state: int | None, *, handed: bool = False) -> None:
        async with self.database.session() as session:
            user = await session.get_one(WecomUser, user_id, with_for_update=True, populate_existing=True)
            user.state = state
            if handed:
                user.handed_at = clock.now()

    async def _settle(self, rows: tuple[int, ...] | list[int], status: str, error: str | None = None) -> None:
        await outbox.settle(self.database, rows, status, clock.now(), error=error)

    async def _later(self, case_id: str, wait: timedelta) -> int:
        async with self.database.session() as session:
            await queue.defer_send(session, case_id, after=wait)
        return 0

    def client(self, account: Account) -> WecomClient:
        if account.channel not in self._clients:
            self._clients[account.channel] = WecomClient(account, self.database)
        client = self._clients[account.channel]
        client.account = account  # it may have been changed in the console meanwhile
        return client

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


async def _wants_a_colleague(session: AsyncSession, user: WecomUser, case_id: str) -> bool:
    """Whether the customer asked for one since the last hand-over."""
    asked = [Callback.case_id == case_id, Callback.reason == "request_human", Callback.status.in_(("booked", "due"))]
    if user.handed_at is not None:
        asked.append(Callback.created_at > user.handed_at)
    return await session.scalar(select(Callback.id).where(*asked).limit(1)) is not None
