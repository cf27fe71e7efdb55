"""The steps of making a campaign: talk, audience, when, hours, strategy, check. Each step is saved for itself.

A draft and a campaign that runs are edited by the same forms; of the latter, what was not sent yet is planned anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from followup import clock
from followup.campaigns import actions, parse
from followup.campaigns.actions import CampaignError
from followup.campaigns.dispatch import NoScript, script_now
from followup.campaigns.labels import sentence as campaign_sentence
from followup.campaigns.parse import DefinitionErrors
from followup.console.audit import audit
from followup.console.campaigns import check, form, queries, steps, suggest
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link, ways
from followup.console.forms import field, number, object_id, query
from followup.console.parts import database, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.store.campaign_models import Campaign

STEPS = {"talk": "话术", "audience": "客户", "when": "时间", "hours": "时段", "strategy": "策略", "check": "检查"}
_FORMS = tuple(step for step in STEPS if step != "check")


# —— a new one ————————————————————————————————————————————————————————————


@needs(Permission.MANAGE_CAMPAIGNS)
async def new_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/new?script="""
    return await _new(request, chosen=query(request, "script"))


async def _new(
    request: web.Request, *, beside: Mapping[str, str] = MappingProxyType({}), name: str = "", chosen: str = "", demo: bool = False, status: int = 200
) -> web.Response:
    scripts = await asyncio.to_thread(steps.choices)
    return campaign_page(request, "new.html", status=status, scripts=scripts, chosen=chosen, beside=beside, name=name, demo=demo)


@needs(Permission.MANAGE_CAMPAIGNS)
async def create(request: web.Request) -> web.Response:
    """POST /console/campaigns: a draft with everything as it is advised."""
    name, script_id = await field(request, "name", longest=actions.LONGEST_NAME), await field(request, "script")
    demo = await field(request, "is_demo") == "1"
    wrong = {} if name else {"name": sentence("campaign_errors", "no_name")}
    found = None
    try:
        found = script_now(script_id) if script_id else None
        if found is None:
            wrong["script_id"] = sentence("campaign_errors", "no_script")
        elif found[0].customer_led:
            wrong["script_id"] = sentence("campaign_errors", "customer_led")
    except NoScript as error:
        wrong["script_id"] = _why_no_script(error, script_id)
    if wrong or found is None:
        return await _new(request, beside=wrong, name=name, chosen=script_id, demo=demo, status=400)
    script, content = found
    async with database(request).session() as session:
        raw = suggest.definition(content, script, await queries.columns(session), settings(request).company)
        campaign = await actions.create(session, name, raw, clock.now(), user_id=staff(request).id, is_demo=demo)
        await audit(session, staff(request), "campaign.create", "campaign", campaign.id, name=campaign.name)
    return see(_step_link(campaign.id, "talk"))


def _why_no_script(error: NoScript, script_id: str) -> str:
    return campaign_sentence("no_script" if error.why == "script_gone" else error.why, "start_errors", script=script_id)


# —— the steps ————————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Refused:
    """What was sent and not saved: shown again as it was typed, with what is wrong beside its field."""

    raw: Mapping[str, Any]
    name: str
    problems: list[str]
    beside: Mapping[str, str]
    status: int = 400


@needs(Permission.MANAGE_CAMPAIGNS)
async def step_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/edit/{step}"""
    return await _step(request, request.match_info["step"])


@needs(Permission.MANAGE_CAMPAIGNS)
async def save_step(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/edit/{step}: what is wrong is told, and nothing is saved then."""
    step, sent = request.match_info["step"], await request.post()
    campaign_id, name = object_id(request), await field(request, "name", longest=actions.LONGEST_NAME)
    seen = number(await field(request, "seen"), 0, least=0)
    raw: dict[str, Any] = {}
    own: dict[str, Any] = {}
    try:
        async with database(request).session() as session:
            campaign = await campaign_of(session, campaign_id)
            before, own = campaign.version, {"script_id": campaign.script_id}
            raw = _typed(campaign, step, sent)
            if step == "talk":
                raw |= _talk_part(campaign, await field(request, "script"), sent)
            campaign = await actions.edit(session, campaign_id, raw, name=name or None, seen=seen)
            if campaign.version != before or name:
                detail = {"step": STEPS[step], "version": campaign.version}
                await audit(session, staff(request), "campaign.change", "campaign", campaign_id, **detail)
    except DefinitionErrors as errors:
        return await _step(request, step, Refused(raw, name, [form.told(one) for one in errors.problems], form.beside(errors.problems)))
    except CampaignError as error:
        if error.key == "changed_meanwhile":
            return await _step(request, step, Refused(raw, name, [sentence("campaign_errors", "changed_meanwhile")], {}, 409))
        where = {"script_id": str(error)} if error.key in ("no_script", "script_broken", "other_script") else {}
        return await _step(request, step, Refused({**raw, **own}, name, [str(error)], where))
    if await field(request, "go") == "more":
        customer = steps.wanted_customer(request)
        return see(_step_link(campaign_id, step) + (f"?customer={customer}" if customer else "") + "#more")
    every = list(STEPS)
    return see(_step_link(campaign_id, every[every.index(step) + 1]))


def _typed(campaign: Campaign, step: str, sent: Any) -> dict[str, Any]:
    """The definition with this step's part as it was typed."""
    parts = {**steps.PARTS, "audience": form.audience_part, "talk": form.every_variable}
    return {**campaign.definition, **parts[step](sent)}


def _talk_part(campaign: Campaign, script_id: str, sent: Any) -> dict[str, Any]:
    """The script and what fills its variables."""
    script_id = script_id or campaign.script_id
    try:
        script, _ = script_now(script_id)
    except NoScript as error:
        raise CampaignError("no_script" if error.why == "script_gone" else error.why, script=script_id) from None
    return {"script_id": script.id, **form.talk_part(sent, list(script.variables))}


async def _step(request: web.Request, step: str, refused: Refused | None = None, problems: Sequence[str] = ()) -> web.Response:
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        if campaign.status in ("cancelled", "finished"):
            return see(detail_link(campaign.id))
        shown = {**campaign.definition, **(refused.raw if refused else {})}
        context = await _CONTEXTS[step](request, session, campaign, shown)
    return campaign_page(
        request,
        f"edit_{step}.html",
        status=refused.status if refused else 400 if problems else 200,
        campaign=campaign,
        raw=shown,
        name=(refused.name if refused else "") or campaign.name,
        step=step,
        steps=[(one, name, _step_link(campaign.id, one)) for one, name in STEPS.items()],
        problems=refused.problems if refused else problems,
        beside=refused.beside if refused else {},
        seen=campaign.version,
        **context,
    )


def _step_link(campaign_id: int, step: str) -> str:
    return f"{detail_link(campaign_id)}/edit/{step}"


_CONTEXTS: dict[str, Any] = {**steps.CONTEXTS, "check": check.context}


# —— pieces of pages, while somebody writes ————————————————————————————————————————


@needs(Permission.MANAGE_CAMPAIGNS)
async def told(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/told/{step}?(the fields of its form): what the settings say, in sentences."""
    step = request.match_info["step"]
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
    return campaign_page(request, "_told.html", **steps.told(step, {**campaign.definition, **steps.PARTS[step](request.query)}))


@needs(Permission.MANAGE_CAMPAIGNS)
async def count(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/count?groups=&without=&field=&values=&imports=: the live count, a piece of a page."""
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        try:
            made = parse.definition({**campaign.definition, **form.audience_part(request.query)})
            reach, problems = await queries.reach(session, made.audience, is_demo=campaign.is_demo), []
        except DefinitionErrors as errors:
            reach, problems = None, [form.told(one) for one in errors.problems]
    return campaign_page(request, "_count.html", reach=reach, problems=problems)


# —— start ————————————————————————————————————————————————————————————————


@needs(Permission.MANAGE_CAMPAIGNS)
async def start(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/start"""
    campaign_id = object_id(request)
    try:
        async with database(request).session() as session:
            before = (await campaign_of(session, campaign_id)).status
            campaign = await actions.start(session, campaign_id, clock.now(), await ways(request))
            if before != "running":
                await audit(session, staff(request), "campaign.start", "campaign", campaign_id, version=campaign.version)
    except (DefinitionErrors, CampaignError) as error:
        return await _step(request, "check", problems=[str(error)])
    return see(detail_link(campaign_id))


_STEP = "{step:" + "|".join(STEPS) + "}"
routes = [
    web.get("/campaigns/new", new_page),
    web.post("/campaigns", create),
    web.get(r"/campaigns/{id:\d+}/edit/" + _STEP, step_page),
    web.post(r"/campaigns/{id:\d+}/edit/{step:" + "|".join(_FORMS) + "}", save_step),
    web.get(r"/campaigns/{id:\d+}/count", count),
    web.get(r"/campaigns/{id:\d+}/told/{step:" + "|".join(steps.PARTS) + "}", told),
    *check.routes,
    web.post(r"/campaigns/{id:\d+}/start", start),
]
