"""When a reply cannot be sent in a running WeChat talk, an invitation by the next way brings the customer to it (decision 0013).

The reply is kept, and stands in the talk as not delivered; on the web page the customer reads it and goes on. One invitation a
silence: not again before the customer was heard.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns import gate
from followup.campaigns.queue import CALLBACKS, last_numbers, wake
from followup.campaigns.send import CALLBACK_HOURS
from followup.campaigns.windows import is_open
from followup.channels.wechat.account import CHANNEL, Account
from followup.channels.wechat.plan import HALF_SENT
from followup.settings import SHANGHAI
from followup.store.campaign_models import Delivery

KIND = "resume"
WAIT = timedelta(minutes=10)
"""The customer may write meanwhile, and then it goes out by itself."""
NOT_OLDER = timedelta(days=3)
WAITS = ("no_budget", "45015", "45047")
"""Why a line waits for the customer."""
REFUSED = ("unsubscribed", "43004", "50005", "40003", "45002", "48001", HALF_SENT)
"""Why one will never be sent."""
WAYS = ("wechat", "sms", "email")
_AT_ONCE = 100


async def invite_undelivered(session: AsyncSession, accounts: Collection[Account], at: datetime) -> int:
    """Invitations for replies that were not delivered; returns how many. Only while call-backs may be made (8:30 to 21:00)."""
    await session.execute(_READ_ELSEWHERE, {"waits": list(WAITS), "like": f"{CHANNEL}%"})
    if not is_open(CALLBACK_HOURS, at):
        return 0
    noticed = {account.channel for account in accounts if account.notices}
    given = {"waits": list(WAITS), "refused": list(REFUSED), "like": f"{CHANNEL}%", "kind": KIND, "limit": _AT_ONCE}
    rows = (await session.execute(_UNDELIVERED, {**given, "newest": at - WAIT, "oldest": at - NOT_OLDER})).all()
    made = 0
    for row in rows:
        made += await _invite(session, row.case_id, row.contact_id, row.created_at, at, in_wechat=row.channel in noticed)
    return made


async def _invite(session: AsyncSession, case_id: str, contact_id: int, since: datetime, at: datetime, *, in_wechat: bool) -> bool:
    """By the first way the customer agreed to that was not tried for this reply. False: there is none, or somebody has them in hand."""
    day = at.astimezone(SHANGHAI).date()
    standing = (await gate.standings(session, [contact_id], day)).get(contact_id)
    if standing is None or standing.blocked:
        return False
    earlier = select(Delivery.channel, Delivery.status).where(Delivery.case_id == case_id, Delivery.kind == KIND, Delivery.queued_at >= since)
    tried = (await session.execute(earlier)).all()
    if any(one.status not in ("failed", "suppressed") for one in tried):
        return False  # another process was faster
    without = {one.channel for one in tried} | (set() if in_wechat else {"wechat"})
    channel = next((way for way in WAYS if way in standing.ways and way not in without), None)
    if channel is None:
        return False
    numbers = await last_numbers(session, [case_id])
    delivery = Delivery(
        case_id=case_id, contact_id=contact_id, number=numbers.get(case_id, 0) + 1, kind=KIND, channel=channel, priority=CALLBACKS, day=day,
        queued_at=at,
    )  # fmt: skip
    session.add(delivery)
    await session.flush()
    await wake(session)
    return True


# What we began ourselves (asking whether they are still there, a call-back) has invitations of its own, or needs none.
_UNDELIVERED = text(
    """
    SELECT DISTINCT ON (line.case_id) line.case_id, cases.contact_id, line.channel, line.created_at
    FROM messages AS line JOIN cases ON cases.id = line.case_id
    WHERE line.direction = 'out' AND (line.status IN ('failed', 'unknown') OR line.status = 'queued' AND line.error IS NOT NULL)
        AND (line.status = 'queued' AND line.error = ANY(:waits) OR line.status = 'failed' AND line.error = ANY(:refused))
        AND line.channel LIKE :like AND line.created_at > :oldest AND line.created_at <= :newest
        AND cases.status IN ('open', 'waiting') AND cases.erased_at IS NULL AND NOT cases.is_demo
        AND (line.in_reply_to IS NULL
            OR EXISTS (SELECT FROM messages AS heard WHERE heard.id = line.in_reply_to AND heard.direction = 'in'))
        AND NOT EXISTS (SELECT FROM messages AS later WHERE later.case_id = line.case_id AND later.id > line.id
            AND (later.direction = 'in' OR later.direction = 'system' AND later.channel <> 'system'))
        AND NOT EXISTS (SELECT FROM deliveries AS made WHERE made.case_id = line.case_id AND made.kind = :kind
            AND made.queued_at >= line.created_at AND made.status NOT IN ('failed', 'suppressed'))
    ORDER BY line.case_id, line.id LIMIT :limit
    """
)
# Who has gone on by another channel has read there what waited here: it is not said twice.
_READ_ELSEWHERE = text(
    """
    UPDATE messages AS line SET status = 'delivered', error = 'read_elsewhere'
    WHERE line.direction = 'out' AND line.status = 'queued' AND line.error = ANY(:waits) AND line.channel LIKE :like
        AND EXISTS (SELECT FROM messages AS later WHERE later.case_id = line.case_id AND later.id > line.id
            AND later.direction = 'in' AND later.channel = 'web')
    """
)
