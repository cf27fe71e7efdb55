"""Who agreed to be contacted on which channel. The newest row of a customer and channel counts; rows are only added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.campaign_models import Consent


async def allowed(session: AsyncSession, contact_ids: Sequence[int], channel: str) -> set[int]:
    """Those of the customers who agreed to the channel and have not taken it back."""
    said = await session.execute(
        select(Consent.contact_id, Consent.given)
        .where(Consent.contact_id == func.any(list(contact_ids)), Consent.channel == channel)
        .order_by(Consent.id)
    )
    newest = {contact_id: given for contact_id, given in said}
    return {contact_id for contact_id, given in newest.items() if given}


async def standing(session: AsyncSession, contact_id: int) -> dict[str, bool]:
    """channel -> whether the customer's newest word on it is yes; channels nobody asked about are left out."""
    said = await session.execute(
        select(Consent.channel, Consent.given).where(Consent.contact_id == contact_id).order_by(Consent.id)
    )
    return {channel: given for channel, given in said}


async def history(session: AsyncSession, contact_id: int) -> Sequence[Consent]:
    """Everything the customer agreed to or took back, newest first."""
    return (await session.scalars(select(Consent).where(Consent.contact_id == contact_id).order_by(Consent.id.desc()))).all()


async def withdraw_all(session: AsyncSession, contact_id: int, source: str, at: datetime) -> None:
    """The customer wants no more messages: whatever was agreed to is taken back. Said twice, it stands once."""
    await session.execute(text(_WITHDRAW), {"contact_id": contact_id, "source": source, "at": at})


_WITHDRAW = """
INSERT INTO consents (contact_id, channel, given, source, at)
SELECT contact_id, channel, false, :source, :at
FROM (SELECT DISTINCT ON (channel) contact_id, channel, given FROM consents WHERE contact_id = :contact_id ORDER BY channel, id DESC) AS newest
WHERE given
"""
