"""Talks: the list, one talk, what staff put right or note there, and what leaves as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.audit import audit
from followup.console.figures.told import told
from followup.console.forms import field, object_id
from followup.console.labels import labels
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, sentence, staff
from followup.console.permissions import Permission, needs
from followup.console.transcripts import export, queries
from followup.console.transcripts.access import links_of, revoke
from followup.console.transcripts.controls import NOTHING_SAID, OTHER, BadValue
from followup.console.transcripts.corrections import LONGEST_REASON, correct_answer
from followup.console.transcripts.detail import TalkView, talk_view
from followup.console.transcripts.filters import OF_FIGURES, TalkFilters, read_filters, talk_link
from followup.console.transcripts.masking import Mask, NoMask, name_of
from followup.settings import SHANGHAI
from followup.store.models import Case, Message
from followup.store.staff_models import Annotation, StaffNote

_CASE = r"{case_id:[0-9a-f]{32}}"
_LONGEST_NOTE = 2000


# —— the list ————————————————————————————————————————————————————————


@needs(Permission.READ_TALKS)
async def talks_page(request: web.Request) -> web.Response:
    """GET /console/talks?…: the filters are those of `filters.TalkFilters`."""
    filters, personal = _filters(request), _personal(request)
    async with database(request).session() as session:
        rows, total, more = await queries.page_of_talks(session, filters, page_number(request), personal=personal)
        scripts = await queries.script_names(session)
        campaigns = await queries.campaign_names(session)
    return page(
        request,
        "transcripts/list.html",
        filters=filters,
        talks=page_of(request, [_listed(row, filters, personal) for row in rows], total),
        more=more,
        scripts=scripts,
        campaigns=campaigns,
        personal=personal,
        told=told(filters),
        hidden=("question", "answer", "reason", "contact", *OF_FIGURES),
        sorts=[one for one in labels()["talk_sorts"].items() if personal or one[0] != "customer"],
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A talk of the list, as this person may see it."""

    row: queries.TalkRow
    link: str
    customer: str
    claimed: str
    found: tuple[str, str, str]
    """See `snippet`; empty without a search."""


def _listed(row: queries.TalkRow, filters: TalkFilters, personal: bool) -> Listed:
    mask = NoMask() if personal else Mask([row.name, row.phone or "", row.claimed_name or ""])
    name, claimed = (text or "" if personal else name_of(text or "") for text in (row.name, row.claimed_name))
    return Listed(
        row=row,
        link=talk_link(row.id, filters),
        customer=f"{name}{row.title}" or "没有留下姓名",
        claimed=claimed,
        found=snippet(mask(row.found), filters.words[0]) if row.found and filters.words else ("", "", ""),
    )


@needs(Permission.EXPORT)
async def export_talks(request: web.Request) -> web.Response:
    """GET /console/talks/export.xlsx | export.csv with the filters of the list; 413 when there are too many."""
    filters, personal, kind = _filters(request), _personal(request), request.match_info["kind"]
    async with database(request).session() as session:
        rows = await queries.all_talks(session, filters, export.MOST, personal=personal)
        if len(rows) > export.MOST:
            text = f"符合条件的会话超过 {export.MOST} 条，一次导不完。请缩小日期范围，分几次导出。"
            return page(request, "error.html", status=413, title="太多了", hint=text)
        scripts = await queries.script_names(session)
        await audit(session, staff(request), "talks.export", rows=len(rows), format=kind, filters=dict(filters.pairs()))
    lines = export.table(rows, scripts, personal=personal)
    if kind == "csv":
        return _file(await asyncio.to_thread(export.as_csv, lines), "text/csv; charset=utf-8", "csv")
    body = await asyncio.to_thread(export.as_xlsx, lines, "会话")
    return _file(body, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx")


def snippet(text: str, word: str, around: int = 18) -> tuple[str, str, str]:
    """What stands before the word, the word as written, and what follows; the text's beginning when it is not there."""
    place = text.lower().find(word.lower())
    if place < 0:
        return text[: 2 * around], "", ""
    before, after = text[max(0, place - around) : place], text[place + len(word) : place + len(word) + around]
    left = "…" if place > around else ""
    right = "…" if len(text) > place + len(word) + around else ""
    return left + before, text[place : place + len(word)], after + right


# —— one talk ————————————————————————————————————————————————————————


@needs(Permission.READ_TALKS)
async def talk_page(request: web.Request) -> web.Response:
    """GET /console/talks/{case_id}?…: with a list's filters, next and previous go through that list."""
    return await _talk(request)


async def _talk(request: web.Request, *, error: str = "", about: str = "", status: int = 200) -> web.Response:
    """`about`: the anchor of the form that `error` is about."""
    filters, personal, case_id = _filters(request), _personal(request), request.match_info["case_id"]
    async with database(request).session() as session:
        view = await talk_view(session, case_id, personal=personal)
        if view is None:
            raise web.HTTPNotFound
        links = await links_of(session, case_id)
        beside = await queries.neighbours(session, filters, case_id, personal=personal)
    return page(
        request,
        "transcripts/talk.html",
        status=status,
        talk=view,
        links=links,
        filters=filters,
        beside=beside,
        personal=personal,
        error=error,
        about=about,
        talk_link=talk_link,
        intents=labels()["intents"],
        local=_local,
        OTHER=OTHER,
        NOTHING_SAID=NOTHING_SAID,
    )


@needs(Permission.CORRECT)
async def correct(request: web.Request) -> web.Response:
    """POST /console/talks/{case_id}/answers/{id}: an answer that was read wrongly."""
    answer_id, case_id = object_id(request), request.match_info["case_id"]
    form = await _fields(request)
    several = [text for text in (await request.post()).getall("several", []) if isinstance(text, str)]
    try:
        async with database(request).session() as session:
            await _must_stand(session, case_id)
            if not await correct_answer(session, staff(request), case_id, answer_id, form, several):
                raise web.HTTPNotFound
    except BadValue as error:
        text, about = sentence("correction_errors", error.key), f"answer-{answer_id}"
        status = 409 if error.key in ("changed_meanwhile", "superseded") else 400
        return await _talk(request, error=text, about=about, status=status)
    return _back(request, f"answer-{answer_id}")


@needs(Permission.CORRECT)
async def annotate(request: web.Request) -> web.Response:
    """POST /console/talks/{case_id}/messages/{id}: what a customer's message really meant, for the trainers."""
    message_id, case_id = object_id(request), request.match_info["case_id"]
    intent, comment = await field(request, "intent"), await field(request, "comment", longest=LONGEST_REASON)
    if intent not in labels()["intents"]:
        text = sentence("correction_errors", "bad_intent")
        return await _talk(request, error=text, about=f"line-{message_id}", status=400)
    async with database(request).session() as session:
        await _must_stand(session, case_id)
        message = await session.get(Message, message_id)
        if message is None or message.case_id != case_id or message.direction != "in":
            raise web.HTTPNotFound
        who = staff(request)
        session.add(
            Annotation(message_id=message_id, intent=intent, comment=comment, user_id=who.id, at=clock.now())
        )
        await audit(
            session, who, "intent.annotate", "message", message_id,
            case=case_id, before=message.intent, after=intent, reason=comment,
        )  # fmt: skip
    return _back(request, f"line-{message_id}")


@needs(Permission.WRITE_NOTES)
async def add_note(request: web.Request) -> web.Response:
    """POST /console/talks/{case_id}/notes"""
    case_id, text = request.match_info["case_id"], await field(request, "text", longest=_LONGEST_NOTE)
    if not text:
        return await _talk(request, error=sentence("correction_errors", "no_note"), about="notes", status=400)
    async with database(request).session() as session:
        await _must_stand(session, case_id)
        who = staff(request)
        session.add(StaffNote(case_id=case_id, user_id=who.id, text=text, created_at=clock.now()))
        await audit(session, who, "note.add", "case", case_id)
    return _back(request, "notes")


@needs(Permission.EXPORT)
async def print_talk(request: web.Request) -> web.Response:
    """GET /console/talks/{case_id}/print: the talk as a page to print, or to save as PDF."""
    view = await _exported(request, "print")
    return page(request, "transcripts/print.html", talk=view)


@needs(Permission.EXPORT)
async def talk_text(request: web.Request) -> web.Response:
    """GET /console/talks/{case_id}/talk.txt"""
    view = await _exported(request, "txt")
    return _file(_as_text(view).encode("utf-8-sig"), "text/plain; charset=utf-8", "txt", view.case.id[:8])


async def _exported(request: web.Request, kind: str) -> TalkView:
    case_id = request.match_info["case_id"]
    async with database(request).session() as session:
        view = await talk_view(session, case_id, personal=_personal(request))
        if view is None:
            raise web.HTTPNotFound
        await audit(session, staff(request), "talk.export", "case", case_id, format=kind)
    return view


def _as_text(view: TalkView) -> str:
    head = [f"{view.script}（第 {view.version} 版）", f"客户：{view.customer}", f"编号：{view.case.id}", ""]
    lines = [
        f"{line.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}　{_speaker(line.mine, line.speaker)}：{line.text}"
        for line in view.lines
    ]
    return "\r\n".join([*head, *lines, ""])


def _speaker(mine: bool, who: str) -> str:
    return (f"坐席 {who}" if who else "智能助手") if mine else "客户"


async def _must_stand(session: AsyncSession, case_id: str) -> None:
    """Nothing more is written to a talk that is not there, or whose content was erased."""
    # Locked, so that an erasure waits for what is written here, and nothing is written behind it.
    stands = select(Case.id).where(Case.id == case_id, Case.erased_at.is_(None)).with_for_update(key_share=True)
    if await session.scalar(stands) is None:
        raise web.HTTPNotFound


# —— parts ———————————————————————————————————————————————————————————


def _personal(request: web.Request) -> bool:
    return staff(request).may(Permission.SEE_PERSONAL)


def _filters(request: web.Request) -> TalkFilters:
    return read_filters(request.query, personal=_personal(request))


def _back(request: web.Request, anchor: str) -> web.Response:
    return see(f"{talk_link(request.match_info['case_id'], _filters(request))}#{anchor}")


async def _fields(request: web.Request) -> Mapping[str, str]:
    names = ("value", "none", "other", "bad", "total", "reason", "seen")
    return {name: await field(request, name) for name in names}


def _local(value: Any) -> str:
    """The beginning of a stored time, as a browser's field wants it."""
    try:
        return datetime.fromisoformat(value["start"]).strftime("%Y-%m-%dT%H:%M")
    except (TypeError, KeyError, ValueError):
        return ""


def _file(body: bytes, content_type: str, kind: str, part: str = "") -> web.Response:
    name = f"talks-{part or format(clock.now().astimezone(SHANGHAI), '%Y%m%d-%H%M')}.{kind}"
    headers = {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, headers=headers)


routes = [
    web.get("/talks", talks_page),
    web.get(r"/talks/export.{kind:xlsx|csv}", export_talks),
    web.get(f"/talks/{_CASE}", talk_page),
    web.get(f"/talks/{_CASE}/print", print_talk),
    web.get(f"/talks/{_CASE}/talk.txt", talk_text),
    web.post(f"/talks/{_CASE}/answers/{{id:\\d+}}", correct),
    web.post(f"/talks/{_CASE}/messages/{{id:\\d+}}", annotate),
    web.post(f"/talks/{_CASE}/notes", add_note),
    web.post(f"/talks/{_CASE}/links/revoke", revoke),
]
