"""What became of a line of ours in WeChat and 企业微信, what of a talk can still be sent, and what did not arrive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.account import CHANNEL
from followup.channels.wechat.plan import CLICK_WINDOW, MESSAGE_WINDOW, Budget
from followup.console.labels import labels
from followup.console.wechat.said import Said, code_said, said
from followup.store.messages import customers_channel
from followup.store.models import Case, Contact, Message
from followup.store.wechat_account_models import DeliveryCheck
from followup.store.wechat_models import WechatUser

PREFIXES = (CHANNEL, "wecom:")
"""Channels that carry a line to somebody's phone, and may fail to. What is on the web waits there to be read."""
STATES = {"queued": "waiting", "sending": "sending", "sent": "sent", "delivered": "delivered", "failed": "refused", "unknown": "unknown"}
"""Status of a message -> a key of the labels delivery_states."""
TONES = {"waiting": "warn", "sending": "", "sent": "ok", "delivered": "ok", "refused": "danger", "unknown": "danger"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Of one line."""

    state: str
    why: str = ""
    todo: str = ""

    @property
    def tone(self) -> str:
        """waiting without a reason is what every line is for a moment."""
        return "" if self.state == "waiting" and not self.why else TONES[self.state]

    @property
    def needs_somebody(self) -> bool:
        return self.state in ("refused", "unknown") or (self.state == "waiting" and bool(self.why))


def delivery_of(direction: str, channel: str, status: str, error: str | None) -> Delivery | None:
    """None for what is no line of ours that goes by such a channel."""
    if direction != "out" or not channel.startswith(PREFIXES) or status not in STATES:
        return None
    state = STATES[status]
    if state in ("sent", "delivered", "sending"):
        return Delivery(state)
    if state == "waiting" and not error:
        return Delivery(state)
    reason = reason_said(error or "", unclear=state == "unknown")
    return Delivery(state, reason.what, reason.todo)


def reason_said(error: str, *, unclear: bool = False) -> Said:
    """A message's `error` in Chinese: a code of WeChat's, a reason of ours, or as it stands."""
    if re.fullmatch(r"-?[0-9]{1,6}", error):
        found = code_said(int(error))
        return Said(f"{found.what}（{error}）", found.todo)
    if error in labels()["delivery_reasons"]:
        return said("delivery_reasons", error)
    return said("delivery_reasons", "unclear" if unclear else "other")


# —— how many more ————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Quota:
    """What may still be sent to the customer of a talk in WeChat without their writing."""

    account: str
    follows: bool
    left: int
    until: datetime | None
    """When the window closes; None: none is open."""


async def quota_of(session: AsyncSession, case_id: str, at: datetime) -> Quota | None:
    """None for a talk that nobody holds in WeChat."""
    channel = await customers_channel(session, case_id)
    users = (await session.scalars(select(WechatUser).where(WechatUser.case_id == case_id).order_by(WechatUser.id))).all()
    if not users:
        return None
    user = next((one for one in users if CHANNEL + one.account == channel), users[-1])
    return quota(user, at)


def quota(user: WechatUser, at: datetime) -> Quota:
    sent = tuple(user.sent)
    windows = [
        (Budget(user.message_at, None, sent).left(at), user.message_at, MESSAGE_WINDOW),
        (Budget(None, user.click_at, sent).left(at), user.click_at, CLICK_WINDOW),
    ]
    left, opened, window = max(windows, key=lambda one: one[0])
    return Quota(user.account, user.follows, left, opened + window if left and opened is not None else None)


# —— what did not arrive ——————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A line that the customer did not get, or perhaps did not get, or will get when they write."""

    message: Message
    case: Case
    contact: Contact
    delivery: Delivery
    checked_by: int | None


def _wanted(state: str, *, settled: bool) -> list[ColumnElement[bool]]:
    by_phone = or_(*(Message.channel.startswith(prefix) for prefix in PREFIXES))
    queued = and_(Message.status == "queued", Message.error.is_not(None))
    kinds = {"refused": Message.status == "failed", "unknown": Message.status == "unknown", "waiting": queued}
    # The same words as the partial index, so that it is used.
    found: list[ColumnElement[bool]] = [Message.direction == "out", or_(Message.status.in_(("failed", "unknown")), queued), by_phone]
    found += [kinds[state]] if state in kinds else []
    found.append(Case.erased_at.is_(None))
    if not settled:
        found.append(DeliveryCheck.message_id.is_(None))
    return found


async def undelivered(session: AsyncSession, state: str, *, settled: bool, limit: int, offset: int) -> list[Undelivered]:
    """Newest first; `state` empty: all of them. `settled`: also those that a colleague has seen to."""
    rows = await session.execute(
        select(Message, Case, Contact, DeliveryCheck.user_id)
        .join(Case, Case.id == Message.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .outerjoin(DeliveryCheck, DeliveryCheck.message_id == Message.id)
        .where(*_wanted(state, settled=settled))
        .order_by(Message.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Undelivered(message, case, contact, _delivery(message), checked) for message, case, contact, checked in rows]


async def count_undelivered(session: AsyncSession, state: str, *, settled: bool, most: int) -> int:
    ids = select(Message.id).join(Case, Case.id == Message.case_id).outerjoin(DeliveryCheck, DeliveryCheck.message_id == Message.id).where(*_wanted(state, settled=settled)).limit(most)
    return await session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _delivery(message: Message) -> Delivery:
    found = delivery_of(message.direction, message.channel, message.status, message.error)
    assert found is not None
    return found
