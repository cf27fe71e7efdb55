"""The steps of making a campaign: talk, audience, when, hours, strategy, check. Each step is saved for itself.

A draft and a campaign that runs are edited by the same forms; of the latter, what was not sent yet is planned anew.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import actions, parse
from followup.campaigns.actions import CampaignError
from followup.campaigns.advice import advice
from followup.campaigns.definition import Definition
from followup.campaigns.dispatch import NoScript, script_now, variables_of
from followup.campaigns.dry_run import Day, DryRun, dry_run
from followup.campaigns.labels import sentence as campaign_sentence
from followup.campaigns.parse import CHANNELS, DefinitionErrors
from followup.campaigns.plan import PlannedEntry
from followup.console.audit import audit
from followup.console.campaigns import describe, form, queries, suggest
from followup.console.campaigns.month import Month, month_of
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link, ways
from followup.console.forms import field, number, object_id, query
from followup.console.parts import database, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.masking import name_of
from followup.console.transcripts.questions import Questions
from followup.dialogue.items import first_item
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording
from followup.scripts import load
from followup.scripts.model import Script
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign
from followup.store.models import Contact

STEPS = {"talk": "话术", "audience": "客户", "when": "时间", "hours": "时段", "strategy": "策略", "check": "检查"}
_FORMS = tuple(step for step in STEPS if step != "check")
_KEYS = {"audience": ("audience",), "when": ("rules",), "hours": ("hours",), "strategy": ("channels", "retry", "sampling")}
MOST_PREVIEWED = 200
"""Customers of a day that are listed."""


# —— a new one ————————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class ScriptChoice:
    id: str
    name: str


_NAME = re.compile(r"""^name:[ \t]*["']?(.+?)["']?[ \t]*$""", re.MULTILINE)
_CUSTOMER_LED = re.compile(r"^starts:[ \t]*customer\b", re.MULTILINE)


def choices() -> list[ScriptChoice]:
    """The scripts that begin with us. Only their names are looked for: reading all of them whole takes seconds."""
    found = []
    for path in load.script_files():
        text = path.read_text(encoding="utf-8-sig")
        if not _CUSTOMER_LED.search(text):
            name = _NAME.search(text)
            found.append(ScriptChoice(path.stem, name[1] if name else path.stem))
    return found


@needs(Permission.MANAGE_CAMPAIGNS)
async def new_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/new?script="""
    return await _new(request)


async def _new(request: web.Request, *, error: str = "", name: str = "", status: int = 200) -> web.Response:
    scripts = await asyncio.to_thread(choices)
    chosen = query(request, "script")
    return campaign_page(request, "new.html", status=status, scripts=scripts, chosen=chosen, error=error, name=name)


@needs(Permission.MANAGE_CAMPAIGNS)
async def create(request: web.Request) -> web.Response:
    """POST /console/campaigns: a draft with everything as it is advised."""
    name, script_id = await field(request, "name", longest=actions.LONGEST_NAME), await field(request, "script")
    demo = await field(request, "is_demo") == "1"
    if not script_id:
        return await _new(request, error=sentence("campaign_errors", "no_script"), name=name, status=400)
    if not name:
        return await _new(request, error=sentence("campaign_errors", "no_name"), status=400)
    try:
        script, content = script_now(script_id)
    except NoScript as error:
        key = "no_script" if error.why == "script_gone" else error.why
        return await _new(request, error=campaign_sentence(key, "start_errors", script=script_id), name=name, status=400)
    if script.customer_led:
        return await _new(request, error=sentence("campaign_errors", "customer_led"), name=name, status=400)
    async with database(request).session() as session:
        raw = suggest.definition(content, script, await queries.columns(session), settings(request).company)
        campaign = await actions.create(session, name, raw, clock.now(), user_id=staff(request).id, is_demo=demo)
        await audit(session, staff(request), "campaign.create", "campaign", campaign.id, name=campaign.name)
    return see(_step_link(campaign.id, "talk"))


# —— the steps ————————————————————————————————————————————————————————————


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
    try:
        async with database(request).session() as session:
            campaign = await campaign_of(session, campaign_id)
            before = campaign.version
            raw = _changed(campaign, step, sent, await field(request, "script"))
            campaign = await actions.edit(session, campaign_id, raw, name=name or None, seen=seen)
            if campaign.version != before or name:
                detail = {"step": STEPS[step], "version": campaign.version}
                await audit(session, staff(request), "campaign.change", "campaign", campaign_id, **detail)
    except DefinitionErrors as errors:
        return await _step(request, step, raw=raw, problems=[form.told(one) for one in errors.problems], status=400)
    except CampaignError as error:
        return await _step(request, step, raw=raw, problems=[str(error)], status=409 if error.key == "changed_meanwhile" else 400)
    if await field(request, "go") == "more":
        return see(_step_link(campaign_id, step) + "#more")
    steps = list(STEPS)
    return see(_step_link(campaign_id, steps[steps.index(step) + 1]))


def _changed(campaign: Campaign, step: str, sent: Any, script_id: str) -> dict[str, Any]:
    """The definition with this step's part as the form says."""
    if step != "talk":
        parts = {"audience": form.audience_part, "when": form.rules_part, "hours": form.hours_part, "strategy": form.strategy_part}
        return {**campaign.definition, **parts[step](sent)}
    script_id = script_id or campaign.script_id
    try:
        script, _ = script_now(script_id)
    except NoScript as error:
        raise CampaignError("no_script" if error.why == "script_gone" else error.why, script=script_id) from None
    return {**campaign.definition, "script_id": script.id, **form.talk_part(sent, list(script.variables))}


async def _step(
    request: web.Request, step: str, *, raw: Mapping[str, Any] | None = None, problems: Sequence[str] = (), status: int = 200
) -> web.Response:
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        if campaign.status in ("cancelled", "finished"):
            return see(detail_link(campaign.id))
        shown = {**campaign.definition, **(raw or {})}
        context = await _CONTEXTS[step](request, session, campaign, shown)
    return campaign_page(
        request,
        f"edit_{step}.html",
        status=status,
        campaign=campaign,
        raw=shown,
        step=step,
        steps=[(one, name, _step_link(campaign.id, one)) for one, name in STEPS.items()],
        problems=problems,
        seen=campaign.version,
        **context,
    )


def _step_link(campaign_id: int, step: str) -> str:
    return f"{detail_link(campaign_id)}/edit/{step}"


# —— 1 the talk ———————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Preview:
    """How a talk would go with one customer of the audience."""

    contact: Contact | None
    opening: str
    questions: list[str]
    missing: list[str]
    """Labels of the variables that nothing is known for."""
    others: list[int]


async def _talk(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    scripts = [] if campaign.started_at else await asyncio.to_thread(choices)
    context = {"scripts": scripts, "columns": await queries.columns(session), "script": None, "preview": None}
    try:
        script, content = script_now(str(raw.get("script_id", "")))
    except NoScript as error:
        key = "no_script" if error.why == "script_gone" else error.why
        return {**context, "gone": campaign_sentence(key, "start_errors", script=raw.get("script_id", ""))}
    contact = await queries.someone(session, parse.definition(campaign.definition), _wanted(request), is_demo=campaign.is_demo)
    return {**context, "gone": "", "script": script, "preview": preview(script, content, raw.get("variables") or {}, contact)}


def _wanted(request: web.Request) -> int | None:
    return number(query(request, "customer"), 0, least=0) or None


def preview(script: Script, content: Mapping[str, Any], given: Mapping[str, str], contact: Contact | None) -> Preview:
    """The first thing this customer would read, and the questions in their order."""
    fields = contact.fields if contact is not None else {}
    known = variables_of(given, script.variables, fields)
    missing = [str(spec.get("label", name)) for name, spec in script.variables.items() if name not in known]
    who = {"customer": contact.name, "title": contact.title} if contact is not None else {}
    blanks = {name: f"〔{spec.get('label', name)}〕" for name, spec in script.variables.items() if name not in known}
    state = TalkState("0" * 32, script.id, {**known, **blanks, **who}, open=first_item(script), now=clock.now().isoformat())
    words = Wording(script, state)
    opening = words.fill(script.identity_ask) if script.identity_ask and state.open == "identity" else words.fill(script.opening)
    asked = Questions(content, {**known, **blanks})
    return Preview(contact, opening, [asked.label(one.id) for one in script.questions if not one.is_step], missing, [])


# —— 2 the audience ————————————————————————————————————————————————————————


async def _audience(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    chosen = (raw.get("audience") or {}).get("imports") or []
    return {
        "groups": await queries.groups(session),
        "columns": await queries.columns(session),
        "imports": await queries.recent_imports(session, [one for one in chosen if isinstance(one, int)]),
        "reach": await queries.reach(session, parse.definition(campaign.definition).audience, is_demo=campaign.is_demo),
    }


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


# —— 3 when, 4 hours, 5 strategy ————————————————————————————————————————————————


async def _when(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    columns = await queries.columns(session)
    made = parse.definition(campaign.definition)
    try:
        _, content = script_now(campaign.script_id)
        own = suggest.rule(content, columns)
    except NoScript:
        own = None
    return {
        "columns": columns,
        "told": [(describe.rule_text(rule), describe.rule_more(rule)) for rule in made.rules],
        "hours": describe.hours_text(made.hours),
        "suggestion": own if own is not None and own.date_field else None,
        "own": describe.rule_text(own) if own is not None and own.date_field else "",
        "moment_of": form.moment_of,
    }


async def _hours(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"told": describe.hours_text(parse.definition(campaign.definition).hours)}


async def _strategy(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    made = parse.definition(campaign.definition)
    return {
        "CHANNELS": CHANNELS,
        "ready": ways(request),
        "groups": [name for name, _ in await queries.groups(session)],
        "reach": await queries.reach(session, made.audience, is_demo=campaign.is_demo),
        "told": [describe.channels_text(made.channels), describe.retry_text(made.retry), describe.sampling_text(made.sampling)],
    }


# —— 6 the check ——————————————————————————————————————————————————————————


async def _check(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    now = clock.now()
    made = parse.definition(campaign.definition)
    errors = await blockers(session, campaign, made, ways(request))
    people = await queries.people(session, made, is_demo=campaign.is_demo)
    script, schedule, missing = None, None, {}
    try:
        script, content = script_now(made.script_id)
        schedule = content["script"].get("schedule")
    except NoScript:
        pass
    # In a thread: customers write to the same process.
    if script is not None and not campaign.is_demo:
        missing = await asyncio.to_thread(queries.missing_data, people, made, script)
    run = await asyncio.to_thread(dry_run, made, people, now, campaign.seed)
    reach = await queries.reach(session, made.audience, is_demo=campaign.is_demo)
    month, day = month_of(request, run.days[0].day if run.days else now.astimezone(SHANGHAI).date())
    chosen = next((one for one in run.days if one.day == day), None)
    names = await queries.names(session, [one.contact_id for one in chosen.entries[:MOST_PREVIEWED]]) if chosen else {}
    return {
        "errors": errors,
        "warnings": [*warnings(made, schedule), *_reach_warnings(made, reach, missing, len(run.days) and _crowded(run))],
        "script": script,
        "summary": describe.summary(made),
        "rules": [(describe.rule_text(rule), describe.rule_more(rule)) for rule in made.rules],
        "reach": reach,
        "missing": missing,
        "run": run,
        "month": calendar_of(run, month),
        "day": day,
        "chosen": chosen,
        "who": [(one, _shown(one, names)) for one in chosen.entries[:MOST_PREVIEWED]] if chosen else [],
        "most": MOST_PREVIEWED,
        "ready": ways(request),
    }


async def blockers(session: AsyncSession, campaign: Campaign, made: Definition, channels: frozenset[str]) -> list[str]:
    """Why it cannot be started: the sentences of the errors that `start` would raise."""
    found = []
    try:
        actions.check(made, channels)
    except CampaignError as error:
        found.append(str(error))
    if not await actions.audience_size(session, made, is_demo=campaign.is_demo):
        found.append(str(CampaignError("nobody")))
    return found


def warnings(made: Definition, schedule: Mapping[str, Any] | None) -> list[str]:
    """What is allowed but not advised."""
    return [str(one) for one in advice(made, schedule)]


def _reach_warnings(made: Definition, reach: queries.Reach, missing: Mapping[str, int], crowded: int) -> list[str]:
    found = []
    if reach.blocked:
        found.append(f"有 {reach.blocked} 位客户在免打扰名单里，不会联系。")
    asked = [channel for channel in made.channels if channel in reach.ways]
    if asked and "link" not in asked and (most := max(reach.ways[channel] for channel in asked)) < reach.customers - reach.blocked:
        found.append(f"这些渠道最多只有 {most} 位客户有号码或地址并且同意，其余的联系不到。")
    found += [f"有 {count} 位客户缺少“{name}”，话术要用，缺的不会联系。" for name, count in missing.items()]
    if crowded:
        found.append(f"有 {crowded} 天要联系的人比按“每分钟最多”排得下的多，当天联系不完的顺延。")
    return found


def _crowded(run: DryRun) -> int:
    return sum(day.count > day.room for day in run.days)


def calendar_of(run: DryRun, month: date) -> Month[Day]:
    return Month(month, {day.day: day for day in run.days})


def _shown(entry: PlannedEntry, people: Mapping[int, Any]) -> str:
    person = people.get(entry.contact_id)
    return (name_of(person.name) + person.title) if person is not None else ""


_CONTEXTS: dict[str, Any] = {
    "talk": _talk, "audience": _audience, "when": _when, "hours": _hours, "strategy": _strategy, "check": _check,
}  # fmt: skip


# —— start ————————————————————————————————————————————————————————————————


@needs(Permission.MANAGE_CAMPAIGNS)
async def start(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/start"""
    campaign_id = object_id(request)
    try:
        async with database(request).session() as session:
            before = (await campaign_of(session, campaign_id)).status
            campaign = await actions.start(session, campaign_id, clock.now(), ways(request))
            if before != "running":
                await audit(session, staff(request), "campaign.start", "campaign", campaign_id, version=campaign.version)
    except (DefinitionErrors, CampaignError) as error:
        return await _step(request, "check", problems=[str(error)], status=400)
    return see(detail_link(campaign_id))


_STEP = "{step:" + "|".join(STEPS) + "}"
routes = [
    web.get("/campaigns/new", new_page),
    web.post("/campaigns", create),
    web.get(r"/campaigns/{id:\d+}/edit/" + _STEP, step_page),
    web.post(r"/campaigns/{id:\d+}/edit/{step:" + "|".join(_FORMS) + "}", save_step),
    web.get(r"/campaigns/{id:\d+}/count", count),
    web.post(r"/campaigns/{id:\d+}/start", start),
]
