"""The dashboard, the forms as files, the monthly report."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.figures import dashboard, forms, monthly, queries, table
from followup.console.figures.filters import FIGURES, STEPS, FigureFilters, read
from followup.console.labels import label, labels
from followup.console.parts import database, page, see, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.queries import campaign_names, script_names
from followup.console.transcripts.questions import Questions
from followup.figures.forms import NoForm, forms_of
from followup.figures.monthly import Month, MonthFigures, monthly_paper
from followup.figures.pdf import MOST_ROWS, TooLong
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign

_NAMED = re.compile(labels()["figure_named"]["words"])


@needs(Permission.READ_FIGURES)
async def dashboard_page(request: web.Request) -> web.Response:
    """GET /console/figures?…: see `filters.FigureFilters`."""
    filters = _filters(request)
    await _refresh(request)
    async with database(request).session() as session:
        await queries.prepare(session)
        filters, only = await _of_campaign(session, filters)
        columns = await queries.group_columns(session)
        variables = await queries.variables(session, filters.talks.script)
        named = {name: called for name, called in variables.items() if _NAMED.search(called)}
        filters = _divided(filters, columns, named, variables)
        campaigns = await campaign_names(session)
        # Two connections: the longest questions are answered side by side.
        async with database(request).session() as other:
            await queries.prepare(other)
            figures = await _figures(session, other, filters)
    return page(
        request,
        "figures/dashboard.html",
        filters=filters,
        scripts={name: called for name, called in figures.scripts.items() if not only or name == only},
        campaigns=campaigns,
        tiles=dashboard.tiles(figures),
        tables=dashboard.tables(figures) if figures.talks.total.talks else [],
        columns=[(name, name) for name in columns],
        named=sorted((named or variables).items(), key=lambda pair: pair[1]),
        variables=variables,
        steps=[(step, label(step, "figure_steps")) for step in STEPS],
        forms=forms_of(filters.talks.script),
        FIGURES=FIGURES,
    )


async def _of_campaign(session: AsyncSession, filters: FigureFilters) -> tuple[FigureFilters, str]:
    """A campaign has one script: the filters with it, and its id; "" where no campaign is chosen, or none that there is."""
    chosen = filters.talks.campaign
    script = await session.scalar(select(Campaign.script_id).where(Campaign.id == int(chosen))) if chosen.isdigit() and len(chosen) < 16 else None
    if not script:
        return filters, ""
    return replace(filters, talks=replace(filters.talks, script=script, starts="")), script


async def _figures(session: AsyncSession, other: AsyncSession, filters: FigureFilters) -> dashboard.Figures:
    scripts = await script_names(session)
    talks = await queries.talks(session, filters, other)
    aspects = await queries.aspects(other, filters)
    if not filters.talks.script:
        return dashboard.Figures(filters, talks, scripts, aspects=aspects)
    content = await queries.newest_content(session, filters.talks.script)
    questions = named_questions(content)
    if questions.script is None:
        return dashboard.Figures(filters, talks, scripts, aspects=aspects)
    answers = await queries.answers(session, filters, dashboard.closed_questions(questions.script))
    short = dashboard.short_names(filters.talks.script)
    return dashboard.Figures(
        filters, talks, scripts, questions.script, lambda one: short.get(one) or questions.label(one), answers, aspects
    )


async def _refresh(request: web.Request) -> None:
    """Count what changed, in a transaction of its own: who does so at the same time waits for no more than that."""
    async with database(request).session() as session:
        await table.refresh(session)


def named_questions(content: Mapping[str, Any]) -> Questions:
    """The questions of a script with … where a customer's own values would stand."""
    variables = (content.get("script") or {}).get("variables") or {}
    return Questions(content, dict.fromkeys(variables, "…"))


def _divided(
    filters: FigureFilters, columns: list[str], named: Mapping[str, str], variables: Mapping[str, str]
) -> FigureFilters:
    """With what the talks are divided by: as asked for, else the first that suits."""
    by = filters.by or (columns[0] if columns else "")
    who = filters.who if filters.who in variables else next(iter(named), "")
    return replace(filters, by=by, who=who)


# —— the documents' forms ——————————————————————————————————————————————————


@needs(Permission.EXPORT)
async def form_file(request: web.Request) -> web.Response:
    """GET /console/figures/forms/{name}.{kind}?…: a form over the talks of the filters, as XLSX or PDF."""
    name, kind, filters = request.match_info["name"], request.match_info["kind"], _filters(request)
    try:
        async with database(request).session() as session:
            made = await forms.make(session, name, filters)
            await audit(
                session, staff(request), "form.export", "form", name,
                rows=made.rows, format=kind, filters=dict(filters.pairs()),
            )  # fmt: skip
    except NoForm:
        raise web.HTTPNotFound from None
    except forms.TooMany as error:
        return _too_many(request, error.most)
    return await _written(request, made, kind, f"{name}-{filters.first}-{filters.last}")


async def _written(request: web.Request, made: forms.Made, kind: str, name: str) -> web.Response:
    try:
        body = await asyncio.to_thread(made.xlsx if kind == "xlsx" else made.pdf)
    except TooLong:
        return _too_many(request, MOST_ROWS, "可以下载 Excel，或者缩小日期范围。")
    headers = {"Content-Type": _TYPES[kind], "Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return web.Response(body=body, headers=headers)


_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "pdf": "application/pdf"}


def _too_many(request: web.Request, most: int, hint: str = "请缩小日期范围，分几次导出。") -> web.Response:
    return page(request, "error.html", status=413, title="太多了", hint=f"这张表超过 {most} 行，一次做不完。{hint}")


# —— the monthly report ———————————————————————————————————————————————————


@needs(Permission.READ_FIGURES)
async def reports_page(request: web.Request) -> web.Response:
    """GET /console/figures/reports: the months and what became of their reports."""
    now = clock.now()
    async with database(request).session() as session:
        oldest = await monthly.first_month(session)
        months = _months(oldest, now.astimezone(SHANGHAI).date()) if oldest else []
        states = await monthly.states(session, months, now)
    return page(request, "figures/reports.html", states=states, FIGURES=FIGURES)


def _months(oldest: date, today: date) -> list[Month]:
    """From this month back to the oldest talk, two years at most."""
    found = [Month(today.replace(day=1))]
    while len(found) < _MOST_MONTHS and found[-1].first > oldest:
        found.append(found[-1].before)
    return found


_MOST_MONTHS = 24


@needs(Permission.READ_FIGURES)
async def report_page(request: web.Request) -> web.Response:
    """GET /console/figures/reports/{month}"""
    month = _month(request)
    await _refresh(request)
    async with database(request).session() as session:
        figures = await monthly.month_figures(session, month)
        (state,) = await monthly.states(session, [month], clock.now())
    return page(
        request,
        "figures/report.html",
        paper=monthly_paper(figures),
        month=month,
        state=state,
        changed=_changed(state, figures),
        dashboard=monthly.month_filters(month).link(),
        FIGURES=FIGURES,
    )


def _changed(state: monthly.State, figures: MonthFigures) -> list[tuple[str, int, int]]:
    """(name, as confirmed, now) of the first lines that are no longer what somebody confirmed."""
    if state.numbers is None:
        return []
    now = _numbers(figures)
    return [(name, was, now.get(name, 0)) for name, was in state.numbers.items() if was != now.get(name, 0)]


def _numbers(figures: MonthFigures) -> dict[str, int]:
    return {"邀请": figures.invited, **dict(figures.reach)}


@needs(Permission.EXPORT)
async def report_file(request: web.Request) -> web.Response:
    """GET /console/figures/reports/{month}.{kind}"""
    month, kind = _month(request), request.match_info["kind"]
    await _refresh(request)
    async with database(request).session() as session:
        figures = await monthly.month_figures(session, month)
        await audit(session, staff(request), monthly.FETCHED, "report", month, format=kind)
    return await _written(request, forms.Made(monthly_paper(figures)), kind, f"report-{month}")


@needs(Permission.CONFIRM_REPORTS)
async def confirm_report(request: web.Request) -> web.Response:
    """POST /console/figures/reports/{month}/confirm: handed in; what it said is kept with it."""
    month = _month(request)
    async with database(request).session() as session:
        (state,) = await monthly.states(session, [month], clock.now())
        if not state.is_over:
            raise web.HTTPForbidden
        figures = await monthly.month_figures(session, month)
        await audit(session, staff(request), monthly.CONFIRMED, "report", month, numbers=_numbers(figures))
    return see(f"{FIGURES}/reports/{month}")


def _month(request: web.Request) -> Month:
    month = Month.parse(request.match_info["month"])
    if month is None or not 2000 <= month.first.year <= 2999:
        raise web.HTTPNotFound
    return month


def _filters(request: web.Request) -> FigureFilters:
    return read(request.query, clock.now().astimezone(SHANGHAI).date())


_MONTH = r"{month:\d{4}-\d{2}}"
routes = [
    web.get("/figures", dashboard_page),
    web.get(r"/figures/forms/{name:survey|rates|record}.{kind:xlsx|pdf}", form_file),
    web.get("/figures/reports", reports_page),
    web.get(f"/figures/reports/{_MONTH}", report_page),
    web.get(f"/figures/reports/{_MONTH}.{{kind:xlsx|pdf}}", report_file),
    web.post(f"/figures/reports/{_MONTH}/confirm", confirm_report),
]
