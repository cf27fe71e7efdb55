"""How long what customers said is kept: FOLLOWUP_KEEP_DAYS after a talk's last day, or its campaign's shorter period; then
it is erased in small batches.

What stays of a talk is what stays when its customer asks for erasure: docs/decisions/0009-erasing-a-customer.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.contacts.uploads import forget_files
from followup.rights.erase import empty_contacts, erase_talks, forget_in_audit_of_talks
from followup.store.campaign_models import Campaign, CampaignEntry
from followup.store.database import Database
from followup.store.models import Case, Contact, Ticket
from followup.store.staff_models import AuditEntry
from followup.web.shared_limits import forget_full

BATCH = 50
MOST_BATCHES = 20
"""In one run; the next run takes the rest."""
LAST_DAY = func.coalesce(Case.ended_at, Case.last_message_at, Case.created_at)


async def periods(session: AsyncSession, keep_days: int) -> list[tuple[int | None, int]]:
    """(campaign, days): for how long the content of its talks is kept after their last day.

    First that of the installation (None), if it has one; a campaign's own period counts where it is shorter.
    """
    own = Campaign.definition["keep_days"].as_integer()
    rows = await session.execute(select(Campaign.id, own).where(own > 0).order_by(Campaign.id))
    shorter = [(campaign_id, days) for campaign_id, days in rows if not keep_days or days < keep_days]
    return [(None, keep_days), *shorter] if keep_days else shorter


async def erase_old(database: Database, at: datetime, keep_days: int) -> int:
    """Erase the content of talks whose time is over, a batch a transaction. Returns how many talks."""
    async with database.session() as session:
        await forget_files(session, at)
        await forget_full(session)
        wanted = await periods(session, keep_days)
    done = 0
    for campaign_id, days in wanted:
        for _ in range(MOST_BATCHES):
            async with database.session() as session:
                batch = await _lock_batch(session, at - timedelta(days=days), campaign_id)
                if batch:
                    await _erase(session, batch, at)
                if campaign_id is None:
                    await _erase_forgotten_contacts(session, at, keep_days)
            done += len(batch)
            if len(batch) < BATCH:
                break
    return done


async def due_next(session: AsyncSession, at: datetime, keep_days: int, within: timedelta) -> tuple[int, datetime | None]:
    """How many talks are erased in the coming time (what is due already included), and when the next one is."""
    if not keep_days:
        return 0, None
    until = at + within - timedelta(days=keep_days)
    count = await session.scalar(select(func.count()).select_from(_due(until).subquery()))
    # The first of the index, not a minimum over all of them.
    oldest = await session.scalar(select(LAST_DAY).where(Case.erased_at.is_(None), ~_unfinished()).order_by(LAST_DAY).limit(1))
    return count or 0, oldest + timedelta(days=keep_days) if oldest else None


async def _lock_batch(session: AsyncSession, before: datetime, campaign_id: int | None) -> Sequence[str]:
    """The oldest talks that are due and in nobody's hands; their locks are held until the transaction ends."""
    due = _due(before)
    if campaign_id is not None:
        due = due.join(CampaignEntry, CampaignEntry.case_id == Case.id).where(CampaignEntry.campaign_id == campaign_id)
    found = await session.scalars(due.order_by(LAST_DAY).limit(BATCH))
    return [case_id for case_id in found.all() if await _try_lock(session, case_id)]


def _due(before: datetime) -> Select[Any]:
    return select(Case.id).where(Case.erased_at.is_(None), LAST_DAY < before, ~_unfinished())


def _unfinished() -> Any:
    # What a customer complained about is not forgotten while somebody still works on it.
    return exists().where(Ticket.case_id == Case.id, Ticket.status.in_(("open", "working")))


async def _try_lock(session: AsyncSession, case_id: str) -> bool:
    query = text("SELECT pg_try_advisory_xact_lock(hashtextextended('turn:' || :id, 0)) AND pg_try_advisory_xact_lock(hashtextextended('tracker:' || :id, 0))")
    return bool(await session.scalar(query, {"id": case_id}))


async def _erase(session: AsyncSession, batch: Sequence[str], at: datetime) -> None:
    entry = AuditEntry(
        at=at, user_id=None, user_name="", role="", action="retention.erase", object_type="", object_id="", detail={"talks": len(batch)}
    )
    session.add(entry)
    await session.flush()
    await erase_talks(session, batch, at)
    await forget_in_audit_of_talks(session, entry.id, batch)


async def _erase_forgotten_contacts(session: AsyncSession, at: datetime, keep_days: int) -> None:
    """Customers of whom nothing is left but name and number: none of their talks stands, and none is new."""
    old = at - timedelta(days=keep_days)
    stands = exists().where(or_(Case.contact_id == Contact.id, Case.claimed_contact_id == Contact.id), Case.erased_at.is_(None))
    had = exists().where(Case.contact_id == Contact.id)
    forgotten = select(Contact.id).where(and_(Contact.erased_at.is_(None), Contact.created_at < old, had, ~stands)).limit(BATCH)
    ids = (await session.scalars(forgotten)).all()
    if not ids:
        return
    await session.execute(text(_DIGEST), {"ids": list(ids)})
    await empty_contacts(session, ids, [], at)


_DIGEST = """
UPDATE do_not_contact SET phone_digest = coalesce(phone_digest(phone), phone_digest), phone = NULL,
    email_digest = coalesce(phone_digest(email), email_digest), email = NULL, words = ''
WHERE contact_id = ANY(:ids)
"""
