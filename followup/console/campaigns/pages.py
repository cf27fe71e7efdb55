"""The list of campaigns, and what is done with one. The steps to make one: wizard.py; its account: account.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import actions, ledger
from followup.campaigns.actions import CampaignError
from followup.campaigns.parse import DefinitionErrors
from followup.console.audit import audit
from followup.console.campaigns import account, compare, desk, draws, queries, wizard
from followup.console.campaigns.shared import LIST, campaign_of, campaign_page, detail_link, ways
from followup.console.forms import field, object_id, query
from followup.console.parts import database, see, sentence, staff
from followup.console.permissions import Permission, needs
from followup.store.campaign_models import CAMPAIGN_STATES, Campaign

PARTS = {
    "ahead": ("waiting", "queued"),
    "sent": ("sent", "delivered", "unknown"),
    "came": ("opened", "answered", "appointed", "handed_over"),
    "done": ("completed", "refused", "do_not_contact", "wrong_person", "ended_early", "complained", "unreachable"),
    "never": ("suppressed", "late", "cancelled", "failed", "cannot_send", "no_consent", "no_address"),
}
"""The stages as the bar of a campaign puts them together; who was not drawn is left out."""


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign of the list with its bar."""

    one: queries.Listed
    script: str
    stages: dict[str, int]
    parts: list[tuple[str, int]]
    """Part -> entries; parts without any are left out."""
    total: int
    """Of all that were drawn."""


def bar(stages: dict[str, int]) -> list[tuple[str, int]]:
    """(part, entries) of every part that has some."""
    found = [(part, sum(stages.get(stage, 0) for stage in names)) for part, names in PARTS.items()]
    return [(part, count) for part, count in found if count]


@needs(Permission.READ_CAMPAIGNS)
async def list_page(request: web.Request) -> web.Response:
    """GET /console/campaigns?status="""
    return await _list(request)


async def _list(request: web.Request, *, error: str = "", about: int = 0, status: int = 200) -> web.Response:
    wanted = query(request, "status")
    async with database(request).session() as session:
        found = await queries.campaigns(session, wanted if wanted in CAMPAIGN_STATES else "")
        stages = await ledger.stage_counts(session, [one.campaign.id for one in found])
        unknown = len(await ledger.unknown_deliveries(session, limit=100))
    names = {one.campaign.script_id: account.script_name(one.campaign.script_id) for one in found}
    rows = []
    for one in found:
        parts = bar(stages[one.campaign.id])
        rows.append(Row(one, names[one.campaign.script_id], stages[one.campaign.id], parts, sum(count for _, count in parts)))
    return campaign_page(
        request, "list.html", status, rows=rows, status_wanted=wanted, PARTS=PARTS, states=CAMPAIGN_STATES, unknown=unknown, error=error, about=about
    )


# —— what is done with one ———————————————————————————————————————————————————

Act = Callable[[AsyncSession, web.Request, int, str], Awaitable[Campaign]]


async def _pause(session: AsyncSession, request: web.Request, campaign_id: int, why: str) -> Campaign:
    return await actions.pause(session, campaign_id, why)


async def _resume(session: AsyncSession, request: web.Request, campaign_id: int, why: str) -> Campaign:
    return await actions.resume(session, campaign_id, await ways(request))


async def _cancel(session: AsyncSession, request: web.Request, campaign_id: int, why: str) -> Campaign:
    if (await campaign_of(session, campaign_id)).status == "draft":
        raise CampaignError("is_over")  # a draft is deleted
    return await actions.cancel(session, campaign_id, why, clock.now())


_ACTS: dict[str, Act] = {"pause": _pause, "resume": _resume, "cancel": _cancel}


@needs(Permission.MANAGE_CAMPAIGNS)
async def act(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/{act}: pause and cancel say why."""
    campaign_id, name = object_id(request), request.match_info["act"]
    why = await field(request, "why", longest=actions.LONGEST_WHY)
    try:
        if name == "pause" and not why:
            raise CampaignError("no_reason")
        async with database(request).session() as session:
            before = (await campaign_of(session, campaign_id)).status
            campaign = await _ACTS[name](session, request, campaign_id, why)
            if campaign.status != before:
                await audit(session, staff(request), f"campaign.{name}", "campaign", campaign_id, reason=why)
    except (CampaignError, DefinitionErrors) as error:
        return await account.campaign_view(request, error=str(error), status=400)
    return see(detail_link(campaign_id))


@needs(Permission.MANAGE_CAMPAIGNS)
async def copy(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/copy: a draft with the same settings and a draw of its own."""
    campaign_id = object_id(request)
    async with database(request).session() as session:
        original = await campaign_of(session, campaign_id)
        name = f"{original.name[: actions.LONGEST_NAME - 3]} 副本"
        made = await actions.copy(session, campaign_id, name, clock.now(), user_id=staff(request).id)
        await audit(session, staff(request), "campaign.copy", "campaign", made.id, before=campaign_id)
    return see(f"{detail_link(made.id)}/edit/talk")


@needs(Permission.MANAGE_CAMPAIGNS)
async def drop(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/delete: only drafts; of everything else there is an account to give."""
    campaign_id = object_id(request)
    async with database(request).session() as session:
        campaign = await campaign_of(session, campaign_id)
        gone = await session.execute(delete(Campaign).where(Campaign.id == campaign_id, Campaign.status == "draft"))
        if gone.rowcount:
            await audit(session, staff(request), "campaign.delete", "campaign", campaign_id, name=campaign.name)
    if not gone.rowcount:
        return await account.campaign_view(request, error=sentence("campaign_errors", "only_drafts"), status=400)
    return see(LIST)


routes = [
    web.get("/campaigns", list_page),
    *wizard.routes,
    *desk.routes,
    web.post(r"/campaigns/{id:\d+}/{act:pause|resume|cancel}", act),
    web.post(r"/campaigns/{id:\d+}/copy", copy),
    web.post(r"/campaigns/{id:\d+}/delete", drop),
    *account.routes,
    *draws.routes,
    *compare.routes,
]
