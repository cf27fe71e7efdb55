"""What the account pages read."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.paging import PER_PAGE
from followup.store.models import User
from followup.store.staff_models import AuditEntry


async def users(session: AsyncSession) -> Sequence[User]:
    """Every account, those in use first."""
    return (await session.scalars(select(User).order_by(User.disabled_at.is_not(None), User.name))).all()


async def active_admins(session: AsyncSession) -> int:
    return await session.scalar(
        select(func.count()).select_from(User).where(User.role == "admin", User.disabled_at.is_(None))
    ) or 0


async def audit_entries(session: AsyncSession, who: str, action: str, page: int) -> tuple[Sequence[AuditEntry], int]:
    """One page of the log, newest first, and how many entries there are in all."""
    wanted = select(AuditEntry)
    if who:
        wanted = wanted.where(AuditEntry.user_name.contains(who, autoescape=True))
    if action:
        wanted = wanted.where(AuditEntry.action == action)
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = await session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return rows.all(), total
