"""The outbox of 微信客服: rows queued -> sending -> sent | failed | unknown, each sent at most once (decisions 0013, 0015).

The job marks the rows `sending` and commits before anything goes out, under the lock of the user's row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat import outbox
from followup.channels.wechat.plan import Budget, Line, Part, fitting, parts_of
from followup.channels.wecom.account import CHANNEL, Account
from followup.channels.wecom.client import BOT, HUMAN, POOL
from followup.store.models import Message
from followup.store.wecom_models import WecomReceived, WecomSent, WecomUser

SEND_QUEUE, SEND_TASK = "wecom", "send_wecom"
KEEP = timedelta(days=5)
"""WeCom keeps its messages for 3 days: what is older cannot come again."""
LONGEST_HEAD, LONGEST_CHOICE = 1024, 128
"""UTF-8 bytes of a menu message's text and of one choice."""
TO_A_SERVICER = "a servicer speaks"
_REMEMBERED = 12


@dataclass(frozen=True, slots=True)
class Ready:
    """Messages whose rows are marked `sending`. With a welcome code the first goes by it."""

    user_id: int
    open_kfid: str
    who: str
    parts: tuple[Part, ...]
    msgids: tuple[str, ...]
    welcome_code: str = ""


async def defer(session: AsyncSession, task: str, args: dict[str, str], lock: str, *, after: timedelta = timedelta(0)) -> None:
    """A job of ours, in the session's transaction."""
    await outbox.defer(session, SEND_QUEUE, task, json.dumps(args), lock, after)


async def defer_send(session: AsyncSession, case_id: str, *, after: timedelta = timedelta(0)) -> None:
    """A job that sends what is queued for the talk."""
    await defer(session, SEND_TASK, {"case_id": case_id}, f"wecom:{case_id}", after=after)


async def user_of(session: AsyncSession, account: Account, case_id: str, *, lock: bool = False) -> WecomUser | None:
    """Who holds this talk by this account."""
    found = select(WecomUser).where(WecomUser.account == account.name, WecomUser.case_id == case_id)
    return await session.scalar((found.with_for_update() if lock else found).execution_options(populate_existing=True))


async def take_to_send(session: AsyncSession, account: Account, case_id: str, at: datetime) -> Ready | None:
    """What may be sent now, marked `sending` and counted; what exceeds the budget stays queued until the customer writes."""
    user = await user_of(session, account, case_id, lock=True)
    if user is None:
        return None
    lines = (await outbox.take_stock(session, case_id, account.channel, at)).lines
    if not lines:
        return None
    if user.state in (POOL, HUMAN):
        await outbox.mark(session, [line.id for line in lines], "failed", at, error=TO_A_SERVICER)
        return None
    code = user.welcome_code if user.welcome_until is not None and user.welcome_until > datetime.now(UTC) else ""
    left = Budget(user.message_at, None, tuple(user.sent)).left(at) if user.state == BOT else 0
    parts, waiting = fitting(_parts(lines), left + bool(code))
    if waiting:
        await session.execute(update(Message).where(Message.id.in_(waiting)).values(error="no_budget"))
    if not parts:
        return None
    if code:
        user.welcome_code, user.welcome_until = "", None
    user.sent = [*user.sent, *([at] * (len(parts) - bool(code)))][-_REMEMBERED:]
    await outbox.mark(session, [row for part in parts for row in part.lines], "sending", at)
    msgids = _msgids(parts)
    for msgid, part in zip(msgids, parts, strict=True):
        await _note_sent(session, account, user.id, part, msgid)
    return Ready(user.id, user.open_kfid, user.external_userid, tuple(parts), msgids, code)


async def count_one_more(session: AsyncSession, account: Account, user_id: int, part: Part, msgid: str, at: datetime) -> bool:
    """Whether one message more than was counted may be sent now; it is counted, under its own id."""
    user = await session.get_one(WecomUser, user_id, with_for_update=True, populate_existing=True)
    if not Budget(user.message_at, None, tuple(user.sent)).left(at):
        return False
    user.sent = [*user.sent, at][-_REMEMBERED:]
    await _note_sent(session, account, user_id, part, msgid)
    return True


async def _note_sent(session: AsyncSession, account: Account, user_id: int, part: Part, msgid: str) -> None:
    """Whose lines `msg_send_fail` will mean by this id."""
    row = insert(WecomSent).values(account=account.name, msgid=msgid, rows=list(part.lines), user_id=user_id)
    await session.execute(row.on_conflict_do_update(index_elements=["account", "msgid"], set_={"rows": row.excluded.rows}))


def _parts(lines: Sequence[Line]) -> list[Part]:
    parts = parts_of(lines, menu=True)
    last = parts[-1]
    long = len(last.text.encode()) > LONGEST_HEAD or any(len(choice.encode()) > LONGEST_CHOICE for choice in last.menu)
    return parts_of(lines) if last.menu and long else parts


def _msgids(parts: Sequence[Part]) -> tuple[str, ...]:
    """The same each time the same line is tried: its row and, of a line that was cut, which piece (at most 32 characters)."""
    seen: dict[int, int] = {}
    found = []
    for part in parts:
        row = part.lines[0]
        found.append(f"m{row}-{seen.get(row, 0)}")
        for line in part.lines:
            seen[line] = seen.get(line, 0) + 1
    return tuple(found)


async def not_counted(session: AsyncSession, user_id: int, at: datetime, count: int) -> None:
    """Messages that were counted at `at` and certainly not sent."""
    user = await session.get_one(WecomUser, user_id, with_for_update=True, populate_existing=True)
    sent = list(user.sent)
    for _ in range(count):
        if at in sent:
            sent.remove(at)
    user.sent = sent


async def failed_later(session: AsyncSession, account: str, msgid: str, why: str, at: datetime) -> int:
    """WeCom tells that a message of ours did not arrive; also before our own request has returned. Returns how many lines."""
    rows = await session.scalar(select(WecomSent.rows).where(WecomSent.account == account, WecomSent.msgid == msgid))
    if not rows:
        return 0
    done = await session.execute(
        update(Message)
        .where(Message.id.in_(rows), Message.direction == "out", Message.status.in_(("sending", "sent", "unknown")))
        .values(status="failed", error=why, handled_at=at)
    )
    return int(done.rowcount)


async def tidy(session: AsyncSession, at: datetime) -> tuple[int, int]:
    """What killed processes left; queued rows without a job get one. Returns how many of each."""
    stale = await outbox.give_up_stale(session, CHANNEL, at)
    for table in (WecomReceived.__table__, WecomSent.__table__):
        await session.execute(table.delete().where(table.c.at < func.now() - KEEP))
    lost = await outbox.lost(session, CHANNEL, SEND_TASK)
    for case_id in lost:
        await defer_send(session, case_id)
    return stale, len(lost)
