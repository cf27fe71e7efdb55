"""Invitations by WeChat: a customer-service message while the customer's window is open, else a template or subscribe message.

Whoever has neither is refused, and the campaign goes on to the next channel the customer agreed to (decision 0013).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.channels.wechat import client as wechat
from followup.channels.wechat.account import Account
from followup.channels.wechat.plan import Budget, Part
from followup.channels.wechat.queue import REMEMBERED
from followup.channels.wechat.send import Sender
from followup.channels.wechat.template import BadField, Notice, Way, filled
from followup.channels.wording import load_wording
from followup.store.campaign_models import Delivery
from followup.store.models import Message
from followup.store.wechat_models import WechatUser
from followup.store.wechat_notice_models import WechatInvitation, WechatSubscription

_log = logging.getLogger(__name__)

CHANNEL = PROVIDER = "wechat"
NO_OPENID, NO_ACCOUNT, UNSUBSCRIBED, NO_WAY_IN, BAD_FIELD = "no_openid", "no_account", "unsubscribed", "window_closed", "field_not_taken"
_NEXT_WAY = frozenset({wechat.WINDOW_CLOSED, wechat.TOO_MANY, wechat.NO_RIGHT, wechat.REFUSED_NOTICE})
_SENSITIVE, _AT_ONCE = 45168, 43108


@dataclass(frozen=True, slots=True)
class _Who:
    """The customer at one account, as they stand now."""

    user_id: int
    openid: str
    custom: bool
    """A customer-service message was counted for us and may go."""
    in_the_talk: bool
    """A line of the talk is on its way to them here: it says more than an invitation would."""


class WechatNotifier:
    channel = CHANNEL
    provider = PROVIDER

    def __init__(self, sender: Sender) -> None:
        self._sender, self._database = sender, sender.database

    async def send(self, invitation: Invitation) -> Accepted:
        name, _, openid = invitation.to.partition(":")
        if not openid:
            raise Refused(NO_OPENID)
        account = next((one for one in await self._sender.known() if one.name == name), None)
        if account is None or not account.may_send:
            raise Refused(NO_ACCOUNT)
        async with self._database.session() as session:
            who = await _who(session, account, openid, invitation, clock.now())
        if who.in_the_talk:
            return Accepted()
        refused = Refused(NO_WAY_IN)
        if who.custom:
            try:
                return await self._ask(account, who, self._sender.client(account).send(openid, Part(invitation_text(invitation), ())))
            except _NextWay as error:
                refused = error.refused
        for notice in account.notices.of(invitation.kind):
            try:
                return await self._notice(account, who, notice, invitation)
            except _NextWay as error:
                refused = error.refused
        raise refused

    async def _notice(self, account: Account, who: _Who, notice: Notice, invitation: Invitation) -> Accepted:
        try:
            data = filled(notice, _blanks(invitation), clock.now())
        except BadField as error:
            raise Refused(BAD_FIELD, error.name, "permanent" if error.of_customer else "ours") from None
        client = self._sender.client(account)
        if notice.way is Way.TEMPLATE:
            key = f"followup-{invitation.delivery_id}"

            async def ask() -> str:
                return await client.send_template(who.openid, notice.template, invitation.link, data, key)

            try:
                return await self._ask(account, who, ask())
            except Unclear:
                # The key makes asking again harmless. A refusal now would not say what became of the first.
                try:
                    return Accepted(_numbered(account, await ask()))
                except (wechat.Failed, wechat.Unclear, wechat.NotReached) as error:
                    raise Unclear(str(error)) from None
        async with self._database.session() as session:
            if not await _take_permission(session, who.user_id, notice):
                raise _NextWay(Refused(str(wechat.REFUSED_NOTICE), kind="blocked"))
        try:
            return await self._ask(account, who, client.send_subscribe(who.openid, notice.template, invitation.link, data))
        except Unclear:
            raise
        except (Refused, _NextWay) as error:
            refused = error.refused if isinstance(error, _NextWay) else error
            async with self._database.session() as session:
                await _give_back(session, who.user_id, notice, turned_off=refused.code == str(wechat.REFUSED_NOTICE))
            raise

    async def _ask(self, account: Account, who: _Who, asked: Awaitable[object]) -> Accepted:
        """Raises _NextWay, Refused or followup.channels.Unclear."""
        try:
            return Accepted(_numbered(account, await asked))
        except wechat.NotReached as error:
            raise Refused("not_reached", str(error), "temporary") from None
        except wechat.Unclear as error:
            raise Unclear(str(error)) from None
        except wechat.Failed as failed:
            _log.log(logging.ERROR if wechat.is_ours(failed) else logging.WARNING, "WeChat refused an invitation: %s", failed.code)
            if failed.code in wechat.NOT_FOLLOWING or failed.code == wechat.BAD_OPENID:
                async with self._database.session() as session:
                    await session.execute(update(WechatUser).where(WechatUser.id == who.user_id).values(follows=False))
            refused = refusal(failed)
            raise _NextWay(refused) if failed.code in _NEXT_WAY else refused from None


class _NextWay(Exception):
    """Not by this way; another of the same account may do."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


def refusal(failed: wechat.Failed) -> Refused:
    """Whose fault it is (decision 0012). A code that nobody knows is ours."""
    code = failed.code
    if code == wechat.REFUSED_NOTICE:
        kind = "blocked"
    elif code in wechat.NOT_FOLLOWING or code in (wechat.BAD_OPENID, wechat.WINDOW_CLOSED, wechat.TOO_MANY, wechat.TOO_LONG, _SENSITIVE):
        kind = "permanent"
    elif code in wechat.THROTTLED:
        kind = "throttled"
    elif code == _AT_ONCE or failed.wait is not None:
        kind = "temporary"
    else:
        kind = "ours"
    return Refused(str(code), kind=kind)


def invitation_text(invitation: Invitation) -> str:
    """The customer-service message."""
    words = load_wording().wechat
    blanks = {name: value.replace("<", "＜").replace(">", "＞") for name, value in _blanks(invitation).items()}
    return words.get(invitation.kind, words["first"]).format(**blanks, link=invitation.link)


def _blanks(invitation: Invitation) -> Mapping[str, str]:
    words = load_wording().wechat
    return {
        "company": " ".join(invitation.company.split()) or words["no_company"],
        "customer": " ".join(invitation.customer.split()) or words["nobody"],
        "agent": " ".join(invitation.agent.split()) or words["no_agent"],
    }


def _numbered(account: Account, number: object) -> str | None:
    """WeChat's numbers are each account's own."""
    return f"{account.name}:{number}" if number else None


async def _who(session: AsyncSession, account: Account, openid: str, invitation: Invitation, at: datetime) -> _Who:
    """Looks, remembers the talk they are invited to, and counts the customer-service message before it goes. Raises Refused."""
    user = await session.scalar(
        select(WechatUser)
        .where(WechatUser.account == account.name, WechatUser.openid == openid)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise Refused(NO_OPENID)
    if not user.follows:
        raise Refused(UNSUBSCRIBED)
    delivery = await session.get(Delivery, invitation.delivery_id)
    in_the_talk = False
    if delivery is not None:
        talk = insert(WechatInvitation).values(user_id=user.id, case_id=delivery.case_id, at=at)
        await session.execute(talk.on_conflict_do_update(index_elements=["user_id"], set_={"case_id": delivery.case_id, "at": at}))
        in_the_talk = user.case_id == delivery.case_id and await _line_under_way(session, delivery, account)
    open_now = Budget(user.message_at, user.click_at, tuple(user.sent)).left(at) > 0
    # Where a reply could not be sent, another customer-service message would fare no better.
    custom = open_now and not in_the_talk and invitation.kind != "resume"
    if custom:
        user.sent = [*user.sent, at][-REMEMBERED:]
    return _Who(user.id, openid, custom, in_the_talk and open_now)


async def _line_under_way(session: AsyncSession, delivery: Delivery, account: Account) -> bool:
    """The line of a talk that we take up goes the same way: it is being made, or waits to be sent, or was just sent."""
    if delivery.kind not in ("callback", "unfinished"):
        return False
    made = (Message.direction == "system") & (Message.status == "received")
    said = (Message.direction == "out") & (Message.channel == account.channel) & (Message.created_at >= delivery.queued_at)
    said &= Message.status.in_(("queued", "sending", "sent")) & Message.error.is_(None)
    return bool(await session.scalar(select(exists().where(Message.case_id == delivery.case_id, or_(made, said)))))


async def _take_permission(session: AsyncSession, user_id: int, notice: Notice) -> bool:
    """Whether the subscribe message may go; one permission is used up. Who never told us may have agreed elsewhere: WeChat knows."""
    row = await session.get(WechatSubscription, (user_id, notice.template), with_for_update=True, populate_existing=True)
    if row is None:
        return True
    if row.refused_at is not None or (not notice.lasting and row.allowed <= 0):
        return False
    row.allowed = max(row.allowed - 1, 0)
    return True


async def _give_back(session: AsyncSession, user_id: int, notice: Notice, *, turned_off: bool) -> None:
    """It was certainly not sent. `turned_off`: the customer has taken it back, WeChat says."""
    row = await session.get(WechatSubscription, (user_id, notice.template), with_for_update=True, populate_existing=True)
    if row is not None:
        row.allowed = 0 if turned_off else row.allowed + 1
    elif turned_off:
        session.add(WechatSubscription(user_id=user_id, template=notice.template, allowed=0))
