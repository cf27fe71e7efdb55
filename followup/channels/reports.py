"""What providers tell afterwards: whether a short message arrived, and what the customer answered to it.

Reports come twice, in any order, before we have written down that the message was accepted, and sometimes never.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.sms import CHANNEL
from followup.channels.wording import load_wording
from followup.contacts.consent import withdraw_all
from followup.nlu.optout import is_opt_out
from followup.rights.block import BlockError, Source, block_phone
from followup.settings import SHANGHAI
from followup.store.campaign_models import Consent, Delivery
from followup.store.database import Database
from followup.store.models import Case, Contact, Note

_log = logging.getLogger(__name__)
PROVIDERS = ("aliyun", "tencent")
NOTE_KIND = "sms_reply"
LONGEST_REPLY = 500
OLDEST = timedelta(days=3)
"""No report comes later than that."""
_CARRIERS_CODES = frozenset({"r", "退", "拒收", "回复r", "回复退"})
"""What carriers teach people to answer, beside what `nlu.optout` knows."""
_LASTING_CODES = frozenset(
    {
        "MK:0001", "MK:0075", "MI:0073", "MI:0210", "DB:0101", "CB:0001", "CB:0053", "PHONEERR", "MOBILE_NUMBER_ILLEGAL",
        "MOBILE_NOT_ON_SERVICE",
    }
)  # fmt: skip
_LASTING_WORDS = re.compile(r"BLACK|BLOCK|UNSUBSCRIBE|USER_REJECT|空号|号码不存在|黑名单|退订")
"""Codes of carriers and providers that say: no such number, or the customer wants none. What is not named here may pass: a phone that
is off (MK:0023, EXPIRED, UNDELIV), a full memory (MOBILE_TERMINAL_ERROR), a carrier that is overloaded."""


@dataclass(frozen=True, slots=True)
class Report:
    """`delivery_id`: our own number, where the provider hands it back."""

    provider: str
    provider_id: str
    delivery_id: int | None
    phone: str
    arrived: bool
    code: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the customer texted back. `key` is the same each time the provider tells it."""

    phone: str
    text: str
    key: str


def report_secret(secret: str) -> str:
    """The part of the report address that only the provider knows."""
    return hmac.new(secret.encode(), b"followup.sms.reports.v1", hashlib.sha256).hexdigest()[:32]


# —— reading ———————————————————————————————————————————————————————————


def read(provider: str, body: object) -> tuple[list[Reply], list[Report]]:
    """What a provider sent; parts that say nothing are left out."""
    parts = body if isinstance(body, list) else [body]
    replies: list[Reply] = []
    reports: list[Report] = []
    for part in parts:
        if not isinstance(part, dict):
            continue
        phone = _phone(part.get("phone_number") or part.get("mobile"))
        words = part.get("content", part.get("text"))
        if phone and isinstance(words, str):
            replies.append(Reply(phone, words.strip()[:LONGEST_REPLY], _key(provider, part)))
        elif phone and (report := (_aliyun if provider == "aliyun" else _tencent)(part, phone)):
            reports.append(report)
    return replies, reports


def _aliyun(part: dict[str, Any], phone: str) -> Report | None:
    if "success" not in part or not part.get("biz_id"):
        return None
    ours = str(part.get("out_id") or "")
    return Report(
        "aliyun", str(part["biz_id"]), int(ours) if ours.isascii() and ours.isdigit() and len(ours) < 19 else None, phone,
        str(part["success"]).lower() == "true", str(part.get("err_code") or "")[:100], _moment(part.get("report_time")),
    )  # fmt: skip


def _tencent(part: dict[str, Any], phone: str) -> Report | None:
    if part.get("report_status") not in ("SUCCESS", "FAIL") or not part.get("sid"):
        return None
    return Report(
        "tencent", str(part["sid"]), None, phone, part["report_status"] == "SUCCESS", str(part.get("errmsg") or "")[:100],
        _moment(part.get("user_receive_time")),
    )  # fmt: skip


def _phone(given: object) -> str:
    plain = str(given or "").strip().removeprefix("+").removeprefix("00")
    return plain[2:] if len(plain) == 13 and plain.startswith("86") else plain


def _moment(given: object) -> datetime | None:
    """Providers tell Beijing time."""
    try:
        return datetime.strptime(str(given), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None


def _key(provider: str, part: dict[str, Any]) -> str:
    own = part.get("sequence_id")
    told = [own] if own else [part.get(name) for name in ("phone_number", "mobile", "send_time", "time", "content", "text")]
    return f"{provider}:{hashlib.sha256(repr(told).encode()).hexdigest()[:24]}"


# —— doing —————————————————————————————————————————————————————————————


async def receive(database: Database, replies: Iterable[Reply], reports: Iterable[Report], at: datetime) -> bool:
    """Take everything in, opt-outs before anything else. False: something is to be told once more, later."""
    everything = list(replies)
    for reply in (one for one in everything if says_stop(one.text)):
        async with database.session() as session:
            await stop(session, reply, at)
    for reply in (one for one in everything if not says_stop(one.text)):
        async with database.session() as session:
            await note(session, reply, at)
    done = True
    for report in reports:
        async with database.session() as session:
            done = await apply(session, report, at) and done
    return done


def says_stop(words: str) -> bool:
    return words.strip().lower() in _CARRIERS_CODES or is_opt_out(words)


async def stop(session: AsyncSession, reply: Reply, at: datetime) -> None:
    """Never contacted again (house rule do_not_contact), whoever has the number."""
    try:
        reason = load_wording().block_reasons["sms"].format(text=reply.text[:50])
        entry = await block_phone(session, reply.phone, reason, None, at, Source.CUSTOMER)
        entry.words = reply.text
    except BlockError as error:
        if error.key != "already":
            _log.warning("an opt-out from a number that is none: %s", error.key)
            return
    for contact_id in await _holders(session, reply.phone):
        await withdraw_all(session, contact_id, CHANNEL, at)


async def note(session: AsyncSession, reply: Reply, at: datetime) -> None:
    """What is no opt-out is for a colleague: it stands with the talk the customer was last invited to."""
    last = (
        select(Delivery.case_id)
        .join(Contact, Contact.id == Delivery.contact_id)
        .join(Case, Case.id == Delivery.case_id)
        .where(Contact.phone == reply.phone, Delivery.channel == CHANNEL, Case.erased_at.is_(None))
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    case_id = await session.scalar(last)
    if case_id is None or not reply.text:
        _log.info("a short message from a number that was never written to")
        return
    kept = insert(Note).values(case_id=case_id, kind=NOTE_KIND, topic=reply.key, text=reply.text, created_at=at)
    await session.execute(kept.on_conflict_do_nothing())


async def apply(session: AsyncSession, report: Report, at: datetime) -> bool:
    """Write down that a message arrived or not. Told again, or in another order, it comes to the same: arrived stays arrived.

    False: its sender has not yet written down what the provider answered; it is to be told again.
    """
    delivery = await _delivery_of(session, report, at)
    if delivery is None:
        _log.info("a report of a message that is not ours, or was erased")
        return True
    if delivery.status == "sending":
        return False
    if delivery.provider_id is None:
        delivery.provider, delivery.provider_id = report.provider, report.provider_id
    if report.arrived:
        await arrived(session, delivery, at, min(report.at or at, at))
    elif delivery.status in ("accepted", "unknown"):
        await not_arrived(session, delivery, report.code, at, lasting=is_lasting(report.code))
        if "BLACK" in report.code.upper():
            # The carrier lets nothing through to this customer: that is no consent to short messages any more.
            source = load_wording().block_reasons["provider"]
            session.add(Consent(contact_id=delivery.contact_id, channel=CHANNEL, given=False, source=source, at=at))
    return True


async def _delivery_of(session: AsyncSession, report: Report, at: datetime) -> Delivery | None:
    """By our own number, the provider's, or, of one whose answer never came, by the customer's."""
    found = select(Delivery).join(Contact, Contact.id == Delivery.contact_id).where(Delivery.channel == CHANNEL)
    locked = found.with_for_update(of=Delivery, key_share=True).execution_options(populate_existing=True)
    if report.delivery_id is not None:
        same = or_(Contact.phone == report.phone, Delivery.provider_id == report.provider_id)
        return await session.scalar(locked.where(Delivery.id == report.delivery_id, same))
    known = locked.where(Delivery.provider == report.provider, Delivery.provider_id == report.provider_id)
    if (delivery := await session.scalar(known)) is not None:
        return delivery
    open_ones: Sequence[Delivery] = (
        await session.scalars(
            locked.where(
                Contact.phone == report.phone, Delivery.provider_id.is_(None), Delivery.status.in_(("sending", "unknown")),
                Delivery.sending_at > at - OLDEST,
            )
        )
    ).all()  # fmt: skip
    return open_ones[0] if len(open_ones) == 1 else None


async def arrived(session: AsyncSession, delivery: Delivery, at: datetime, when: datetime) -> None:
    """It arrived `when`: in the ledger, whatever was thought of it before."""
    if delivery.status not in ("accepted", "unknown", "failed"):
        return
    delivery.status, delivery.error, delivery.lasting = "delivered", "", False
    delivery.delivered_at, delivery.done_at = when, delivery.done_at or at
    await session.flush()
    if delivery.entry_id is not None:
        await session.execute(_ARRIVED, {"id": delivery.entry_id, "delivery": delivery.id, "at": at, "when": when})


def is_lasting(code: str) -> bool:
    """Whether a message would fail again tomorrow, by the code of the report."""
    plain = code.strip().upper()
    return plain in _LASTING_CODES or _LASTING_WORDS.search(plain) is not None


async def not_arrived(session: AsyncSession, delivery: Delivery, code: str, at: datetime, *, lasting: bool) -> None:
    """It did not arrive: the campaign tries it again in time, or goes on to the next channel the customer agreed to."""
    delivery.status, delivery.error, delivery.done_at, delivery.lasting = "failed", code or "not_delivered", at, lasting
    await session.flush()
    if delivery.entry_id is not None:
        await session.execute(_NEXT_CHANNEL, {"id": delivery.entry_id, "delivery": delivery.id, "at": at})


async def _holders(session: AsyncSession, phone: str) -> list[int]:
    found = select(Contact.id).where(Contact.phone == phone, Contact.erased_at.is_(None)).order_by(Contact.id)
    return list(await session.scalars(found))


# An unknown one that arrived needs no colleague any more, one that was thought not to have arrived is not sent again: the dispatcher
# looks at it again, and waits for the customer.
_ARRIVED = text(
    """
    UPDATE campaign_entries SET
        delivered_at = coalesce(delivered_at, :when),
        sent_at = coalesce(sent_at, :when),
        reason = CASE WHEN turned_out THEN '' ELSE reason END,
        next_at = CASE WHEN turned_out THEN :at ELSE next_at END,
        state = CASE WHEN turned_out THEN 'sent' ELSE state END,
        tries = tries + (turned_out AND state = 'waiting')::int
    FROM (
        SELECT (entry.state = 'sent' AND entry.reason = 'unknown' OR entry.state = 'waiting' AND entry.reason = 'not_delivered')
            AND NOT EXISTS (SELECT FROM deliveries WHERE entry_id = :id AND id > :delivery) AS turned_out
        FROM campaign_entries AS entry WHERE entry.id = :id
    ) AS seen
    WHERE campaign_entries.id = :id
    """
)
# The dispatcher tries it again in time, or takes the next channel the customer agreed to. It does not count as tried.
_NEXT_CHANNEL = text(
    """
    UPDATE campaign_entries SET state = 'waiting', reason = '', next_at = :at, tries = greatest(tries - 1, 0)
    WHERE id = :id AND state = 'sent'
      AND NOT EXISTS (SELECT FROM deliveries WHERE entry_id = :id AND id > :delivery)
      AND NOT EXISTS (SELECT FROM cases WHERE cases.id = campaign_entries.case_id AND cases.opened_at IS NOT NULL)
    """
)
