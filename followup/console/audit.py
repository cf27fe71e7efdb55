"""The audit log: who did what. It only grows; the database itself refuses changing and deleting."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.permissions import Staff
from followup.store.staff_models import AuditEntry


async def audit(
    session: AsyncSession, staff: Staff | None, action: str, object_type: str = "", object_id: object = "", **detail: Any
) -> None:
    """Write an entry in the caller's transaction, so that neither stands without the other.

    `action`: `<area>.<verb>`, named in labels.yml. `staff` None: nobody was logged in (a failed login).
    """
    session.add(entry_of(staff, action, object_type, object_id, **detail))


def entry_of(staff: Staff | None, action: str, object_type: str = "", object_id: object = "", **detail: Any) -> AuditEntry:
    """The entry itself, for who needs its number."""
    return AuditEntry(
        at=clock.now(),
        user_id=staff.id if staff else None,
        user_name=staff.name if staff else "",
        role=staff.role if staff else "",
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        detail=detail,
    )
