"""The one gate before every message that brings a customer to a talk (decision 0011)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.channels.wechat.notifier_address import has_address
from followup.store.campaign_models import Consent, Delivery
from followup.store.models import Contact
from followup.store.records import blocked

DO_NOT_CONTACT, NO_CONSENT, NO_ADDRESS = "do_not_contact", "no_consent", "no_address"
_ASKED = ("sms", "email", "wechat")
"""Channels that need the customer's consent."""
ASKED_FOR = ("callback", "resume")
"""Kinds of deliveries that answer the customer: the daily cap does not count them."""
LINK = "link"
"""A link that a colleague hands over: it needs neither an address nor a consent of its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one customer stands at the gate."""

    blocked: bool
    ways: frozenset[str]
    """Channels on which the customer has an address and agreed to be contacted."""
    addresses: frozenset[str]
    """Channels on which there is an address."""
    contacted_today: int
    """Deliveries of the local day that arrived or may have; call-backs the customer asked for, and replies, not counted."""


def any_of(ids: Sequence[int]) -> ColumnElement[Any]:
    """For `column == any_of(ids)`: one statement whatever their number."""
    return func.any(cast(list(ids), ARRAY(BigInteger)))


def no_way(standing: Standing, channels: Iterable[str]) -> str:
    """Why none of the channels can be used."""
    return NO_CONSENT if standing.addresses & set(channels) else NO_ADDRESS


async def standings(
    session: AsyncSession, contact_ids: Sequence[int], day: date, *, wait: bool = False, without: Sequence[int] = ()
) -> dict[int, Standing]:
    """How the customers stand; their rows are locked, so that no two processes count the same day at once.

    Whoever is locked elsewhere is left out, or waited for with `wait`. `without`: deliveries that do not count as today's.
    """
    today = (
        select(func.count())
        .where(
            Delivery.contact_id == Contact.id,
            Delivery.day == day,
            Delivery.kind.not_in(ASKED_FOR),
            Delivery.status.not_in(("failed", "suppressed")),
            ~(Delivery.id == any_of(without)),
        )
        .correlate(Contact)
        .scalar_subquery()
    )
    stop = or_(Contact.erased_at.is_not(None), blocked(Contact.id, Contact.phone))
    # Locked first and counted by another statement: one that began before a colleague's commit would not see what he queued.
    lock = select(Contact.id).where(Contact.id == any_of(contact_ids)).order_by(Contact.id)
    locked = list(await session.scalars(lock.with_for_update(key_share=True, skip_locked=not wait)))
    rows = await session.execute(
        select(Contact.id, Contact.phone, Contact.email, stop.label("stop"), today.label("today"), has_address().label("wechat"), *map(_agreed, _ASKED))
        .where(Contact.id == any_of(locked))
    )
    return {
        row.id: _standing(row, {c for c in _ASKED if row._mapping[f"agreed_{c}"]}) for row in rows
    }


def _agreed(channel: str) -> ColumnElement[bool]:
    """Whether the newest word of the customer on this channel is yes."""
    newest = select(Consent.given).where(Consent.contact_id == Contact.id, Consent.channel == channel)
    return newest.order_by(Consent.id.desc()).limit(1).correlate(Contact).scalar_subquery().label(f"agreed_{channel}")


def _standing(row: Row[Any], agreed: Collection[str]) -> Standing:
    addresses = {LINK}
    if row.phone and row.phone.startswith("1"):  # no short message reaches a landline
        addresses.add("sms")
    if row.email:
        addresses.add("email")
    if row.wechat:
        addresses.add("wechat")
    ways = {channel for channel in addresses if channel == LINK or channel in agreed}
    return Standing(row.stop, frozenset(ways), frozenset(addresses), row.today)
