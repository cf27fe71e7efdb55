"""The dashboard, the forms as files, the monthly report."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.figures import dashboard, queries
from followup.console.figures.filters import FIGURES, STEPS, FigureFilters, read
from followup.console.labels import label, labels
from followup.console.parts import database, page, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts.queries import script_names
from followup.console.transcripts.questions import Questions
from followup.figures.forms import forms_of
from followup.settings import SHANGHAI

_NAMED = re.compile("|".join(labels()["figure_named"].values()))


@needs(Permission.READ_FIGURES)
async def dashboard_page(request: web.Request) -> web.Response:
    """GET /console/figures?…: see `filters.FigureFilters`."""
    filters = _filters(request)
    async with database(request).session() as session:
        await queries.prepare(session)
        columns = await queries.group_columns(session)
        variables = await queries.variables(session, filters.talks.script)
        named = {name: called for name, called in variables.items() if _NAMED.search(called)}
        filters = _divided(filters, columns, named, variables)
        figures = await _figures(session, filters)
    return page(
        request,
        "figures/dashboard.html",
        filters=filters,
        scripts=figures.scripts,
        tiles=dashboard.tiles(figures),
        tables=dashboard.tables(figures) if figures.talks.total.talks else [],
        columns=[(name, name) for name in columns],
        named=sorted((named or variables).items(), key=lambda pair: pair[1]),
        variables=variables,
        steps=[(step, label(step, "figure_steps")) for step in STEPS],
        forms=forms_of(filters.talks.script),
        FIGURES=FIGURES,
    )


async def _figures(session: AsyncSession, filters: FigureFilters) -> dashboard.Figures:
    scripts = await script_names(session)
    talks = await queries.talks(session, filters)
    aspects = await queries.aspects(session, filters)
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


def named_questions(content: Mapping[str, Any]) -> Questions:
    """The questions of a script with … where a customer's own values would stand."""
    variables = (content.get("script") or {}).get("variables") or {}
    return Questions(content, dict.fromkeys(variables, "…"))


def _divided(
    filters: FigureFilters, columns: list[str], named: Mapping[str, str], variables: Mapping[str, str]
) -> FigureFilters:
    """With what the talks are divided by: as asked for, else the first that suits."""
    from dataclasses import replace

    by = filters.by or (columns[0] if columns else "")
    who = filters.who if filters.who in variables else next(iter(named), "")
    return replace(filters, by=by, who=who)


def _filters(request: web.Request) -> FigureFilters:
    return read(request.query, clock.now().astimezone(SHANGHAI).date())


routes = [
    web.get("/figures", dashboard_page),
]
