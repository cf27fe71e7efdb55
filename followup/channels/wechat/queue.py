"""The outbox of WeChat talks: rows queued -> sending -> sent | failed | unknown, each sent at most once (decision 0013).

Whoever sends marks the rows `sending` and commits before anything goes out, under the lock of the user's row: a passive reply
and the job never take the same row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat import outbox
from followup.channels.wechat.account import CHANNEL, Account
from followup.channels.wechat.plan import Budget, Line, Part, fitting, parts_of
from followup.store.models import Message
from followup.store.wechat_models import WechatReceived, WechatUser

SEND_QUEUE, SEND_TASK = "wechat", "send_wechat"
KEEP_RECEIVED = timedelta(days=3)
REMEMBERED = 12
ASKS_AGAIN = timedelta(seconds=4)
"""WeChat sends a message again after five seconds without an answer; a little less, for the way here."""
ASKED_AGAIN = "asked_again"


@dataclass(frozen=True, slots=True)
class Ready:
    """Messages whose rows are marked `sending`."""

    openid: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A request of WeChat's waits to answer passively. It makes a job when it goes without; the clock does when it was killed."""


async def defer_send(session: AsyncSession, case_id: str, *, after: timedelta = timedelta(0)) -> None:
    """A job that sends what is queued, in the session's transaction. Without `after` the user's row must be locked in it."""
    args, lock = json.dumps({"case_id": case_id}), f"wechat:{case_id}"
    await outbox.defer(session, SEND_QUEUE, SEND_TASK, args, lock, after, once=not after)


async def let_go(session: AsyncSession, user_id: int, case_id: str, channel: str) -> None:
    """The request is answered without a text: what is queued is for the job."""
    await session.execute(update(WechatUser).where(WechatUser.id == user_id).values(answering_until=None))
    await _for_the_job(session, case_id, channel)


async def _for_the_job(session: AsyncSession, case_id: str, channel: str) -> None:
    if await outbox.has_queued(session, case_id, channel):
        await defer_send(session, case_id)


async def take_for_reply(session: AsyncSession, account: Account, user_id: int, case_id: str, key: str, at: datetime) -> Part | None:
    """The passive reply to the message `key`, its rows marked `sending`; None when the job does it better, or there is nothing to say.

    Lets go as well: what is queued and no part of the reply has a job.
    """
    user = await session.get_one(WechatUser, user_id, with_for_update=True, populate_existing=True)
    user.answering_until = None
    if user.case_id != case_id:
        await _for_the_job(session, case_id, account.channel)
        return None
    stock = await outbox.take_stock(session, case_id, account.channel, at)
    if not stock.lines:
        return None
    first, *rest = parts_of(stock.lines)
    if stock.under_way or _is_for_the_job(account, user, stock.lines, [first, *rest], at):
        await defer_send(session, case_id)
        return None
    await outbox.mark(session, first.lines, "sending", at, error=passive_mark(key))
    if rest:
        await defer_send(session, case_id)
    return first


def _is_for_the_job(account: Account, user: WechatUser, lines: Sequence[Line], parts: Sequence[Part], at: datetime) -> bool:
    """Whether the passive reply is the worse way: choices are to be tapped, or a line would be cut."""
    if not account.may_send:
        return False
    if account.has_menus and lines[-1].choices and _budget(user).left(at) >= 2:
        return True
    return any(row in parts[0].lines for part in parts[1:] for row in part.lines)


async def take_to_send(session: AsyncSession, account: Account, case_id: str, at: datetime) -> Ready | Held | None:
    """What the job may send now, marked `sending` and counted; what exceeds the budget stays queued."""
    found = (await session.execute(_USER_OF, {"account": account.name, "case": case_id})).one_or_none()
    if found is None:
        return None
    user, held = found
    lines = (await outbox.take_stock(session, case_id, account.channel, at)).lines
    if held and not (lines and _is_for_the_job(account, user, lines, parts_of(lines), at)):
        return Held()
    if not lines or not account.may_send or not user.follows:
        if lines and not user.follows:
            await outbox.mark(session, [line.id for line in lines], "failed", at, error="unsubscribed")
        return None
    left = _budget(user).left(at)
    parts, waiting = fitting(parts_of(lines, menu=account.has_menus), left)
    if waiting:
        await session.execute(update(Message).where(Message.id.in_(waiting)).values(error="no_budget"))
    if not parts:
        return None
    user.sent = [*user.sent, *([at] * len(parts))][-REMEMBERED:]
    await outbox.mark(session, [row for part in parts for row in part.lines], "sending", at)
    return Ready(user.openid, tuple(parts))


_USER_OF = (
    select(WechatUser, (WechatUser.answering_until > func.clock_timestamp()).label("held"))
    .where(WechatUser.account == bindparam("account", type_=Text), WechatUser.case_id == bindparam("case", type_=Text))
    .with_for_update()
    .execution_options(populate_existing=True)
)


async def count_one_more(session: AsyncSession, account: Account, openid: str, at: datetime) -> bool:
    """Whether one message more than was counted may be sent now; it is counted."""
    whose = select(WechatUser).where(WechatUser.account == account.name, WechatUser.openid == openid)
    user = await session.scalar(whose.with_for_update().execution_options(populate_existing=True))
    if user is None or not _budget(user).left(at):
        return False
    user.sent = [*user.sent, at][-REMEMBERED:]
    return True


async def reply_was_lost(session: AsyncSession, account: Account, case_id: str | None, key: str) -> None:
    """WeChat sends a message again although it was answered: nobody knows whether the customer has the passive reply.

    What comes within the time WeChat waits is the network's doing and says nothing.
    """
    answered = [Message.case_id == case_id, Message.direction == "out", Message.channel == account.channel, Message.error == passive_mark(key)]
    long_ago = select(WechatReceived.at <= func.clock_timestamp() - ASKS_AGAIN).where(WechatReceived.account == account.name, WechatReceived.key == key)
    if await session.scalar(long_ago):
        await session.execute(
            update(Message).where(*answered, Message.status.in_(("sending", "sent"))).values(status="unknown", error=ASKED_AGAIN)
        )


def passive_mark(key: str) -> str:
    """What stands as `error` of lines that went as the passive reply to the message `key`."""
    return "passive " + hashlib.sha256(key.encode()).hexdigest()[:16]


async def tidy(session: AsyncSession, at: datetime) -> tuple[int, int]:
    """What killed processes left; queued rows without a job get one. Returns how many of each."""
    stale = await outbox.give_up_stale(session, CHANNEL, at)
    await session.execute(WechatReceived.__table__.delete().where(WechatReceived.at < func.now() - KEEP_RECEIVED))
    lost = await outbox.lost(session, CHANNEL, SEND_TASK)
    for case_id in lost:
        await defer_send(session, case_id)
    return stale, len(lost)


def _budget(user: WechatUser) -> Budget:
    return Budget(user.message_at, user.click_at, tuple(user.sent))
