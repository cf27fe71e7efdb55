"""The outbox of WeChat talks: rows queued -> sending -> sent | failed | unknown, each sent at most once (decision 0013).

Whoever sends marks the rows `sending` and commits before anything goes out, under the lock of the user's row: a passive reply
and the job never take the same row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.account import CHANNEL, Account
from followup.channels.wechat.plan import Budget, Line, Part, fitting, parts_of
from followup.store.models import Case, Message
from followup.store.records import is_blocked
from followup.store.wechat_models import WechatReceived, WechatUser

SEND_QUEUE, SEND_TASK = "wechat", "send_wechat"
STALE = timedelta(minutes=2)
"""No request takes so long: what is still `sending` then belongs to a killed process."""
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


async def has_queued(session: AsyncSession, case_id: str, channel: str) -> bool:
    return bool(await session.scalar(select(exists().where(*_queued(case_id, channel)))))


async def defer_send(session: AsyncSession, case_id: str, *, after: timedelta = timedelta(0)) -> None:
    """A job that sends what is queued, in the session's transaction."""
    await session.execute(_DEFER, {"queue": SEND_QUEUE, "task": SEND_TASK, "case_id": case_id, "after": after})


# A job that waits for its time must not hold the lock: procrastinate lets no later job of the same lock overtake it.
_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, CASE WHEN CAST(:after AS interval) = interval '0' THEN 'wechat:' || CAST(:case_id AS text) END, NULL, jsonb_build_object('case_id', CAST(:case_id AS text)),
            CASE WHEN CAST(:after AS interval) > interval '0' THEN clock_timestamp() + CAST(:after AS interval) END)
        ::procrastinate_job_to_defer_v1
    ])
    """
)


async def let_go(session: AsyncSession, user_id: int, case_id: str, channel: str) -> None:
    """The request is answered without a text: what is queued is for the job."""
    await session.execute(update(WechatUser).where(WechatUser.id == user_id).values(answering_until=None))
    await _for_the_job(session, case_id, channel)


async def _for_the_job(session: AsyncSession, case_id: str, channel: str) -> None:
    if await has_queued(session, case_id, channel):
        await defer_send(session, case_id)


async def take_for_reply(session: AsyncSession, account: Account, user_id: int, case_id: str, key: str, at: datetime) -> Part | None:
    """The passive reply to the message `key`, its rows marked `sending`; None when the job does it better, or there is nothing to say.

    Lets go as well: what is queued and no part of the reply has a job.
    """
    user = await session.get_one(WechatUser, user_id, with_for_update=True, populate_existing=True)
    user.answering_until = None
    if user.case_id != case_id or await _under_way(session, case_id, account.channel):
        await _for_the_job(session, case_id, account.channel)
        return None
    lines = await _lines(session, case_id, account.channel, at)
    if not lines:
        return None
    first, *rest = parts_of(lines)
    later = {row for part in rest for row in part.lines}
    as_menu = account.has_menus and bool(lines[-1].choices) and _budget(user).left(at) >= 2
    if account.may_send and (as_menu or later & set(first.lines)):
        await defer_send(session, case_id)
        return None
    await _mark(session, first.lines, "sending", at, error=passive_mark(key))
    if later:
        await defer_send(session, case_id)
    return first


async def take_to_send(session: AsyncSession, account: Account, case_id: str, at: datetime) -> Ready | Held | None:
    """What the job may send now, marked `sending` and counted; what exceeds the budget stays queued.

    What an earlier job of this talk left `sending` is unknown: nobody can say whether WeChat has it.
    """
    user = await session.scalar(
        select(WechatUser)
        .where(WechatUser.account == account.name, WechatUser.case_id == case_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if user is None:
        return None
    wait = await session.scalar(
        select(func.extract("epoch", WechatUser.answering_until - func.clock_timestamp())).where(WechatUser.id == user.id)
    )
    if wait is not None and wait > 0:
        return Held()
    await give_up_stale(session, at, case_id)
    lines = await _lines(session, case_id, account.channel, at)
    if not lines or not account.may_send or not user.follows:
        if lines and not user.follows:
            await _mark(session, [line.id for line in lines], "failed", at, error="unsubscribed")
        return None
    left = _budget(user).left(at)
    parts, waiting = fitting(parts_of(lines, menu=account.has_menus), left)
    if waiting:
        await session.execute(update(Message).where(Message.id.in_(waiting)).values(error="no_budget"))
    if not parts:
        return None
    user.sent = [*user.sent, *([at] * len(parts))][-REMEMBERED:]
    await _mark(session, [row for part in parts for row in part.lines], "sending", at)
    return Ready(user.openid, tuple(parts))


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


async def settle(session: AsyncSession, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    """What became of rows that are `sending`. `queued`: certainly not sent, to be tried again."""
    sending = [Message.id.in_(rows), Message.status == "sending"]
    await session.execute(update(Message).where(*sending).values(status=status, error=error, handled_at=at))


async def give_up_stale(session: AsyncSession, at: datetime, case_id: str | None = None) -> int:
    """What killed processes left `sending` becomes `unknown`."""
    stale = [Message.direction == "out", Message.status == "sending", Message.handled_at <= at - STALE]
    stale += [Message.channel.startswith(CHANNEL)]
    if case_id is not None:
        stale.append(Message.case_id == case_id)
    done = await session.execute(update(Message).where(*stale).values(status="unknown", error="interrupted"))
    return int(done.rowcount)


async def tidy(session: AsyncSession, at: datetime) -> tuple[int, int]:
    """What killed processes left; queued rows without a job get one. Returns how many of each."""
    stale = await give_up_stale(session, at)
    await session.execute(WechatReceived.__table__.delete().where(WechatReceived.at < func.now() - KEEP_RECEIVED))
    lost = list(await session.scalars(_LOST, {"task": SEND_TASK}))
    for case_id in lost:
        await defer_send(session, case_id)
    return stale, len(lost)


# Rows that wait for the customer (`no_budget` and what WeChat answered) need no job until the customer is heard.
_LOST = text(
    """
    SELECT DISTINCT case_id FROM messages
    WHERE direction = 'out' AND status = 'queued' AND channel LIKE 'wechat:%' AND error IS NULL AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        WHERE job.task_name = :task AND job.status IN ('todo', 'doing') AND job.args ->> 'case_id' = messages.case_id
    )
    """
)


def _queued(case_id: str, channel: str) -> list[object]:
    return [Message.case_id == case_id, Message.direction == "out", Message.channel == channel, Message.status == "queued"]


async def _under_way(session: AsyncSession, case_id: str, channel: str) -> bool:
    return bool(
        await session.scalar(
            select(exists().where(Message.case_id == case_id, Message.direction == "out", Message.channel == channel, Message.status == "sending"))
        )
    )


async def _lines(session: AsyncSession, case_id: str, channel: str, at: datetime) -> list[Line]:
    """What is to be said, oldest first; what we began ourselves is not said any more to who opted out."""
    rows = (
        await session.execute(
            select(Message.id, Message.text, Message.quick_replies, Message.in_reply_to)
            .where(*_queued(case_id, channel))
            .order_by(Message.id)
            .with_for_update()
        )
    ).all()
    if rows and await _blocked(session, case_id):
        ours = set(await session.scalars(select(Message.id).where(Message.id.in_([r.in_reply_to for r in rows]), Message.channel == "system")))
        stopped = [row.id for row in rows if row.in_reply_to in ours]
        await _mark(session, stopped, "failed", at, error="do_not_contact")
        rows = [row for row in rows if row.in_reply_to not in ours]
    return [Line(row.id, row.text, tuple(map(str, row.quick_replies or ()))) for row in rows]


async def _blocked(session: AsyncSession, case_id: str) -> bool:
    contact_id = await session.scalar(select(Case.contact_id).where(Case.id == case_id))
    return contact_id is not None and await is_blocked(session, contact_id)


async def _mark(session: AsyncSession, rows: Sequence[int], status: str, at: datetime, *, error: str | None = None) -> None:
    if rows:
        await session.execute(update(Message).where(Message.id.in_(rows)).values(status=status, error=error, handled_at=at))


def _budget(user: WechatUser) -> Budget:
    return Budget(user.message_at, user.click_at, tuple(user.sent))
