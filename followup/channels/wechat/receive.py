"""A message or event of WeChat's, taken in one transaction: whose it is, which talk it belongs to, what is kept of it.

WeChat sends up to three times; `wechat_received` makes the second and third nothing. The user's row is locked first, so that
two of one customer's messages are taken one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, Text, bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from followup.channels import codes, same_person
from followup.channels.wechat import notifier_reports
from followup.channels.wechat.account import Account
from followup.channels.wechat.menu_key import said_by
from followup.channels.wechat.outbox import has_queued
from followup.channels.wechat.parse import Incoming
from followup.channels.wechat.plan import chosen, is_number
from followup.channels.wechat.queue import defer_send, reply_was_lost
from followup.channels.wechat.words import words
from followup.nlu.optout import is_opt_out
from followup.store.messages import OUT_NOTIFICATION, offered
from followup.store.models import Case, Contact, Message
from followup.store.records import is_blocked
from followup.store.wechat_models import WechatReceived, WechatUser
from followup.store.wechat_notice_models import WechatInvitation
from followup.talk import links
from followup.talk.inbox import EmptyMessage, Trigger, accept
from followup.talk.wording import clean_text

SCENE = "c_"
"""What a QR code's scene begins with when a link's token follows."""
PURPOSE = "wechat"
"""Of the tokens in QR codes."""
NEW_TALK_AFTER = timedelta(hours=24)
"""A customer who writes so long after a talk ended begins a new one."""
MOST_CODES, CODES_WITHIN = 5, timedelta(hours=1)
INVITED_FOR = timedelta(days=14)
"""An answer that comes later is no answer to the invitation."""
_KNOWN_EVENTS_OPEN = ("subscribe", "scan", "click")

Begin = Callable[[AsyncSession, int | None, str], Awaitable[str | None]]
"""Begins the public enquiry: (session, the contact if known, channel) -> its case; None when the entry is closed."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of it."""

    user_id: int
    duplicate: bool = False
    case_id: str | None = None
    """The talk in which something may be said now."""
    message_id: int | None = None
    """The message whose turn answers."""
    say: str = ""
    """What is said at once, outside of any talk."""
    held: bool = False
    """Nobody else answers until the request lets go."""


async def receive(
    session: AsyncSession, account: Account, got: Incoming, secret: str, at: datetime, begin: Begin, *, hold: float = 0.0
) -> Received:
    """Take it. Acknowledge only after the commit. `hold`: nobody else answers for so many seconds, when something may be said now."""
    user, case, fresh, invited = await _user(session, account, got)
    if not fresh:
        await reply_was_lost(session, account, user.case_id, got.key)
        return Received(user.id, duplicate=True)
    _open_windows(user, got, at)
    taken = await _taken(session, account, user, case, got, secret, at, begin, invited=invited)
    if taken.case_id is not None and hold:
        user.answering_until = func.clock_timestamp() + timedelta(seconds=hold)  # type: ignore[assignment]
        taken = replace(taken, held=True)
    await session.flush()
    if taken.case_id is not None and taken.message_id is None and await has_queued(session, taken.case_id, account.channel):
        await defer_send(session, taken.case_id)  # a window opened for what waits
    return taken


async def _taken(
    session: AsyncSession, account: Account, user: WechatUser, case: Case | None, got: Incoming, secret: str, at: datetime, begin: Begin,
    *, invited: bool,
) -> Received:  # fmt: skip
    said = clean_text(got.text if got.kind != "event" else said_by(got.detail) if got.event == "click" else "")
    if got.kind == "event" and not said:
        return await _event(session, account, user, case, got, at, begin)
    if said and got.kind == "text" and (entered := await _code(session, account, user, said, secret, at)) is not None:
        return entered
    if said and invited and (opened := await _answer_to_invitation(session, account, user, got, said, at)) is not None:
        return opened
    talk = await _talk(session, account, user, case, at, begin)
    if talk is None:
        return Received(user.id, say=words().closed)
    if not said:
        await _keep(session, account, talk, got, at)
        return Received(user.id, case_id=talk)
    if is_number(said):
        said = chosen(said, await offered(session, talk, account.channel)) or said
    with session.no_autoflush:
        try:
            accepted = await accept(session, talk, account.channel, got.key, said)
        except EmptyMessage:
            return Received(user.id, case_id=talk)
        await session.execute(select(func.pg_notify(OUT_NOTIFICATION, talk)))  # the talk's other devices show the line
    return Received(user.id, case_id=talk, message_id=accepted.message_id)


async def _event(
    session: AsyncSession, account: Account, user: WechatUser, case: Case | None, got: Incoming, at: datetime, begin: Begin
) -> Received:
    if got.event == "unsubscribe":
        user.follows, user.message_at, user.click_at = False, None, None
        await notifier_reports.unfollowed(session, user, at)
        return Received(user.id)
    if got.event in notifier_reports.EVENTS:  # a reply to these is shown to nobody
        await notifier_reports.take_event(session, account, user, got, at)
        return Received(user.id)
    if got.scene.startswith(SCENE):
        try:
            case_id = await links.resolve(session, got.scene.removeprefix(SCENE), purpose=PURPOSE)
        except links.ExpiredLink:
            return Received(user.id, say=words().expired)
        except links.LinkError:
            return Received(user.id, say=words().unknown)
        return await _enter(session, account, user, case_id, at)
    if got.event == "subscribe":
        known = user.case_id is not None
        talk = await _talk(session, account, user, case, at, begin)
        if talk is None:
            return Received(user.id, say=words().closed)
        begun = None if known else await _last(session, talk)
        return Received(user.id, case_id=talk, message_id=begun)
    return Received(user.id, case_id=user.case_id)


def _take_user() -> Select[tuple[WechatUser, Case, bool, bool]]:
    """One statement: the user's row, locked and made when it is the first we hear of them; the talk they are in; whether this was
    never taken before, and is now; whether they were invited to a talk."""
    row = insert(WechatUser).values(account=bindparam("account"), openid=bindparam("openid"), unionid=bindparam("unionid"))
    row = row.on_conflict_do_update(
        index_elements=["account", "openid"], set_={"unionid": func.coalesce(func.nullif(row.excluded.unionid, ""), WechatUser.unionid)}
    )
    user = row.returning(*WechatUser.__table__.c).cte("the_user")
    fresh = (
        insert(WechatReceived)
        .from_select(["account", "key", "user_id"], select(user.c.account, bindparam("key", type_=Text), user.c.id))
        .on_conflict_do_nothing()
        .returning(WechatReceived.key)
        .cte("fresh")
    )
    return (
        select(
            aliased(WechatUser, user),
            Case,
            exists(select(fresh.c.key)).label("fresh"),
            exists(select(WechatInvitation.user_id).where(WechatInvitation.user_id == user.c.id)).label("invited"),
        )
        .outerjoin(Case, Case.id == user.c.case_id)
        .execution_options(populate_existing=True)
    )


_TAKE_USER = _take_user()


async def _user(session: AsyncSession, account: Account, got: Incoming) -> tuple[WechatUser, Case | None, bool, bool]:
    """(user, locked; their talk; whether this is heard for the first time; whether they were invited)."""
    given = {"account": account.name, "openid": got.openid, "unionid": got.unionid, "key": got.key}
    user, case, fresh, invited = (await session.execute(_TAKE_USER, given)).one()
    if case is None and user.case_id is not None:  # it began while the row was waited for
        case = await session.get(Case, user.case_id)
    return user, case, fresh, invited


def _open_windows(user: WechatUser, got: Incoming, at: datetime) -> None:
    sent = min(got.at, at)
    if got.kind != "event":
        user.follows = True
        if got.menu_id:  # a click on a menu message opens a minute only
            user.click_at = max(user.click_at or sent, sent)
        else:
            user.message_at = max(user.message_at or sent, sent)
    elif got.event in _KNOWN_EVENTS_OPEN:
        user.follows = True
        user.click_at = max(user.click_at or sent, sent)


async def _code(
    session: AsyncSession, account: Account, user: WechatUser, said: str, secret: str, at: datetime
) -> Received | None:
    """The talk of a code that was typed; None when it is no code, and so is something said."""
    code = codes.as_typed(said)
    if code is None:
        return None
    user.tries = [tried for tried in user.tries if at - tried < CODES_WITHIN]
    if len(user.tries) >= MOST_CODES:
        return None if user.case_id else Received(user.id, say=words().too_many)
    try:
        return await _enter(session, account, user, await codes.resolve_code(session, secret, code), at)
    except links.ExpiredLink:
        return Received(user.id, say=words().expired)
    except links.LinkError:
        user.tries = [*user.tries, at]
        return None if user.case_id else Received(user.id, say=words().unknown)


async def _enter(session: AsyncSession, account: Account, user: WechatUser, case_id: str, at: datetime) -> Received:
    """The user's talk is this one from now on: it begins, or goes on here."""
    case = await session.get_one(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)
    if case.erased_at is not None:
        return Received(user.id, say=words().expired)
    if await _held_by_another(session, account, user, case_id):
        return Received(user.id, say=words().taken)
    user.case_id, user.contact_id = case.id, case.contact_id
    await session.flush()
    await same_person.join(session, user.unionid, at)
    if case.status == "closed":
        return Received(user.id, say=words().ended)
    last = await _last(session, case_id)
    if last is None:
        began = await accept(session, case_id, account.channel, "start", Trigger.START.value, direction="system")
    else:
        key = f"return-{last}"  # two scans at once are one return
        began = await accept(session, case_id, account.channel, key, Trigger.RESUME.value, direction="system")
    return Received(user.id, case_id=case_id, message_id=began.message_id)


async def _answer_to_invitation(
    session: AsyncSession, account: Account, user: WechatUser, got: Incoming, said: str, at: datetime
) -> Received | None:
    """What somebody says who was invited here opens that talk, unless they are in another; None: it is said in the talk they are in."""
    invited = await session.get(WechatInvitation, user.id, populate_existing=True)
    case = await session.get(Case, invited.case_id, populate_existing=True) if invited is not None else None
    if invited is None or case is None:
        return None
    begins = re.sub(r"[\W_]+", "", said).lower() in words().begin
    if case.id != user.case_id and not begins and await _is_in_a_talk(session, user, at):
        return None
    await session.delete(invited)
    await session.flush()
    over = case.status == "closed" or case.erased_at is not None or at - invited.at > INVITED_FOR
    if over or case.contact_id != user.contact_id or (case.id == user.case_id and not begins):
        return None
    if is_opt_out(said):
        await notifier_reports.stop(session, case.contact_id, said, at)
        return Received(user.id, say=words().stopped)
    if not begins:
        entered = await _enter(session, account, user, case.id, at)
        if entered.message_id is None:
            return entered
        heard = await accept(session, case.id, account.channel, got.key, said)
        return Received(user.id, case_id=case.id, message_id=heard.message_id)
    waits = case.id == user.case_id and await has_queued(session, case.id, account.channel)
    entered = Received(user.id, case_id=case.id) if waits else await _enter(session, account, user, case.id, at)
    if entered.case_id is not None:  # what was said is in the transcript; nothing else is to be understood
        heard_only = Message(
            case_id=case.id, direction="in", channel=account.channel, channel_message_id=got.key, status="handled", created_at=at,
            handled_at=at, text=said,
        )  # fmt: skip
        session.add(heard_only)
        await session.flush()
    return entered


async def _is_in_a_talk(session: AsyncSession, user: WechatUser, at: datetime) -> bool:
    case = await session.get(Case, user.case_id, populate_existing=True) if user.case_id else None
    if case is None or case.status == "closed" or case.erased_at is not None:
        return False
    return case.last_message_at is not None and at - case.last_message_at < NEW_TALK_AFTER


async def _talk(
    session: AsyncSession, account: Account, user: WechatUser, case: Case | None, at: datetime, begin: Begin
) -> str | None:
    """The talk that what the user says belongs to; a new enquiry when there is none. None: nobody answers here.

    `case`: the talk they were in when this was taken.
    """
    if case is not None and case.id != user.case_id:
        case = await session.get(Case, user.case_id, populate_existing=True) if user.case_id else None
    if case is not None and case.erased_at is None and not _is_past(case, at):
        return case.id
    contact = await session.get(Contact, user.contact_id) if user.contact_id else None
    known = contact is not None and not contact.is_anonymous and contact.erased_at is None
    if known and await is_blocked(session, user.contact_id or 0):
        known = False  # what they ask is answered, without what is known of them
    elif contact is not None and contact.erased_at is None:
        live = await same_person.live_case(session, contact.id)  # begun on another channel
        if live is not None and not await _held_by_another(session, account, user, live.id):
            user.case_id = live.id
            await session.flush()
            return live.id
    with session.no_autoflush:  # the user's row is written once, at the end
        case_id = await begin(session, user.contact_id if known else None, account.channel)
        if case_id is None:
            return case.id if case is not None and case.erased_at is None else None
        user.case_id = case_id
        if not known or user.contact_id is None:
            user.contact_id = await session.scalar(select(Case.contact_id).where(Case.id == case_id))
    return case_id


async def _held_by_another(session: AsyncSession, account: Account, user: WechatUser, case_id: str) -> bool:
    other = select(WechatUser.id).where(
        WechatUser.account == account.name, WechatUser.case_id == case_id, WechatUser.id != user.id
    )
    return await session.scalar(other) is not None


def _is_past(case: Case, at: datetime) -> bool:
    return case.status == "closed" and case.last_message_at is not None and at - case.last_message_at > NEW_TALK_AFTER


async def _last(session: AsyncSession, case_id: str) -> int | None:
    return await session.scalar(select(func.max(Message.id)).where(Message.case_id == case_id))


async def _keep(session: AsyncSession, account: Account, case_id: str, got: Incoming, at: datetime) -> None:
    """A message that is no text stands in the transcript, and the customer is asked to type."""
    await session.execute(select(Case.id).where(Case.id == case_id).with_for_update(key_share=True))
    kind = got.kind if got.kind in words().kept else "other"
    heard = Message(
        case_id=case_id, direction="in", channel=account.channel, channel_message_id=got.key, status="handled", created_at=at,
        handled_at=at, text=clean_text(f"{words().kept[kind]} {got.detail}" if kind != "voice" else words().kept[kind]),
    )  # fmt: skip
    session.add(heard)
    await session.flush()
    session.add(
        Message(
            case_id=case_id, direction="out", channel=account.channel, channel_message_id=f"{heard.id}-1", status="queued",
            text=words().cannot_read(kind), in_reply_to=heard.id, created_at=at,
        )
    )  # fmt: skip
    await session.execute(update(Case).where(Case.id == case_id).values(last_message_at=at, nudged_at=None))
    await session.flush()
    await session.execute(select(func.pg_notify(OUT_NOTIFICATION, case_id)))
