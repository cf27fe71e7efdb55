"""What there is to do, asked for all running campaigns in one statement: a minute in which nothing is due costs no more than this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.campaigns.enrol import OVERLAP
from followup.settings import SHANGHAI


@dataclass(frozen=True, slots=True)
class Todo:
    """A running campaign. `changed`: its audience must be looked through; `due`: the time of some entries has come."""

    id: int
    name: str
    script_id: str
    definition: dict[str, Any]
    changed: bool
    due: bool


async def look(session: AsyncSession, at: datetime) -> Sequence[Todo]:
    """The running campaigns, the most important first."""
    given = {"at": at, "today": at.astimezone(SHANGHAI).date(), "overlap": OVERLAP}
    return [Todo(**row._mapping) for row in await session.execute(_LOOK, given)]


# Changed: by `enrol`'s own measure of what it has to look through.
_LOOK = text(
    """
    SELECT id, name, script_id, definition,
        planned_at IS NULL OR planned_version IS DISTINCT FROM version
            OR (planned_at AT TIME ZONE 'Asia/Shanghai')::date < CAST(:today AS date)
            OR EXISTS (SELECT FROM contacts WHERE updated_at >= least(planned_at, CAST(:at AS timestamptz)) - CAST(:overlap AS interval))
            AS changed,
        EXISTS (SELECT FROM campaign_entries WHERE campaign_id = campaigns.id AND next_at <= :at) AS due
    FROM campaigns WHERE status = 'running' ORDER BY priority, id
    """
)
