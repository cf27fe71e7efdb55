"""What the pages of the wizard's first five steps show: the talk with a preview, the audience, when, hours, strategy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import parse
from followup.campaigns.definition import Definition
from followup.campaigns.dispatch import NoScript, script_now, variables_of
from followup.campaigns.labels import sentence as campaign_sentence
from followup.campaigns.parse import CHANNELS, DefinitionErrors
from followup.console.campaigns import describe, form, queries, sentences, suggest
from followup.console.campaigns.shared import detail_link, ways
from followup.console.forms import number, query
from followup.console.transcripts.questions import Questions
from followup.dialogue.items import first_item
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording
from followup.scripts import load, published
from followup.scripts.model import Script
from followup.store.campaign_models import Campaign
from followup.store.models import Contact

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
        text = published.text_of(path)
        if not _CUSTOMER_LED.search(text):
            name = _NAME.search(text)
            found.append(ScriptChoice(path.stem, name[1] if name else path.stem))
    return found


# —— 1 the talk ———————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Preview:
    """How a talk would go with one customer of the audience."""

    contact: Contact | None
    opening: str
    questions: list[str]
    missing: list[str]
    """Labels of the variables that nothing is known for."""


async def _talk(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    scripts = [] if campaign.started_at else await asyncio.to_thread(choices)
    context = {"scripts": scripts, "columns": await queries.columns(session), "script": None, "preview": None, "q": "", "others": []}
    try:
        script, content = script_now(str(raw.get("script_id", "")))
    except NoScript as error:
        key = "no_script" if error.why == "script_gone" else error.why
        return {**context, "gone": campaign_sentence(key, "start_errors", script=raw.get("script_id", ""))}
    audience, q = parse.definition(campaign.definition), query(request, "q", longest=50)
    contact = await queries.someone(session, audience, wanted_customer(request), is_demo=campaign.is_demo)
    return {
        **context,
        "gone": "",
        "script": script,
        "preview": preview(script, content, raw.get("variables") or {}, contact),
        "q": q,
        "others": await queries.others(session, audience, q, contact.id if contact else 0, is_demo=campaign.is_demo),
    }


def wanted_customer(request: web.Request) -> int | None:
    """The customer of ?customer=, with whom the talk is shown."""
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
    return Preview(contact, opening, [asked.label(one.id) for one in script.questions if not one.is_step], missing)


# —— 2 the audience ————————————————————————————————————————————————————————


async def _audience(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    chosen = (raw.get("audience") or {}).get("imports") or []
    return {
        "groups": await queries.groups(session),
        "columns": await queries.columns(session),
        "imports": await queries.recent_imports(session, [one for one in chosen if isinstance(one, int)]),
        "reach": await queries.reach(session, parse.definition(campaign.definition).audience, is_demo=campaign.is_demo),
    }


# —— 3 when, 4 hours, 5 strategy ————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class Told:
    """What stands beside a form: sentences about the rules, lines, and what is done for which reason."""

    rules: list[sentences.Told] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)


PARTS = {"when": form.rules_part, "hours": form.hours_part, "strategy": form.strategy_part}
"""The steps whose settings are told in sentences while they are written."""


def told(step: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """`told`, or what is `wrong` with the settings so that nothing can be told yet."""
    try:
        made = parse.definition(raw)
    except DefinitionErrors as errors:
        return {"told": Told(), "wrong": [form.told(one) for one in errors.problems]}
    return {"told": _TOLD[step](made), "wrong": []}


def _about_rules(made: Definition) -> Told:
    return Told(rules=sentences.rules(made, clock.now()))


def _about_strategy(made: Definition) -> Told:
    lines = [describe.channels_text(made.channels), describe.sampling_text(made.sampling), *describe.pace_texts(made)]
    return Told(lines=lines, reasons=sentences.by_reason(made))


_TOLD = {"when": _about_rules, "hours": _about_rules, "strategy": _about_strategy}


async def _when(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    columns = await queries.columns(session)
    try:
        _, content = script_now(campaign.script_id)
        own = suggest.rule(content, columns)
    except NoScript:
        own = None
    return {
        "columns": columns,
        "own": describe.rule_text(own) if own is not None and own.date_field else "",
        "moment_of": form.moment_of,
        "started_rules": [rule["id"] for rule in campaign.definition["rules"]],
        **_telling("when", campaign, raw),
    }


async def _hours(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**_telling("hours", campaign, raw), "weekdays_text": lambda days: describe.weekdays_text(tuple(days))}


async def _strategy(request: web.Request, session: AsyncSession, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    made = parse.definition(campaign.definition)
    return {
        "CHANNELS": CHANNELS,
        "ready": await ways(request),
        "groups": [name for name, _ in await queries.groups(session)],
        "reach": await queries.reach(session, made.audience, is_demo=campaign.is_demo),
        **_telling("strategy", campaign, raw),
    }


def _telling(step: str, campaign: Campaign, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {**told(step, raw), "told_link": f"{detail_link(campaign.id)}/told/{step}"}


CONTEXTS: dict[str, Any] = {"talk": _talk, "audience": _audience, "when": _when, "hours": _hours, "strategy": _strategy}
