"""Quality inspection: samples, the score sheet beside its talk, results, the lowest scores, what colleagues wrote.

Who reads what: staff with READ_INSPECTIONS everything; an agent only the filled sheets about his or her own work, with the
inspector's comment and name, so that what is said about one's work can be answered. Nobody judges one's own work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from followup import clock
from followup.console.audit import audit
from followup.console.forms import field, object_id, query
from followup.console.labels import label, labels
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, staff
from followup.console.permissions import Permission, needs
from followup.console.quality import queries, work
from followup.console.quality.hints import forbidden_in, hints
from followup.console.quality.results import Results, results
from followup.console.quality.sampling import Wish, WishError, read_seed, read_wish, stored_wish
from followup.console.quality.sheet import criteria_of, sheet
from followup.console.transcripts.detail import talk_view
from followup.console.transcripts.export import as_csv, as_xlsx
from followup.console.transcripts.filters import talk_link
from followup.console.transcripts.masking import Mask, NoMask, name_of
from followup.console.transcripts.queries import script_names
from followup.settings import SHANGHAI

QUALITY = "/console/quality"
_WISH = ("number", "unit", "first", "last", "script", "who", "channel", "complaint", "by_script", "demo", "seed")
_DAYS_SHOWN = 180


# —— samples ————————————————————————————————————————————————————————


@needs(Permission.READ_OWN_INSPECTIONS)
async def samples_page(request: web.Request) -> web.Response:
    """GET /console/quality: the samples and the form for a new one; an agent is led to his or her results."""
    if not staff(request).may(Permission.READ_INSPECTIONS):
        return see(f"{QUALITY}/results")
    return await _samples(request)


async def _samples(request: web.Request, *, error: str = "", draft: Mapping[str, str] | None = None) -> web.Response:
    async with database(request).session() as session:
        rows, total = await queries.page_of_samples(session, page_number(request))
        scripts, talkers = await script_names(session), await queries.talkers(session)
    return page(
        request,
        "quality/samples.html",
        status=400 if error else 200,
        samples=page_of(request, rows, total),
        scripts=scripts,
        talkers=talkers,
        error=error,
        draft=draft or {"number": "20", "unit": "count"},
        wishes={row.sample.id: stored_wish(row.sample.filters) for row in rows},
    )


@needs(Permission.INSPECT)
async def draw_sample(request: web.Request) -> web.Response:
    """POST /console/quality/samples"""
    form = {name: await field(request, name, longest=100) for name in _WISH}
    try:
        async with database(request).session() as session:
            drawn = await work.new_sample(session, staff(request), read_wish(form), read_seed(form["seed"]))
    except WishError as error:
        return await _samples(request, error=_say(error.key, error.values), draft=form)
    return see(f"{QUALITY}/samples/{drawn.id}")


@needs(Permission.READ_INSPECTIONS)
async def sample_page(request: web.Request) -> web.Response:
    """GET /console/quality/samples/{id}?check=1: with `check`, whether the same draw would take the same talks today."""
    redrawn, problem = None, ""
    async with database(request).session() as session:
        row = await queries.sample(session, object_id(request))
        if row is None:
            raise web.HTTPNotFound
        rows, total = await queries.sheets_of(session, row.sample.id, page_number(request))
        if query(request, "check") and not row.single:
            try:
                redrawn = await work.redraw(session, row.sample)
            except WishError as error:
                problem = _say(error.key, error.values)
        scripts, talkers = await script_names(session), await queries.talkers(session)
    return page(
        request,
        "quality/sample.html",
        row=row,
        wish=Wish(number=0) if row.single else stored_wish(row.sample.filters),
        sheets=page_of(request, [_shown(one, _personal(request)) for one in rows], total),
        scripts=scripts,
        talkers=dict(talkers),
        redrawn=redrawn,
        problem=problem,
        talk_link=talk_link,
    )


@needs(Permission.INSPECT)
async def inspect_talk(request: web.Request) -> web.Response:
    """POST /console/quality/talks/{case_id}: from a talk to its sheet."""
    try:
        async with database(request).session() as session:
            sheet_id = await work.open_sheet(session, staff(request), request.match_info["case_id"])
    except work.NoSheet:
        raise web.HTTPNotFound from None
    return see(f"{QUALITY}/sheets/{sheet_id}")


# —— one sheet ————————————————————————————————————————————————————————


@needs(Permission.READ_OWN_INSPECTIONS)
async def sheet_page(request: web.Request) -> web.Response:
    """GET /console/quality/sheets/{id}: the talk, and beside it the sheet."""
    return await _sheet(request)


async def _sheet(request: web.Request, *, error: str = "", draft: Mapping[str, str] | None = None, status: int = 200) -> web.Response:
    """`draft`: what the form held, so that nothing written is lost."""
    person, personal = staff(request), _personal(request)
    async with database(request).session() as session:
        row = await queries.sheet(session, object_id(request))
        if row is None:
            raise web.HTTPNotFound
        _check_may_see(request, row)
        view = await talk_view(session, row.case.id, personal=personal)
        if view is None:
            raise web.HTTPNotFound
        found = await queries.forbidden_of(session, row.case.id)
        corrected = await queries.corrections(session, row.sheet.id)
        seen = await work.version(session, row.sheet)
        following = await queries.next_to_do(session, row.sheet) if person.may(Permission.INSPECT) else None
        writers = await work.speakers(session, row.case.id)
        ids = {*writers, *_agents_in(corrected), *([row.sheet.agent_id] if row.sheet.agent_id else [])}
        named = await queries.names(session, list(ids))
    hinted = hints(view, sheet(), found)
    return page(
        request,
        "quality/sheet.html",
        status=status,
        row=row,
        one=row.sheet,
        talk=view,
        customer=view.customer,
        criteria=criteria_of(row.sheet.sheet),
        hints=hinted,
        hinted={hint.message_id for hint in hinted if hint.message_id},
        corrections=corrected,
        names=named,
        agents=[(str(user_id), named.get(user_id, "")) for user_id in dict.fromkeys([*writers, *([row.sheet.agent_id] if row.sheet.agent_id else [])])],
        seen=seen,
        following=following,
        inspects=person.may(Permission.INSPECT) and row.sheet.agent_id != person.id,
        error=error,
        draft=draft or {},
        talk_link=talk_link,
    )


def _agents_in(corrected: list[queries.CorrectionRow]) -> list[int]:
    found = [side.get("agent_id") for one in corrected for side in (one.correction.before, one.correction.after)]
    return [user_id for user_id in found if user_id]


@needs(Permission.INSPECT)
async def fill(request: web.Request) -> web.Response:
    """POST /console/quality/sheets/{id}: fill in an empty sheet."""
    return await _write(request, work.fill)


@needs(Permission.INSPECT)
async def correct(request: web.Request) -> web.Response:
    """POST /console/quality/sheets/{id}/correct: change a filled one."""
    return await _write(request, work.correct)


async def _write(request: web.Request, act: Any) -> web.Response:
    sheet_id = object_id(request)
    form = {name: await field(request, name, longest=work.LONGEST_COMMENT) for name in ("seen", "agent", "comment", "reason")}
    sent = await request.post()
    form |= {name: str(value)[:10] for name, value in sent.items() if name.startswith("score_") and isinstance(value, str)}
    try:
        async with database(request).session() as session:
            await act(session, staff(request), sheet_id, form)
    except work.NoSheet:
        raise web.HTTPNotFound from None
    except work.SheetFault as error:
        status = {"changed_meanwhile": 409, "filled": 409, "own_work": 403}.get(error.key, 400)
        return await _sheet(request, error=_say(error.key, error.values), draft=form, status=status)
    return see(f"{QUALITY}/sheets/{sheet_id}")


# —— results ——————————————————————————————————————————————————————————


@needs(Permission.READ_OWN_INSPECTIONS)
async def results_page(request: web.Request) -> web.Response:
    """GET /console/quality/results?first=&last=&by=: everybody's, or an agent's own."""
    first, last = _days(request)
    by, only = _by(request), _only(request)
    async with database(request).session() as session:
        found = results(await queries.filled(session, first, last, only), by)
        latest = (await queries.sheets_between(session, first, last, only, most=20)) if only is not None else []
    return page(
        request,
        "quality/results.html",
        found=found,
        by=by,
        first=first,
        last=last,
        own=only is not None,
        latest=[_shown(one, _personal(request)) for one in latest],
        bot=label("bot", "quality_who"),
        talk_link=talk_link,
    )


@needs(Permission.EXPORT)
async def export_results(request: web.Request) -> web.Response:
    """GET /console/quality/summary.xlsx | sheets.xlsx | … .csv with the days of the results page."""
    if not staff(request).may(Permission.READ_INSPECTIONS):
        raise web.HTTPForbidden
    (first, last), what, kind = _days(request), request.match_info["what"], request.match_info["kind"]
    async with database(request).session() as session:
        if what == "summary":
            lines = summary_table(results(await queries.filled(session, first, last), _by(request)))
        else:
            lines = sheets_table(await queries.sheets_between(session, first, last), await script_names(session))
        await audit(session, staff(request), "quality.export", rows=len(lines) - 1, format=f"{what}.{kind}")
    name = f"quality-{what}-{first:%Y%m%d}-{last:%Y%m%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "csv":
        return web.Response(body=await asyncio.to_thread(as_csv, lines), headers={**headers, "Content-Type": "text/csv; charset=utf-8"})
    body = await asyncio.to_thread(as_xlsx, lines, "质检")
    return web.Response(body=body, headers={**headers, "Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})


def summary_table(found: Results) -> list[list[Any]]:
    """The means as a table with its head: each person in each period, then over all of it. Shares in percent."""
    lines: list[list[Any]] = [["谁的工作", "时期", "场数", "平均分", "最低分", "最高分", *(f"{name}（得分率%）" for name in found.criteria.values())]]
    for person, name in found.people:
        rows = [(period, found.by_period[person, period]) for period in found.periods if (person, period) in found.by_period]
        for period, mean in [*rows, ("合计", found.all_of[person])]:
            parts = [round(mean.parts[one], 1) if one in mean.parts else "" for one in found.criteria]
            lines.append([name or label("bot", "quality_who"), period, mean.count, round(mean.total, 1), mean.lowest, mean.highest, *parts])
    return lines


def sheets_table(rows: list[queries.SheetRow], scripts: Mapping[str, str]) -> list[list[Any]]:
    """A line for each filled sheet. Whose talk it was is left out: the number leads there for who may see it."""
    criteria: dict[str, str] = {one["id"]: one["name"] for row in rows for one in row.sheet.sheet or []}
    lines: list[list[Any]] = [["会话编号", "谁的工作", "话术", "质检人", "质检时间", "总分", *criteria.values(), "评语"]]
    for row in rows:
        one = row.sheet
        at = f"{one.inspected_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if one.inspected_at else ""
        points = [(one.scores or {}).get(name, "") for name in criteria]
        who = row.agent or label("bot", "quality_who")
        lines.append([one.case_id, who, scripts.get(row.case.script_id, row.case.script_id), row.inspector, at, one.total, *points, one.comment])
    return lines


@needs(Permission.READ_INSPECTIONS)
async def calibration_page(request: web.Request) -> web.Response:
    """GET /console/quality/calibration?first=&last=: the lowest scores, and talks that were judged differently."""
    first, last = _days(request)
    async with database(request).session() as session:
        rows = await queries.lowest(session, first, last)
        apart = await queries.judged_twice(session, first, last)
        scripts = await script_names(session)
    return page(
        request,
        "quality/calibration.html",
        rows=[_shown(one, _personal(request)) for one in rows],
        apart=apart,
        scripts=scripts,
        first=first,
        last=last,
        talk_link=talk_link,
    )


@needs(Permission.READ_INSPECTIONS)
async def messages_page(request: web.Request) -> web.Response:
    """GET /console/quality/messages?first=&last=&who=: what colleagues wrote with forbidden phrases in it."""
    first, last = _days(request)
    who = query(request, "who")
    who = who if who.isascii() and who.isdigit() and len(who) <= 18 else ""
    async with database(request).session() as session:
        rows, total = await queries.staff_lines(session, first, last, who, page_number(request))
        talkers = await queries.talkers(session)
    mask = (lambda text: text) if _personal(request) else Mask([])
    advice = {row.message.id: [(one.phrase, one.instead) for one in forbidden_in(row.message.text)] for row in rows}
    return page(
        request,
        "quality/messages.html",
        lines=page_of(request, rows, total),
        advice=advice,
        talkers=talkers,
        who=who,
        first=first,
        last=last,
        mask=mask,
        talk_link=talk_link,
    )


# —— parts ———————————————————————————————————————————————————————————


def _personal(request: web.Request) -> bool:
    return staff(request).may(Permission.SEE_PERSONAL)


def _only(request: web.Request) -> int | None:
    """Whose results alone this person may see; None: everybody's."""
    return None if staff(request).may(Permission.READ_INSPECTIONS) else staff(request).id


def _check_may_see(request: web.Request, row: queries.SheetRow) -> None:
    only = _only(request)
    if only is not None and (row.sheet.agent_id != only or row.sheet.total is None):
        raise web.HTTPForbidden


def _shown(row: queries.SheetRow, personal: bool) -> dict[str, Any]:
    name = row.contact.name if personal else name_of(row.contact.name)
    mask = NoMask() if personal else Mask([row.contact.name, row.contact.phone or ""])
    return {"row": row, "one": row.sheet, "customer": f"{name}{row.contact.title}" or "没有留下姓名", "comment": mask(row.sheet.comment)}


def _days(request: web.Request) -> tuple[date, date]:
    """The days of the address; without them, the last half year."""
    today = clock.now().astimezone(SHANGHAI).date()
    first = _day(query(request, "first")) or today - timedelta(days=_DAYS_SHOWN)
    last = _day(query(request, "last")) or today
    return first, last


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2999 else None


def _by(request: web.Request) -> str:
    return "week" if query(request, "by") == "week" else "month"


def _say(key: str, values: Mapping[str, object]) -> str:
    return labels()["quality_errors"][key].format(**values)


routes = [
    web.get("/quality", samples_page),
    web.post("/quality/samples", draw_sample),
    web.get(r"/quality/samples/{id:\d+}", sample_page),
    web.post(r"/quality/talks/{case_id:[0-9a-f]{32}}", inspect_talk),
    web.get(r"/quality/sheets/{id:\d+}", sheet_page),
    web.post(r"/quality/sheets/{id:\d+}", fill),
    web.post(r"/quality/sheets/{id:\d+}/correct", correct),
    web.get("/quality/results", results_page),
    web.get(r"/quality/{what:summary|sheets}.{kind:xlsx|csv}", export_results),
    web.get("/quality/calibration", calibration_page),
    web.get("/quality/messages", messages_page),
]
