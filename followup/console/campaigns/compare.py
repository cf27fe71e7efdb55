"""Two versions of a campaign's script beside each other 话术对比: begun, looked at, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import comparison
from followup.campaigns.actions import CampaignError
from followup.campaigns.chance import Share, detectable, difference, drawn_as_set, p_value
from followup.campaigns.comparison import LONGEST_REASON, PRIMARY, SHARES, Candidate, Result
from followup.campaigns.parse import DefinitionErrors
from followup.console.audit import audit
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link
from followup.console.figures import table
from followup.console.forms import field, number, object_id
from followup.console.labels import labels
from followup.console.parts import database, see, sentence, staff
from followup.console.permissions import Permission, needs
from followup.console.scripts import bench, texts
from followup.console.scripts.texts import Source
from followup.scripts import load
from followup.scripts.published import Kind, Name
from followup.store.models import User
from followup.store.script_models import ScriptComparison

LIMIT, LIMIT_OF_OTHERS = 0.05, 0.01
"""Below these a difference is no chance; the others are five at a look, so that one of them easily seems to differ."""
FEWEST = 20
"""Customers on either side before anything is said."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of both sides. `verdict`: whether they differ by more than chance, as a sentence; `differs`: they do."""

    name: str
    what: str
    first: Share
    second: Share
    verdict: str
    differs: bool

    @property
    def is_primary(self) -> bool:
        return self.what == PRIMARY


@dataclass(frozen=True, slots=True)
class Shown:
    """One comparison as the page shows it."""

    row: ScriptComparison
    source: str
    """What the second one is."""
    by: str
    ended_by: str
    first: Result
    second: Result
    lines: Sequence[Line]
    as_drawn: bool
    """Whether as many have come to each side as the draw should bring."""


def lines(first: Result, second: Result) -> list[Line]:
    """The measures in the order of a customer's way, each with its verdict."""
    found = []
    for what in SHARES:
        a, b = first.share(what), second.share(what)
        limit = LIMIT if what == PRIMARY else LIMIT_OF_OTHERS
        verdict, differs = told(a, b, limit)
        found.append(Line(labels()["compared"][what], what, a, b, verdict, differs))
    return found


def told(a: Share, b: Share, limit: float) -> tuple[str, bool]:
    """A plain sentence, and whether the difference is more than chance."""
    if min(a.n, b.n) < FEWEST:
        return sentence("compare_verdicts", "few").format(a=a.n, b=b.n, fewest=FEWEST), False
    p = p_value(a, b)
    values = {"a": a.n, "b": b.n, "p": f"{p:.3f}" if p >= 0.001 else "不到 0.001"}
    if p >= limit:
        least = max(1, round(detectable(a, b, limit) * 100))
        return sentence("compare_verdicts", "same" if a.k * b.n == b.k * a.n else "chance").format(**values, least=least), False
    low, high = difference(a, b, 1 - limit)
    apart = abs(b.k / b.n - a.k / a.n) * 100
    least, most = sorted((abs(low) * 100, abs(high) * 100))
    least = 0.0 if low < 0 < high else least
    higher = sentence("compare_verdicts", "higher" if b.k / b.n > a.k / a.n else "lower")
    text = sentence("compare_verdicts", "real").format(**values, higher=higher, apart=f"{apart:.1f}", least=f"{least:.1f}", most=f"{most:.1f}")
    return text, True


@needs(Permission.READ_CAMPAIGNS)
async def compare_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/compare"""
    return await _page(request)


async def _page(request: web.Request, *, error: str = "", status: int = 200, **typed: Any) -> web.Response:
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        await table.refresh(session)
        shown = [await _shown(session, row) for row in await comparison.comparisons(session, campaign.id)]
        sources = await texts.sources(session, campaign.script_id) if _may_begin(request, campaign.status, shown) else []
    running = next((one for one in shown if one.row.ended_at is None), None)
    return campaign_page(
        request, "compare.html", status, campaign=campaign, running=running, past=[one for one in shown if one is not running],
        sources=sources, may_begin=_may_begin(request, campaign.status, shown), tab="compare", error=error,
        typed={"second": "", "percent": "", "reason": "", "chosen": "", "why": "", **typed}, LONGEST_REASON=LONGEST_REASON,
    )  # fmt: skip


def _may_begin(request: web.Request, status: str, shown: Sequence[Shown]) -> bool:
    is_over = status in ("cancelled", "finished")
    return staff(request).may(Permission.MANAGE_CAMPAIGNS) and not is_over and all(one.row.ended_at is not None for one in shown)


async def _shown(session: AsyncSession, row: ScriptComparison) -> Shown:
    first, second = await comparison.results(session, row)
    names = dict(map(tuple, await session.execute(select(User.id, User.name).where(User.id.in_([row.user_id, row.ended_by])))))
    source = await texts.source_of(session, row.publication_id, row.draft_id)
    as_drawn = drawn_as_set(first.invited, second.invited, row.share)
    return Shown(row, source, names.get(row.user_id, ""), names.get(row.ended_by, ""), first, second, lines(first, second), as_drawn)


@needs(Permission.MANAGE_CAMPAIGNS)
async def begin(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/compare: `second` is a `texts.Source`'s key, `percent` the share of customers."""
    campaign_id = object_id(request)
    chosen, why = await field(request, "second", longest=40), await field(request, "reason", longest=LONGEST_REASON)
    percent = number(await field(request, "percent", longest=5), 0)
    try:
        async with database(request).session() as session:
            script_id = (await campaign_of(session, campaign_id)).script_id
            source = next((one for one in await texts.sources(session, script_id) if one.key == chosen), None)
        if source is None:
            raise CampaignError("no_candidate")
        candidate = await bench.run(lambda: _candidate(script_id, source))
        async with database(request).session() as session:
            made = await comparison.begin(session, campaign_id, candidate, percent / 100, why, clock.now(), staff(request).id)
            await audit(session, staff(request), "campaign.compare", "campaign", campaign_id, comparison=made.id, second=chosen, percent=percent)
    except (CampaignError, DefinitionErrors) as wrong:
        return await _page(request, error=str(wrong), status=400, second=chosen, percent=percent or "", reason=why)
    return see(f"{detail_link(campaign_id)}/compare")


def _candidate(script_id: str, source: Source) -> Candidate:
    """Takes up to some seconds: the text is checked as it would be before it is published. Raises CampaignError."""
    if bench.errors(Name(Kind.SCRIPT, script_id), source.text):
        raise CampaignError("script_broken", script=source.title)
    return Candidate(load.content_of(source.text), source.publication_id, source.draft_id)


@needs(Permission.MANAGE_CAMPAIGNS)
async def stop(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/compare/stop: `chosen` is for everybody who was not contacted yet."""
    campaign_id, seen = object_id(request), number(await field(request, "seen"), 0, most=2**62)
    chosen, why = await field(request, "chosen", longest=10), await field(request, "why", longest=LONGEST_REASON)
    try:
        async with database(request).session() as session:
            await campaign_of(session, campaign_id)
            await comparison.stop(session, campaign_id, seen, chosen, why, clock.now(), staff(request).id)
            await audit(session, staff(request), "campaign.compared", "campaign", campaign_id, comparison=seen, chosen=chosen, reason=why)
    except CampaignError as wrong:
        return await _page(request, error=str(wrong), status=400, chosen=chosen, why=why)
    return see(f"{detail_link(campaign_id)}/compare")


routes = [
    web.get(r"/campaigns/{id:\d+}/compare", compare_page),
    web.post(r"/campaigns/{id:\d+}/compare", begin),
    web.post(r"/campaigns/{id:\d+}/compare/stop", stop),
]
