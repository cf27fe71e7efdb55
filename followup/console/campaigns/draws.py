"""The draws 抽样 of a campaign, for auditors: what was drawn when, and the list to draw it again."""

from __future__ import annotations

from aiohttp import web

from followup.campaigns import ledger, parse, redraw
from followup.campaigns.labels import sentence
from followup.campaigns.parse import DefinitionErrors
from followup.console.audit import audit
from followup.console.campaigns import describe
from followup.console.campaigns.account import Filters
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link
from followup.console.forms import object_id
from followup.console.parts import database, staff
from followup.console.permissions import Permission, needs
from followup.store.campaign_models import Campaign


@needs(Permission.READ_CAMPAIGNS)
async def draws_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/draws: what an auditor needs to draw the same customers again."""
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        draws = await ledger.draws(session, campaign.id)
    drawn: dict[str, dict[str, int]] = {}
    for one in draws:
        for stratum in one.strata:
            kinds = drawn.setdefault(stratum["name"], {})
            kinds[one.kind] = kinds.get(one.kind, 0) + stratum["drawn"]
    regular = [one for one in draws if one.kind != "top_up"]
    top_ups = [one for one in draws if one.kind == "top_up"]
    return campaign_page(
        request, "draws.html", campaign=campaign, drawn=drawn, regular=regular, top_ups=top_ups, share=_share(campaign), tab="draws",
        behind=lambda draw, stratum: Filters(draw=str(draw), stratum=stratum).link(detail_link(campaign.id)),
    )  # fmt: skip


def _share(campaign: Campaign) -> str:
    """The shares as they are set now."""
    try:
        return describe.sampling_text(parse.definition(campaign.definition).sampling)
    except DefinitionErrors:
        return ""


@needs(Permission.READ_CAMPAIGNS)
async def draws_file(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/draws.csv: everybody who took part, with lot and result; numbers of customers, no names."""
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        lots = await redraw.read(session, campaign.id)
        await audit(session, staff(request), "campaign.draws", "campaign", campaign.id, rows=len(lots))
    written = redraw.as_csv(lots, sentence("rule", "redraw", campaign=campaign.name, seed=campaign.seed))
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="draws-{campaign.id}.csv"'}
    return web.Response(body=("\ufeff" + written).encode(), headers=headers)


routes = [
    web.get(r"/campaigns/{id:\d+}/draws", draws_page),
    web.get(r"/campaigns/{id:\d+}/draws.csv", draws_file),
]
