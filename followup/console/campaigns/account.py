"""The account of a campaign: its ledger, one customer's way, the draws, the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.campaigns import ledger, parse
from followup.campaigns.dispatch import NoScript, script_now
from followup.campaigns.labels import label
from followup.campaigns.parse import DefinitionErrors
from followup.console.audit import audit
from followup.console.campaigns import describe, ledger_export, queries
from followup.console.campaigns.month import Month, month_of
from followup.console.campaigns.shared import campaign_of, campaign_page, detail_link
from followup.console.campaigns.why import why
from followup.console.forms import number, object_id, query
from followup.console.paging import PER_PAGE, page_number, page_of
from followup.console.parts import database, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.filters import talk_link, talks_link
from followup.console.transcripts.masking import name_of, phone_of
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign, CampaignEntry
from followup.store.models import Contact
from followup.talk.links import DoNotContact, create_link


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries of the ledger are wanted; empty parts hold for all. `stage`: one, or several with commas; `draw` as in `ledger.rows`."""

    stage: str = ""
    rule: str = ""
    stratum: str = ""
    reason: str = ""
    draw: str = ""
    q: str = ""

    def given(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def link(self, path: str, **more: object) -> str:
        pairs = {**self.given(), **{name: value for name, value in more.items() if value}}
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read(request: web.Request) -> Filters:
    return Filters(**{name: query(request, name, longest=200 if name == "stage" else 50) for name in Filters.__slots__})


def script_name(script_id: str) -> str:
    try:
        return script_now(script_id)[0].name
    except NoScript:
        return script_id


# —— the ledger ———————————————————————————————————————————————————————————


@needs(Permission.READ_CAMPAIGNS)
async def campaign(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}?stage=&rule=&stratum=&reason=&q=&after="""
    return await campaign_view(request)


async def campaign_view(request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
    campaign_id, filters = object_id(request), read(request)
    after = number(query(request, "after"), 0, least=0, most=2**62)
    async with database(request).session() as session:
        campaign = await campaign_of(session, campaign_id)
        if campaign.status == "draft":
            if staff(request).may(Permission.MANAGE_CAMPAIGNS) and not error:
                return see(f"{detail_link(campaign_id)}/edit/talk")
            return campaign_page(request, "draft.html", status, campaign=campaign, error=error, **_told(campaign))
        counts = await ledger.counts(session, campaign_id)
        rows = await ledger.rows(session, campaign_id, **filters.given(), after=after, limit=PER_PAGE + 1)
    here = detail_link(campaign_id)
    return campaign_page(
        request,
        "campaign.html",
        status,
        campaign=campaign,
        counts=counts,
        by_stage=counts.by("stage"),
        stages_wanted=[one for one in filters.stage.split(",") if one],
        only=lambda **those: Filters(**those).link(here),
        why=why,
        rules=list(counts.by("rule")),
        strata=list(counts.by("stratum")),
        table=by_rule(counts),
        rows=rows[:PER_PAGE],
        next_link=filters.link(here, after=rows[PER_PAGE - 1].entry_id) if len(rows) > PER_PAGE else "",
        first_link=filters.link(here) if after else "",
        filters=filters,
        draw_text=_draw_text(filters.draw),
        link=lambda **changed: Filters(**{**filters.given(), **changed}).link(here),
        export=lambda kind: filters.link(f"{here}/ledger.{kind}"),
        talks=talks_link(campaign=str(campaign_id)),
        error=error,
        tab="ledger",
        name_of=name_of,
        phone_of=phone_of,
        talk_link=talk_link,
        **_told(campaign),
    )


def _draw_text(draw: str) -> str:
    """Which draw the rows come from."""
    return f"编号 {draw} 抽中的" if draw.isdigit() else "抽中的" if draw == "any" else f"{label(draw, 'draws')}抽中的"


def by_rule(counts: ledger.Counts) -> list[tuple[str, str, dict[str, int], int]]:
    """(rule, stratum, stage -> entries, sum): the lines of the table of sums."""
    lines: dict[tuple[str, str], dict[str, int]] = {}
    for row in counts.rows:
        lines.setdefault((row.rule, row.stratum), {})[row.stage] = row.count
    return [(rule, stratum, stages, sum(stages.values())) for (rule, stratum), stages in lines.items()]


def _told(campaign: Campaign) -> dict[str, Any]:
    """The definition in words; one that cannot be read any more says so."""
    try:
        made = parse.definition(campaign.definition)
    except DefinitionErrors:
        return {"summary": [], "script": script_name(campaign.script_id)}
    return {"summary": describe.summary(made), "script": script_name(campaign.script_id)}


@needs(Permission.EXPORT)
async def export(request: web.Request) -> web.StreamResponse:
    """GET /console/campaigns/{id}/ledger.{kind}?…: the entries of the filters. Names and numbers are masked."""
    return await ledger_export.send(request, object_id(request), request.match_info["kind"], read(request).given())


# —— one customer's way ——————————————————————————————————————————————————————


@needs(Permission.READ_CAMPAIGNS)
async def entry_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/entries/{entry}"""
    return await _entry(request)


async def _entry(request: web.Request, *, link: str = "", error: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        entry, contact = await _entry_of(session, campaign.id, object_id(request, "entry"))
        steps = await ledger.history(session, entry.id)
    return campaign_page(
        request, "entry.html", status, campaign=campaign, entry=entry, steps=steps, talk_link=talk_link,
        who=name_of(contact.name) + contact.title, contact=contact, link=link, error=error, tab="ledger",
    )  # fmt: skip


async def _entry_of(session: AsyncSession, campaign_id: int, entry_id: int) -> tuple[CampaignEntry, Contact]:
    entry = await session.get(CampaignEntry, entry_id)
    if entry is None or entry.campaign_id != campaign_id:
        raise web.HTTPNotFound
    return entry, await session.get_one(Contact, entry.contact_id)


@needs(Permission.MANAGE_CAMPAIGNS)
async def hand_over_link(request: web.Request) -> web.Response:
    """POST /console/campaigns/{id}/entries/{entry}/link: a link to the talk, for a colleague to hand over; shown once."""
    campaign_id, entry_id = object_id(request), object_id(request, "entry")
    try:
        async with database(request).session() as session:
            campaign = await campaign_of(session, campaign_id)
            entry, _ = await _entry_of(session, campaign_id, entry_id)
            if entry.case_id is None:
                return await _entry(request, error=sentence("campaign_errors", "no_talk"), status=400)
            made = parse.definition(campaign.definition)
            token = await create_link(session, entry.case_id, valid_for=made.retry.expires)
            await audit(session, staff(request), "campaign.link", "case", entry.case_id)
    except DoNotContact:
        return await _entry(request, error=sentence("campaign_errors", "blocked"), status=400)
    return await _entry(request, link=f"{settings(request).public_url}/c/{token}")


# —— the calendar ——————————————————————————————————————————————————————————


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """What is planned for a day, by rule, and what happened on it."""

    planned: Mapping[str, int]
    happened: queries.Happened

    @property
    def count(self) -> int:
        return sum(self.planned.values())


@needs(Permission.READ_CAMPAIGNS)
async def calendar_page(request: web.Request) -> web.Response:
    """GET /console/campaigns/{id}/calendar?month=2026-12&day=2026-12-03&what=sent&page="""
    first, day = month_of(request, clock.now().astimezone(SHANGHAI).date())
    what, number = query(request, "what"), page_number(request)
    what = what if what in queries.WHAT else ""
    async with database(request).session() as session:
        campaign = await campaign_of(session, object_id(request))
        planned: dict[date, dict[str, int]] = {}
        for text, rule, count in await ledger.planned_days(session, campaign.id):
            planned.setdefault(date.fromisoformat(text), {})[rule] = count
        happened = await queries.happened_days(session, campaign.id, first - timedelta(days=7), first + timedelta(days=45))
        people, total = await queries.on_day(session, campaign.id, day, what, number) if day is not None else ([], 0)
    days = {
        one: CalendarDay(planned.get(one, {}), happened.get(one, queries.Happened())) for one in {*planned, *happened}
    }
    return campaign_page(
        request, "calendar.html", campaign=campaign, month=Month(first, days), day=day, people=page_of(request, people, total), what=what,
        today=clock.now().astimezone(SHANGHAI).date(), tab="calendar", name_of=name_of, **_told(campaign),
    )  # fmt: skip


routes = [
    web.get(r"/campaigns/{id:\d+}", campaign),
    web.get(r"/campaigns/{id:\d+}/ledger.{kind:xlsx|csv}", export),
    web.get(r"/campaigns/{id:\d+}/calendar", calendar_page),
    web.get(r"/campaigns/{id:\d+}/entries/{entry:\d+}", entry_page),
    web.post(r"/campaigns/{id:\d+}/entries/{entry:\d+}/link", hand_over_link),
]
