"""What customer systems read of campaigns."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.api.problems import Problem
from followup.campaigns import comparison
from followup.campaigns.chance import p_value
from followup.campaigns.comparison import PRIMARY, SHARES, Result
from followup.console.figures import table
from followup.store.campaign_models import Campaign
from followup.store.script_models import ScriptComparison

Answer = tuple[int, dict[str, Any]]
_LETTERS = {"first": "A", "second": "B"}


async def comparisons(session: AsyncSession, request: web.Request, body: Any) -> Answer:
    """GET /campaigns/{id}/comparisons: two versions of its script beside each other, the newest comparison first."""
    number = request.match_info["id"]
    campaign = await session.get(Campaign, int(number)) if len(number) < 19 else None
    if campaign is None:
        raise Problem(404, "没有这个编号的回访任务。")
    await table.refresh(session)
    found = [await _told(session, row) for row in await comparison.comparisons(session, campaign.id)]
    return 200, {"campaign": campaign.name, "comparisons": found}


async def _told(session: AsyncSession, row: ScriptComparison) -> dict[str, Any]:
    first, second = await comparison.results(session, row)
    return {
        "number": row.number,
        "share": row.share,
        "began_at": row.began_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "chosen": _LETTERS.get(row.chosen or ""),
        "primary": PRIMARY,
        "versions": {"A": _figures(first), "B": _figures(second)},
        "p": {what: round(p_value(first.share(what), second.share(what)), 6) for what in SHARES},
    }


def _figures(result: Result) -> dict[str, Any]:
    counts = ("invited", "opened", "answered", "completed", "refused", "rated", "satisfied")
    return {**{name: getattr(result, name) for name in counts}, "median_seconds": result.seconds, "median_messages": result.said}
