"""The links that lead into a talk, and taking them back: one went to the wrong person, or a customer asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.parts import database, see, staff
from followup.console.permissions import Permission, needs
from followup.store.messages import OUT_NOTIFICATION
from followup.store.models import AccessToken, Case
from followup.talk.links import revoke_links


@dataclass(frozen=True, slots=True)
class Links:
    """Links and short codes of a talk."""

    open: int
    """How many still let somebody in."""
    until: datetime | None
    """When the last of those runs out."""
    standing: int
    """How many were not taken back, those that ran out included: a page that was opened by one may still read on."""
    revoked_at: datetime | None
    """When some were last taken back."""


async def links_of(session: AsyncSession, case_id: str) -> Links:
    token, now = AccessToken, clock.now()
    stands = token.revoked_at.is_(None)
    row = (
        await session.execute(
            select(
                func.count().filter(stands, token.expires_at > now),
                func.max(token.expires_at).filter(stands, token.expires_at > now),
                func.count().filter(stands),
                func.max(token.revoked_at),
            ).where(token.case_id == case_id)
        )
    ).one()
    return Links(*row)


@needs(Permission.BLOCK_CUSTOMERS)
async def revoke(request: web.Request) -> web.Response:
    """POST /console/talks/{case_id}/links/revoke: every link and code of the talk, and every page that is open by one."""
    case_id = request.match_info["case_id"]
    async with database(request).session() as session:
        if await session.scalar(select(Case.id).where(Case.id == case_id).with_for_update(key_share=True)) is None:
            raise web.HTTPNotFound
        count = await revoke_links(session, case_id)
        if count:
            await audit(session, staff(request), "links.revoke", "case", case_id, links=count)
            # Pages that listen look at once whether they still may.
            await session.execute(select(func.pg_notify(OUT_NOTIFICATION, case_id)))
    return see(f"/console/talks/{case_id}#links")
