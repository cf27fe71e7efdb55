"""What WeChat and the customer tell about invitations: arrived or not, subscribed or turned off, followed no longer.

Reports come twice, and before our own sending has returned. Each is kept under WeChat's number; the ledger is told when its
delivery is known, at once or by the clock.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.reports import arrived, not_arrived
from followup.channels.wechat.account import Account
from followup.channels.wechat.notifier import CHANNEL, PROVIDER
from followup.channels.wechat.parse import Incoming
from followup.channels.wording import load_wording
from followup.contacts.consent import standing, withdraw_all
from followup.rights.block import BlockError, Source, block_contact
from followup.store.campaign_models import Consent, Delivery
from followup.store.wechat_models import WechatUser
from followup.store.wechat_notice_models import WechatReport, WechatSubscription

_log = logging.getLogger(__name__)

ARRIVED, USER_BLOCK, SYSTEM_FAILED = "delivered", "user_block", "system_failed"
EVENTS = ("templatesendjobfinish", "subscribe_msg_sent_event", "subscribe_msg_popup_event", "subscribe_msg_change_event")
KEPT = timedelta(days=3)
_SOON = timedelta(hours=1)
"""No report of a message comes later, where it must be found without its number."""
_EARLY = timedelta(minutes=1)
_AT_ONCE = 200


async def take_event(session: AsyncSession, account: Account, user: WechatUser, got: Incoming, at: datetime) -> None:
    """One of EVENTS. Told again it changes nothing (`wechat_received`, and the report's own key)."""
    if got.event == "templatesendjobfinish":
        if number := got.text.strip():
            await _report(session, account, user, number, _template_code(got.detail), "", min(got.at, at), at)
        return
    for one in _listed(got.detail):
        template, word = one.get("TemplateId", "")[:64], one.get("SubscribeStatusString", "").lower()
        if got.event == "subscribe_msg_sent_event":
            if number := one.get("MsgID", "").strip():
                code = ARRIVED if one.get("ErrorCode", "").strip() in ("0", "") else _word(one["ErrorCode"])
                await _report(session, account, user, number, code, template, min(got.at, at), at)
        elif account.notices.subscribed(template) is None:
            continue  # of another system of the firm's, and none of our business
        elif got.event == "subscribe_msg_popup_event" and word == "accept":
            await _subscribed(session, user, template, at)
        elif got.event == "subscribe_msg_change_event" and word == "reject":
            await _turned_off(session, user, template, at)


async def unfollowed(session: AsyncSession, user: WechatUser, at: datetime) -> None:
    """The customer follows no more: nothing is sent by WeChat until they agree to it anew. Following again is no agreement."""
    await withdraw(session, user, "wechat_unfollowed", at)


async def stop(session: AsyncSession, contact_id: int, said: str, at: datetime) -> None:
    """The answer to an invitation was to be left alone: never contacted again (house rule do_not_contact)."""
    try:
        entry = await block_contact(session, contact_id, load_wording().block_reasons["wechat"].format(text=said[:50]), None, at, Source.CUSTOMER)
        entry.words = said
    except BlockError as error:
        if error.key != "already":
            raise
    await withdraw_all(session, contact_id, CHANNEL, at)


async def withdraw(session: AsyncSession, user: WechatUser, why: str, at: datetime) -> None:
    """The consent to WeChat is taken back, if it stands. `why`: a key of wording.yml, block_reasons."""
    if user.contact_id is not None and (await standing(session, user.contact_id)).get(CHANNEL):
        source = load_wording().block_reasons[why]
        session.add(Consent(contact_id=user.contact_id, channel=CHANNEL, given=False, source=source, at=at))
        await session.flush()


async def settle(session: AsyncSession, at: datetime, *, user_id: int | None = None) -> int:
    """Write the reports whose delivery is known into the ledger; returns how many. Those nobody asks for are forgotten."""
    found = select(WechatReport).where(WechatReport.settled_at.is_(None)).order_by(WechatReport.at).limit(_AT_ONCE)
    if user_id is not None:
        found = found.where(WechatReport.user_id == user_id)
    else:
        await session.execute(delete(WechatReport).where(WechatReport.at < at - KEPT))
    done = 0
    for report in list(await session.scalars(found.with_for_update(skip_locked=True).execution_options(populate_existing=True))):
        done += await _settle_one(session, report, at)
    return done


async def _settle_one(session: AsyncSession, report: WechatReport, at: datetime) -> bool:
    user = await session.get_one(WechatUser, report.user_id)
    delivery = await _delivery_of(session, report, user)
    if delivery is None:
        return False
    report.settled_at = at
    if delivery.provider_id is None:
        delivery.provider, delivery.provider_id = PROVIDER, f"{report.account}:{report.number}"
    if report.code == ARRIVED:
        await arrived(session, delivery, at, report.at)
    elif delivery.status in ("accepted", "unknown"):
        await not_arrived(session, delivery, report.code, at, lasting=report.code != SYSTEM_FAILED)
        if report.code == USER_BLOCK:
            await withdraw(session, user, "wechat_blocked", at)
    return True


async def _delivery_of(session: AsyncSession, report: WechatReport, user: WechatUser) -> Delivery | None:
    """By WeChat's number; where the answer that told it was lost, or a subscribe message had none, the one open delivery of then.

    Never waits for a sender that has it in hand: the clock asks again.
    """
    found = select(Delivery).where(Delivery.channel == CHANNEL)
    locked = found.with_for_update(key_share=True, skip_locked=True).execution_options(populate_existing=True)
    own = locked.where(Delivery.provider == PROVIDER, Delivery.provider_id == f"{report.account}:{report.number}")
    if (delivery := await session.scalar(own.where(Delivery.status.not_in(("queued", "sending"))))) is not None:
        return delivery
    if user.contact_id is None:
        return None
    without = Delivery.status == "unknown" if not report.template else Delivery.status.in_(("unknown", "accepted"))
    around = Delivery.sending_at.between(report.at - _SOON, report.at + _EARLY)
    open_ones = list(
        await session.scalars(locked.where(Delivery.contact_id == user.contact_id, Delivery.provider_id.is_(None), without, around))
    )
    return open_ones[0] if len(open_ones) == 1 else None


async def _report(
    session: AsyncSession, account: Account, user: WechatUser, number: str, code: str, template: str, when: datetime, at: datetime
) -> None:
    kept = insert(WechatReport).values(
        account=account.name, number=number[:64], user_id=user.id, code=code, template=template, at=when
    )
    await session.execute(kept.on_conflict_do_nothing())
    await settle(session, at, user_id=user.id)


async def _subscribed(session: AsyncSession, user: WechatUser, template: str, at: datetime) -> None:
    """The customer agreed in WeChat's own window to be told: one message more, and a consent of their own doing."""
    row = await _subscription(session, user, template)
    row.allowed, row.refused_at, row.changed_at = row.allowed + 1, None, at
    if user.contact_id is not None and not (await standing(session, user.contact_id)).get(CHANNEL):
        source = load_wording().block_reasons["wechat_subscribed"]
        session.add(Consent(contact_id=user.contact_id, channel=CHANNEL, given=True, source=source, text_version=template, at=at))
        await session.flush()


async def _turned_off(session: AsyncSession, user: WechatUser, template: str, at: datetime) -> None:
    row = await _subscription(session, user, template)
    row.allowed, row.refused_at, row.changed_at = 0, at, at
    await withdraw(session, user, "wechat_turned_off", at)


async def _subscription(session: AsyncSession, user: WechatUser, template: str) -> WechatSubscription:
    made = insert(WechatSubscription).values(user_id=user.id, template=template)
    await session.execute(made.on_conflict_do_nothing())
    return await session.get_one(WechatSubscription, (user.id, template), with_for_update=True, populate_existing=True)


def _template_code(status: str) -> str:
    """success, failed:user block, failed:system failed, or what nobody has met yet."""
    word = status.strip().lower()
    if word == "success":
        return ARRIVED
    return USER_BLOCK if "block" in word else SYSTEM_FAILED if "system" in word else _word(word) or SYSTEM_FAILED


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")[:40]


def _listed(detail: str) -> list[dict[str, str]]:
    """What `parse` made of the event's list."""
    try:
        read = json.loads(detail)
    except ValueError:
        return []
    return [one for one in read if isinstance(one, dict)] if isinstance(read, list) else []
