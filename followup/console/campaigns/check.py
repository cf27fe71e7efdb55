"""The wizard's last step: what is wrong, what to mind, and a dry run on a calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import actions, parse
from followup.campaigns.actions import CampaignError
from followup.campaigns.advice import advice
from followup.campaigns.definition import Definition
from followup.campaigns.dispatch import NoScript, script_now
from followup.console.campaigns import describe, queries, trial
from followup.console.campaigns.month import Month, month_of
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link, ways
from followup.console.campaigns.trial import Day, Planned, Progress, Trial, Trials
from followup.console.forms import object_id, query
from followup.console.parts import database
from followup.console.permissions import Permission, needs
from followup.console.transcripts.masking import name_of
from followup.scripts.model import Script
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign

TRIALS = web.AppKey("trials", Trials)


async def keep_trials(app: web.Application) -> Any:
    """For the console's cleanup_ctx."""
    app[TRIALS] = Trials()
    yield
    await app[TRIALS].close()


async def context(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page shows. Of a large audience the dry run comes afterwards: `run` is None meanwhile."""
    made = parse.definition(campaign.definition)
    script, schedule = _script(made)
    reach = await queries.reach(session, made.audience, is_demo=campaign.is_demo)
    return {
        "errors": blockers(campaign, made, await ways(request), reach.customers),
        "warnings": [*warnings(made, schedule), *_reach_warnings(made, reach)],
        "script": script,
        "summary": describe.summary(made),
        "rules": [(describe.rule_text(rule), describe.rule_more(rule)) for rule in made.rules],
        "ready": await ways(request),
        **await _run_context(request, session, campaign, made, script, reach.customers, again=True),
    }


@needs(Permission.MANAGE_CAMPAIGNS)
async def run_part(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/run?month=&day=: the dry run alone, or how far it is. A piece of the check page."""
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        made = parse.definition(campaign.definition)
        total = await actions.audience_size(session, made, is_demo=campaign.is_demo)
        shown = await _run_context(request, session, campaign, made, _script(made)[0], total)
    return campaign_page(request, "_run.html", campaign=campaign, **shown)


def _script(made: Definition) -> tuple[Script | None, Mapping[str, Any] | None]:
    try:
        script, content = script_now(made.script_id)
    except NoScript:
        return None, None
    return script, content["script"].get("schedule")


async def _run_context(
    request: web.Request, session: AsyncSession, campaign: Campaign, made: Definition, script: Script | None, total: int, *, again: bool = False
) -> dict[str, Any]:
    """The dry run as the page shows it; `progress` where it is not ready. `again`: one that failed is begun once more."""
    now = clock.now()
    work = partial(trial.make, database(request), made, script, now, campaign.seed, is_demo=campaign.is_demo)
    here = f"{detail_link(campaign.id)}/edit/check"
    if total <= trial.AT_ONCE:
        found: Trial | None = await work(Progress(total))
    else:
        progress = await request.config_dict[TRIALS].of(
            database(request), campaign.id, campaign.version, total, work, anew=query(request, "anew") == "1", again=again
        )
        found = progress.result
        if found is None:
            there = f"{detail_link(campaign.id)}/run" + (f"?{request.query_string}" if request.query_string else "")
            return {"run": None, "progress": progress, "again": there.replace("anew=1", "anew="), "here": here}
    run = found
    month, day = month_of(request, run.days[0].day if run.days else now.astimezone(SHANGHAI).date())
    chosen = next((one for one in run.days if one.day == day), None)
    names = await queries.names(session, [one.contact_id for one in chosen.entries]) if chosen else {}
    return {
        "run": run,
        "progress": None,
        "here": here,
        "reckoned_at": found.at if total > trial.AT_ONCE else None,
        "minding": _minding(found),
        "month": calendar_of(run, month),
        "day": day,
        "chosen": chosen,
        "who": [(one, _shown(one, names)) for one in chosen.entries] if chosen else [],
        "most": trial.MOST_PREVIEWED,
    }


def blockers(campaign: Campaign, made: Definition, channels: frozenset[str], customers: int) -> list[str]:
    """Why it cannot be started: the sentences of the errors that `start` would raise."""
    found = []
    try:
        actions.check(made, channels)
    except CampaignError as error:
        found.append(str(error))
    if not customers:
        found.append(str(CampaignError("nobody")))
    return found


def warnings(made: Definition, schedule: Mapping[str, Any] | None) -> list[str]:
    """What is allowed but not advised."""
    return [str(one) for one in advice(made, schedule)]


def _reach_warnings(made: Definition, reach: queries.Reach) -> list[str]:
    found = []
    if reach.blocked:
        found.append(f"有 {reach.blocked} 位客户在免打扰名单里，不会联系。")
    asked = [channel for channel in made.channels if channel in reach.ways]
    if asked and "link" not in asked and (most := max(reach.ways[channel] for channel in asked)) < reach.customers - reach.blocked:
        found.append(f"这些渠道最多只有 {most} 位客户有号码或地址并且同意，其余的联系不到。")
    return found


def _minding(found: Trial) -> list[str]:
    """What only the dry run shows."""
    told = [f"有 {count} 位客户缺少“{name}”，话术要用，缺的不会联系。" for name, count in found.missing.items()]
    if crowded := sum(day.count > day.room for day in found.days):
        told.append(f"有 {crowded} 天要联系的人比按“每分钟最多”排得下的多，当天联系不完的顺延。")
    return told


def calendar_of(run: Trial, month: date) -> Month[Day]:
    return Month(month, {day.day: day for day in run.days})


def _shown(entry: Planned, people: Mapping[int, Any]) -> str:
    person = people.get(entry.contact_id)
    return (name_of(person.name) + person.title) if person is not None else ""


routes = [web.get(r"/campaigns/{id:\d+}/run", run_part)]
