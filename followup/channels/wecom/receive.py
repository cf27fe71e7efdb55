"""A message or event that was read from WeCom: whose it is, which talk it belongs to, what is kept of it.

All in the transaction in which the cursor moves. `wecom_received` makes a second time nothing. The user's row is locked first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels import codes, same_person
from followup.channels.wechat import outbox
from followup.channels.wechat.plan import chosen
from followup.channels.wecom import queue
from followup.channels.wecom.account import Account
from followup.channels.wecom.client import HUMAN, OVER, POOL
from followup.channels.wecom.parse import CUSTOMER, SERVICER, SYSTEM, Item
from followup.channels.wecom.words import words
from followup.store.messages import OUT_NOTIFICATION, TO_A_COLLEAGUE, offered
from followup.store.models import Case, Contact, Message
from followup.store.records import is_blocked
from followup.store.takeovers import said_by
from followup.store.wecom_models import WecomReceived, WecomUser
from followup.talk import links
from followup.talk.inbox import EmptyMessage, Trigger, accept
from followup.talk.wording import clean_text

SCENE = "c_"
"""What `scene_param` begins with when a link's token follows."""
PURPOSE = "wecom"
"""Of the tokens in links to a service account."""
RECALL, RECALLED = "recall:", "recalled"
NEW_TALK_AFTER = timedelta(hours=24)
"""A customer who writes so long after a talk ended begins a new one."""
MOST_CODES, CODES_WITHIN = 5, timedelta(hours=1)
WELCOME_WITHIN = timedelta(seconds=18)
"""WeCom gives 20."""
_ENDED = 3

Begin = Callable[[AsyncSession, int | None, str], Awaitable[str | None]]
"""Begins the public enquiry: (session, the contact if known, channel) -> its case; None when the entry is closed."""


@dataclass(frozen=True, slots=True)
class Say:
    """Something to be said at once, outside of any talk."""

    user_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page is taken with."""

    account: Account
    secret: str
    begin: Begin
    at: datetime
    since: datetime
    """When the account was first read: what is older was not written to us."""
    states: dict[str, int]
    """external_userid -> the session's state, of those who were asked for."""
    unionids: dict[str, str]


async def take(session: AsyncSession, reading: Reading, item: Item) -> Say | None:
    """Take it. Nothing when it was taken before."""
    if not item.who or item.open_kfid not in reading.account.kfids:
        return None
    user = await _user(session, reading, item)
    fresh = insert(WecomReceived).values(account=reading.account.name, key=item.msgid, user_id=user.id).on_conflict_do_nothing()
    if await session.scalar(fresh.returning(WecomReceived.key)) is None:
        return None
    if item.at < reading.since:
        return None
    said: str | None = None
    match item.origin:
        case origin if origin == CUSTOMER:
            said = await _heard(session, reading, user, item)
        case origin if origin == SYSTEM:
            said = await _event(session, reading, user, item)
        case origin if origin == SERVICER:
            await _by_servicer(session, reading, user, item)
    await session.flush()
    return Say(user.id, said) if said else None


async def _user(session: AsyncSession, reading: Reading, item: Item) -> WecomUser:
    """The user's row, locked; made when it is the first we hear of them."""
    values = {"account": reading.account.name, "open_kfid": item.open_kfid, "external_userid": item.who}
    user_id = await session.scalar(select(WecomUser.id).filter_by(**values))
    if user_id is None:
        made = insert(WecomUser).values(**values).on_conflict_do_nothing().returning(WecomUser.id)
        user_id = await session.scalar(made) or await session.scalar(select(WecomUser.id).filter_by(**values))
    user = await session.get_one(WecomUser, user_id, with_for_update=True, populate_existing=True)
    if (unionid := reading.unionids.get(item.who)) and not user.unionid:
        user.unionid = unionid
        await session.flush()
        await same_person.join(session, unionid, reading.at)
        await session.refresh(user)
    return user


async def _heard(session: AsyncSession, reading: Reading, user: WecomUser, item: Item) -> str | None:
    """The customer wrote. Returns what is to be said outside of a talk."""
    sent = min(item.at, reading.at)
    user.message_at = max(user.message_at or sent, sent)
    user.state = reading.states.get(item.who, None if user.state == OVER else user.state)
    said = clean_text(item.text)
    if user.state in (POOL, HUMAN):
        await _keep(session, reading, user.case_id, item, said, TO_A_COLLEAGUE)
        return None
    if said and item.kind == "text" and not item.menu_id:
        entered, answer = await _code(session, reading, user, said)
        if entered:
            return answer
    case = await _talk(session, reading, user)
    if case is None:
        return words().closed
    if not said:
        await _keep_and_ask(session, reading, case, item)
        return None
    if await _was_recalled(session, reading, item.msgid):
        await _keep(session, reading, case.id, item, said, RECALLED)
        return None
    said = chosen(said, await offered(session, case.id, reading.account.channel)) or said
    try:
        await accept(session, case.id, reading.account.channel, item.msgid, said)
    except EmptyMessage:
        return None
    await _tell(session, case.id)  # the talk's other devices show the line
    return None


async def _event(session: AsyncSession, reading: Reading, user: WecomUser, item: Item) -> str | None:
    match item.event:
        case "enter_session":
            return await _entered(session, reading, user, item)
        case "msg_send_fail":
            await queue.failed_later(session, reading.account.name, item.other_msgid, f"fail_type {item.number}", reading.at)
        case "session_status_change":
            user.state = OVER if item.number == _ENDED else HUMAN
        case "user_recall_msg":
            await _recalled(session, reading, user, item)
    return None


async def _entered(session: AsyncSession, reading: Reading, user: WecomUser, item: Item) -> str | None:
    """The customer opened the chat: by a link of a talk, or just so."""
    until = min(item.at, datetime.now(UTC)) + WELCOME_WITHIN
    if item.welcome_code and until > datetime.now(UTC):
        user.welcome_code, user.welcome_until = item.welcome_code, until
    await session.flush()
    if item.scene_param.startswith(SCENE):
        try:
            case_id = await links.resolve(session, item.scene_param.removeprefix(SCENE), purpose=PURPOSE)
        except links.ExpiredLink:
            return words().expired
        except links.LinkError:
            return None
        return await _enter(session, reading, user, case_id)
    if user.welcome_code and user.state not in (POOL, HUMAN):
        case = await _talk(session, reading, user)  # a new enquiry greets by itself
        if case is None:
            return words().closed
    if user.case_id is not None and await outbox.has_queued(session, user.case_id, reading.account.channel):
        await queue.defer_send(session, user.case_id)
    return None


async def _code(session: AsyncSession, reading: Reading, user: WecomUser, said: str) -> tuple[bool, str | None]:
    """Whether it was a code rather than something said, and what is to be said to it."""
    code = codes.as_typed(said)
    if code is None:
        return False, None
    user.tries = [tried for tried in user.tries if reading.at - tried < CODES_WITHIN]
    if len(user.tries) >= MOST_CODES:
        return user.case_id is None, words().too_many
    try:
        return True, await _enter(session, reading, user, await codes.resolve_code(session, reading.secret, code))
    except links.ExpiredLink:
        return True, words().expired
    except links.LinkError:
        user.tries = [*user.tries, reading.at]
        return user.case_id is None, words().unknown


async def _enter(session: AsyncSession, reading: Reading, user: WecomUser, case_id: str) -> str | None:
    """The user's talk is this one from now on: it begins, or goes on here."""
    case = await session.get_one(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)
    if case.erased_at is not None:
        return words().expired
    if await _held_by_another(session, user, case_id):
        return words().taken
    user.case_id, user.contact_id = case.id, case.contact_id
    await session.flush()
    await same_person.join(session, user.unionid, reading.at)
    if case.status == "closed":
        return words().ended
    last = await session.scalar(select(func.max(Message.id)).where(Message.case_id == case_id))
    # Two entries at once are one return.
    key, trigger = ("start", Trigger.START) if last is None else (f"return-{last}", Trigger.RESUME)
    await accept(session, case_id, reading.account.channel, key, trigger.value, direction="system")
    return None


async def _talk(session: AsyncSession, reading: Reading, user: WecomUser) -> Case | None:
    """The talk that what the user says belongs to; a new enquiry when there is none. None: nobody answers here."""
    case = await session.get(Case, user.case_id, populate_existing=True) if user.case_id else None
    if case is not None and case.erased_at is None and not _is_past(case, reading.at):
        return case
    contact = await session.get(Contact, user.contact_id, populate_existing=True) if user.contact_id else None
    known = contact is not None and not contact.is_anonymous and contact.erased_at is None
    if known and await is_blocked(session, user.contact_id or 0):
        known = False  # what they ask is answered, without what is known of them
    elif contact is not None and contact.erased_at is None:
        live = await same_person.live_case(session, contact.id)
        if live is not None and not await _held_by_another(session, user, live.id):
            user.case_id = live.id
            await session.flush()
            return live
    case_id = await reading.begin(session, user.contact_id if known else None, reading.account.channel)
    if case_id is None:
        return case if case is not None and case.erased_at is None else None
    case = await session.get_one(Case, case_id, populate_existing=True)
    user.case_id = case_id
    if not known or user.contact_id is None:
        user.contact_id = case.contact_id
    await session.flush()
    return case


async def _held_by_another(session: AsyncSession, user: WecomUser, case_id: str) -> bool:
    other = exists().where(WecomUser.account == user.account, WecomUser.case_id == case_id, WecomUser.id != user.id)
    return bool(await session.scalar(select(other)))


def _is_past(case: Case, at: datetime) -> bool:
    return case.status == "closed" and case.last_message_at is not None and at - case.last_message_at > NEW_TALK_AFTER


async def _recalled(session: AsyncSession, reading: Reading, user: WecomUser, item: Item) -> None:
    """The customer took a message back: what was not answered yet never will be; what was stands marked."""
    if not item.other_msgid:
        return
    row = insert(WecomReceived).values(account=reading.account.name, key=RECALL + item.other_msgid, user_id=user.id)
    await session.execute(row.on_conflict_do_nothing())  # it may be told before the message itself
    heard = [Message.direction == "in", Message.channel == reading.account.channel, Message.channel_message_id == item.other_msgid]
    heard += [Message.case_id.in_(select(WecomUser.case_id).where(WecomUser.id == user.id))]
    await session.execute(
        update(Message).where(*heard, Message.status == "received").values(status="handled", handled_at=reading.at, error=RECALLED)
    )
    await session.execute(update(Message).where(*heard, Message.error.is_(None)).values(error=RECALLED))


async def _was_recalled(session: AsyncSession, reading: Reading, msgid: str) -> bool:
    told = exists().where(WecomReceived.account == reading.account.name, WecomReceived.key == RECALL + msgid)
    return bool(await session.scalar(select(told)))


async def _by_servicer(session: AsyncSession, reading: Reading, user: WecomUser, item: Item) -> None:
    """A colleague answered in 企业微信: it stands in the transcript, and the bot is silent."""
    user.state = HUMAN
    if user.case_id is None:
        return
    await session.execute(select(Case.id).where(Case.id == user.case_id).with_for_update(key_share=True))
    row = insert(Message).values(
        case_id=user.case_id, direction="out", channel=reading.account.channel, channel_message_id=f"servicer-{item.msgid}",
        text=clean_text(item.text) or _kept(item), status="sent", acts=said_by(words().servicer), created_at=reading.at,
        handled_at=reading.at,
    )  # fmt: skip
    await session.execute(row.on_conflict_do_nothing())
    await _spoken(session, user.case_id, reading.at)


async def _keep(session: AsyncSession, reading: Reading, case_id: str | None, item: Item, said: str, why: str | None) -> int | None:
    """It stands in the transcript and no turn is held for it."""
    if case_id is None:
        return None
    await session.execute(select(Case.id).where(Case.id == case_id).with_for_update(key_share=True))
    row = insert(Message).values(
        case_id=case_id, direction="in", channel=reading.account.channel, channel_message_id=item.msgid, status="handled",
        created_at=reading.at, handled_at=reading.at, text=said or _kept(item), error=why,
    )  # fmt: skip
    kept = await session.scalar(row.on_conflict_do_nothing().returning(Message.id))
    await _spoken(session, case_id, reading.at)
    return kept


async def _keep_and_ask(session: AsyncSession, reading: Reading, case: Case, item: Item) -> None:
    """A message that is no text: the customer is asked to type."""
    heard = await _keep(session, reading, case.id, item, "", None)
    if heard is None:
        return
    kind = item.kind if item.kind in words().kept else "other"
    session.add(
        Message(
            case_id=case.id, direction="out", channel=reading.account.channel, channel_message_id=f"{heard}-1", status="queued",
            text=words().cannot_read(kind), in_reply_to=heard, created_at=reading.at,
        )
    )  # fmt: skip
    await session.flush()
    await _tell(session, case.id)


def _kept(item: Item) -> str:
    kind = item.kind if item.kind in words().kept else "other"
    # A media id means nothing to anybody, and is gone after three days.
    detail = item.detail if kind in ("location", "link", "miniprogram") else ""
    return clean_text(f"{words().kept[kind]} {detail}")


async def _spoken(session: AsyncSession, case_id: str, at: datetime) -> None:
    await session.execute(update(Case).where(Case.id == case_id).values(last_message_at=at, nudged_at=None))
    await _tell(session, case_id)


async def _tell(session: AsyncSession, case_id: str) -> None:
    await session.flush()
    await session.execute(select(func.pg_notify(OUT_NOTIFICATION, case_id)))
