"""The job that reads what customers wrote: page after page, each taken in the transaction in which the cursor moves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels.wechat.ask import Failed, NotReached, Unclear
from followup.channels.wechat.plan import Part
from followup.channels.wecom import queue
from followup.channels.wecom.account import Account
from followup.channels.wecom.client import BAD_CALLBACK_TOKEN, BAD_PARAMETER, BOT, Page
from followup.channels.wecom.parse import CUSTOMER, Callback, Item, read_item
from followup.channels.wecom.receive import Begin, Reading, Say, take
from followup.channels.wecom.send import Sender
from followup.store.wecom_models import WecomCursor, WecomUser

_log = logging.getLogger(__name__)

READ_TASK = "read_wecom"
AGAIN = timedelta(seconds=5)
"""Until WeCom is asked again when it could not be reached."""
TOKEN_FOR = timedelta(minutes=9)
"""A callback's token is good for ten."""
LOOK_EVERY = timedelta(minutes=30)
"""A callback may get lost: so often is read without one."""
STATE_FOR = timedelta(hours=48)
OLDER = timedelta(minutes=5)
"""The clocks of WeCom and of the database may differ by so much."""


@dataclass(frozen=True)
class Wecom:
    """The accounts, and what their messages are taken with."""

    accounts: tuple[Account, ...]
    begin: Begin
    secret: str = field(repr=False, default="")


async def called(session: AsyncSession, account: Account, callback: Callback) -> None:
    """A callback: note that there is more to read, and a job that reads it."""
    row = insert(WecomCursor).values(
        account=account.name, open_kfid=callback.open_kfid, token=callback.token, token_at=func.now(), wanted=1
    )
    news = {"token": callback.token, "token_at": func.now(), "wanted": WecomCursor.wanted + 1}
    await session.execute(row.on_conflict_do_update(index_elements=["account", "open_kfid"], set_=news))
    await defer_read(session, account.name, callback.open_kfid)


async def defer_read(session: AsyncSession, account: str, open_kfid: str, *, after: timedelta = timedelta(0)) -> None:
    lock = f"wecom-read:{account}:{open_kfid}"
    await queue.defer(session, READ_TASK, {"account": account, "open_kfid": open_kfid}, lock, after=after)


class Reader:
    """Reads for all accounts."""

    def __init__(self, wecom: Wecom, sender: Sender) -> None:
        self._wecom = wecom
        self._sender = sender
        self._database = sender.database

    async def read(self, account: str, open_kfid: str) -> int:
        """Everything that is there to be read. Returns how many pages; nothing when another process is at it."""
        found = next((one for one in await self._sender.known() if one.name == account), None)
        if found is None or open_kfid not in found.kfids:
            return 0
        async with self._database.session() as guard:
            if not await guard.scalar(_TRY_LOCK, {"key": f"wecom:{account}:{open_kfid}"}):
                return await self._later(found, open_kfid, timedelta(seconds=1), 0)
            return await self._read_all(found, open_kfid)

    async def _read_all(self, account: Account, open_kfid: str) -> int:
        pages = 0
        while True:
            async with self._database.session() as session:
                row = await session.get(WecomCursor, (account.name, open_kfid), populate_existing=True)
                if row is None or row.wanted <= row.done:
                    return pages
                fresh = row.token_at is not None and bool(
                    await session.scalar(select(row.token_at > func.now() - TOKEN_FOR))
                )
            try:
                page = await self._page(account, row, row.token if fresh else "")
                reading = await self._reading(account, row, page)
            except (NotReached, Unclear) as error:
                _log.warning("WeCom could not be read: %s", error)
                return await self._later(account, open_kfid, AGAIN, pages)
            except Failed as failed:
                return await self._refused(account, row, failed, pages)
            says = await self._take(reading, row, page)
            pages += 1
            await self._say(account, says)
            if not page.more:
                return pages

    async def _page(self, account: Account, row: WecomCursor, token: str) -> Page:
        client = self._sender.client(account)
        try:
            return await client.read(row.open_kfid, row.cursor, token)
        except Failed as failed:
            if failed.code != BAD_CALLBACK_TOKEN or not token:
                raise
            return await client.read(row.open_kfid, row.cursor, "")

    async def _reading(self, account: Account, row: WecomCursor, page: Page) -> Reading:
        """Asks whose the sessions are of those who wrote, and who they are. Raises NotReached, Unclear."""
        items = _items(page)
        wrote = dict.fromkeys(item.who for item in items if item.origin == CUSTOMER)
        people = dict.fromkeys(item.who for item in items if item.who)
        async with self._database.session() as session:
            at = await session.scalar(select(func.now()))
            known = (
                await session.execute(
                    select(WecomUser.external_userid, WecomUser.state, WecomUser.message_at).where(
                        WecomUser.account == account.name, WecomUser.open_kfid == row.open_kfid, WecomUser.external_userid.in_(people)
                    )
                )
            ).all()
        ours = {one.external_userid for one in known if one.state == BOT and one.message_at and at - one.message_at < STATE_FOR}
        states: dict[str, int] = {}
        for who in wrote:
            if who not in ours and (state := await self._state(account, row.open_kfid, who)) is not None:
                states[who] = state
        strangers = [who for who in people if who not in {one.external_userid for one in known}]
        unionids = await self._unionids(account, strangers)
        return Reading(account, self._wecom.secret, self._wecom.begin, clock.now(), row.created_at - OLDER, states, unionids)

    async def _state(self, account: Account, open_kfid: str, who: str) -> int | None:
        try:
            return await self._sender.whose(account, open_kfid, who)
        except Failed as failed:
            _log.warning("WeCom does not tell the state of a session: %s", failed)
            return None  # whoever sends asks again

    async def _unionids(self, account: Account, people: Sequence[str]) -> dict[str, str]:
        """Who they are at our other accounts: good to know, and nothing waits for it."""
        try:
            return await self._sender.client(account).unionids(people) if people else {}
        except (Failed, NotReached, Unclear) as error:
            _log.info("WeCom does not tell UnionIDs: %s", error)
            return {}

    async def _take(self, reading: Reading, row: WecomCursor, page: Page) -> list[Say]:
        """The page's messages and the cursor's move, in one transaction."""
        says: list[Say] = []
        async with self._database.session() as session:
            for item in _items(page):
                try:
                    async with session.begin_nested():
                        said = await take(session, reading, item)
                except (OperationalError, InterfaceError):
                    raise  # the database: everything is taken the next time
                except Exception:  # one message must not hold up all that come after it
                    _log.exception("a message of WeCom's could not be taken")
                    continue
                if said is not None:
                    says.append(said)
            mine = [WecomCursor.account == row.account, WecomCursor.open_kfid == row.open_kfid, WecomCursor.cursor == row.cursor]
            # Last: a callback that is noted meanwhile must not wait for the page.
            await session.execute(
                update(WecomCursor)
                .where(*mine)
                .values(
                    cursor=page.cursor or WecomCursor.cursor, read_at=func.now(),
                    done=WecomCursor.done if page.more else func.greatest(WecomCursor.done, row.wanted),
                )
            )  # fmt: skip
        return says

    async def _say(self, account: Account, says: Sequence[Say]) -> None:
        """What belongs to no talk. Said once or not at all."""
        at = clock.now()
        for say in says:
            async with self._database.session() as session:
                user = await session.get_one(WecomUser, say.user_id, with_for_update=True, populate_existing=True)
                code, user.welcome_code, user.welcome_until = user.welcome_code, "", None
                if not code:
                    user.sent = [*user.sent, at][-12:]
            client, part, msgid = self._sender.client(account), Part(say.text, ()), f"s{say.user_id}-{int(at.timestamp() * 1000)}"
            try:
                if code:
                    await client.welcome(code, part, msgid)
                else:
                    await client.send(user.open_kfid, user.external_userid, part, msgid)
            except (Failed, NotReached, Unclear) as error:
                _log.warning("WeCom did not take what belongs to no talk: %s", error)

    async def _refused(self, account: Account, row: WecomCursor, failed: Failed, pages: int) -> int:
        _log.error("WeCom lets us read nothing: %s", failed)
        if failed.code == BAD_PARAMETER and row.cursor:
            # A cursor that WeCom no longer knows: from the beginning of its three days; what was taken is known.
            async with self._database.session() as session:
                await session.execute(
                    update(WecomCursor)
                    .where(WecomCursor.account == row.account, WecomCursor.open_kfid == row.open_kfid, WecomCursor.cursor == row.cursor)
                    .values(cursor="")
                )
            return await self._later(account, row.open_kfid, timedelta(seconds=1), pages)
        return await self._later(account, row.open_kfid, timedelta(seconds=failed.wait or 60), pages)

    async def _later(self, account: Account, open_kfid: str, after: timedelta, pages: int) -> int:
        async with self._database.session() as session:
            await defer_read(session, account.name, open_kfid, after=after)
        return pages


async def look_again(session: AsyncSession, accounts: Sequence[Account]) -> int:
    """Read what has no job though there is more, and every half an hour what nobody called about. Returns how many."""
    for account in accounts:
        for kfid in account.kfids:
            row = insert(WecomCursor).values(account=account.name, open_kfid=kfid, wanted=1, read_at=None)
            await session.execute(row.on_conflict_do_nothing())
    await session.execute(
        update(WecomCursor).where(WecomCursor.read_at < func.now() - LOOK_EVERY, WecomCursor.wanted <= WecomCursor.done).values(wanted=WecomCursor.wanted + 1)
    )
    ours = {(account.name, kfid) for account in accounts for kfid in account.kfids}
    lost = [row for row in (await session.execute(_LOST, {"task": READ_TASK})).all() if (row.account, row.open_kfid) in ours]
    for row in lost:
        await defer_read(session, row.account, row.open_kfid)
    return len(lost)


def _items(page: Page) -> list[Item]:
    return [item for item in map(read_item, page.items) if item is not None]


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
_LOST = text(
    """
    SELECT account, open_kfid FROM wecom_cursors WHERE wanted > done AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        WHERE job.task_name = :task AND job.status IN ('todo', 'doing')
          AND job.args ->> 'account' = wecom_cursors.account AND job.args ->> 'open_kfid' = wecom_cursors.open_kfid
    )
    """
)
