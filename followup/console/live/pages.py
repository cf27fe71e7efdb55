"""Live talks: the list that grows by itself, one talk, taking it over, writing, handing back, closing; appointments."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from followup import clock
from followup.console.audit import audit
from followup.console.forms import field, object_id
from followup.console.labels import labels
from followup.console.live import queries
from followup.console.live.phrases import quick_phrases
from followup.console.live.stream import News, follow
from followup.console.parts import database, page, page_context, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.quality.hints import forbidden_in
from followup.console.wechat.delivery import quota_of
from followup.dialogue.effects import Outcome
from followup.settings import SHANGHAI
from followup.store.models import Callback
from followup.store.records import UnknownCase, answers_of, is_blocked
from followup.store.staff_models import StaffNote
from followup.store.takeovers import name_shown_before, standing
from followup.talk import takeover
from followup.talk.takeover import NotPossible
from followup.web.fanout import TooManyStreams
from followup.web.keys import FANOUT

LIVE = "/console/live"
_CASE = r"{case_id:[0-9a-f]{32}}"
_LONGEST_REASON = 500


# —— the list ————————————————————————————————————————————————————————


@needs(Permission.TAKE_OVER)
async def live_page(request: web.Request) -> web.Response:
    """GET /console/live"""
    async with database(request).session() as session:
        talks = await queries.live_talks(session, staff(request).id, clock.now())
        booked = await queries.appointments(session, clock.now())
    return page(request, "live/list.html", talks=talks, appointments=booked, error="")


@needs(Permission.TAKE_OVER)
async def live_events(request: web.Request) -> web.StreamResponse:
    """GET /console/live/events"""
    shown: list[str] = []

    async def news() -> News:
        async with database(request).session() as session:
            talks = await queries.live_talks(session, staff(request).id, clock.now())
            booked = await queries.appointments(session, clock.now())
        html = _part(request, "live/_list.html", talks=talks, appointments=booked)
        if shown == [html]:
            return []
        shown[:] = [html]
        ringing = [{"id": one.case_id, "who": one.customer} for one in talks if one.rings]
        return [("list", {"html": html, "ringing": ringing})]

    try:
        with request.config_dict[FANOUT].bell_of_all() as bell:
            return await follow(request, bell, news)
    except TooManyStreams:
        return web.Response(status=429, headers={"Retry-After": "10"})


@needs(Permission.TAKE_OVER)
async def appointment_done(request: web.Request) -> web.Response:
    """POST /console/live/appointments/{id}: a colleague has spoken to the customer."""
    number = object_id(request)
    async with database(request).session() as session:
        callback = await session.get(Callback, number, with_for_update=True)
        if callback is None or callback.reason != "request_human":
            raise web.HTTPNotFound
        if callback.status in ("booked", "due"):
            callback.status = "done"
            await audit(session, staff(request), "live.called", "case", callback.case_id, reason=callback.words[:100])
    return see(f"{LIVE}#appointments")


# —— one talk ————————————————————————————————————————————————————————


@needs(Permission.TAKE_OVER)
async def talk_page(request: web.Request) -> web.Response:
    """GET /console/live/{case_id}"""
    return await _talk(request)


async def _talk(request: web.Request, *, status: int = 200, **desk: Any) -> web.Response:
    case_id = request.match_info["case_id"]
    async with database(request).session() as session:
        context = await _desk(request, case_id, session, **desk)
        lines = await queries.lines_after(session, case_id)
        answers = await answers_of(session, case_id)
    questions = context["talk"].questions
    return page(
        request,
        "live/talk.html",
        status=status,
        lines=lines,
        answers=[(questions.label(question), answer.value) for question, answer in answers.items()],
        **context,
    )


async def _desk(
    request: web.Request, case_id: str, session: Any, *, error: str = "", draft: str = "", found: Any = (), closing: bool = False
) -> dict[str, Any]:
    """What the part of the page beside the lines shows: who speaks, the field to write in, the ways to end."""
    who = staff(request)
    talk = await queries.one_talk(session, case_id)
    if talk is None:
        raise web.HTTPNotFound
    speaks = await standing(session, case_id)
    return {
        "talk": talk,
        "case": talk.case,
        "speaks": speaks,
        "mine": speaks is not None and speaks.user_id == who.id,
        "blocked": await is_blocked(session, talk.case.contact_id),
        "quota": await quota_of(session, case_id, clock.now()),
        "name": await name_shown_before(session, who.id) or who.name[: takeover.LONGEST_NAME],
        "phrases": quick_phrases(talk.questions, talk.contact.name, talk.contact.title),
        "key": secrets.token_hex(8),
        "error": error,
        "draft": draft,
        "found": found,
        "closing": closing,
        "outcomes": labels()["live_outcomes"],
        "patience": settings(request).takeover_minutes,
    }


@needs(Permission.TAKE_OVER)
async def talk_events(request: web.Request) -> web.StreamResponse:
    """GET /console/live/{case_id}/events"""
    case_id = request.match_info["case_id"]
    async with database(request).session() as session:
        if await queries.one_talk(session, case_id) is None:
            raise web.HTTPNotFound
    sent: set[int] = set()
    shown: list[Any] = []

    async def news() -> News:
        async with database(request).session() as session:
            lines = await queries.lines_after(session, case_id, queries.look_back(list(sent)))
            desk = await _desk(request, case_id, session)
        events: list[tuple[str, Any]] = []
        for line in lines:
            # A line is sent again when what is known of it has changed: how it was read, whether it arrived.
            if (key := hash((line.id, line.intent, line.failed, line.to_colleague, line.delivery))) not in known:
                known.add(key)
                sent.add(line.id)
                events.append(("line", {"id": line.id, "html": _part(request, "live/_line.html", line=line)}))
        case, speaks = desk["case"], desk["speaks"]
        state = [speaks and speaks.id, case.status, case.outcome, desk["talk"].reached, desk["quota"]]
        if shown != state:
            shown[:] = state
            events.append(("desk", {"html": _part(request, "live/_desk.html", **desk)}))
        return events

    known: set[int] = set()
    try:
        with request.config_dict[FANOUT].bell(case_id) as bell:
            return await follow(request, bell, news)
    except TooManyStreams:
        return web.Response(status=429, headers={"Retry-After": "10"})


# —— what a colleague does ———————————————————————————————————————————————


@needs(Permission.TAKE_OVER)
async def take(request: web.Request) -> web.Response:
    """POST /console/live/{case_id}/take: `name` is what the customer reads."""
    case_id, who = request.match_info["case_id"], staff(request)
    name = await field(request, "name", longest=takeover.LONGEST_NAME)
    try:
        async with takeover.quiet(database(request), case_id) as session:
            speaks = await takeover.begin(session, case_id, who.id, name)
            await audit(session, who, "live.take", "case", case_id, name=speaks.shown)
    except UnknownCase:
        raise web.HTTPNotFound from None
    except NotPossible as problem:
        return await _not_possible(request, problem)
    return see(f"{LIVE}/{case_id}#write")


@needs(Permission.TAKE_OVER)
async def say(request: web.Request) -> web.Response:
    """POST /console/live/{case_id}/say: one line. With forbidden phrases it is not sent, unless a supervisor says why."""
    case_id, who = request.match_info["case_id"], staff(request)
    # One more than may be sent, so that what is too long is refused and not cut.
    words, key = await field(request, "text", longest=takeover.LONGEST_LINE + 1), await field(request, "key", longest=40)
    reason = await field(request, "reason", longest=_LONGEST_REASON)
    found = forbidden_in(words)
    if found and not (reason and who.may(Permission.SEND_FORBIDDEN)):
        return await _again(request, 422, draft=words, found=found)
    try:
        async with database(request).session() as session:
            sent = await takeover.say(session, case_id, who.id, words, key or secrets.token_hex(8), [one.phrase for one in found])
            if found and not sent.duplicate:
                phrases = "、".join(one.phrase for one in found)
                session.add(
                    StaffNote(case_id=case_id, user_id=who.id, text=f"发送了含有忌语“{phrases}”的话。原因：{reason}", created_at=clock.now())
                )
                await audit(session, who, "live.forbidden", "message", sent.message_id, case=case_id, phrases=phrases, reason=reason)
    except UnknownCase:
        raise web.HTTPNotFound from None
    except NotPossible as problem:
        return await _not_possible(request, problem, draft=words)
    if _wants_part(request):
        return await _again(request, 200)
    return see(f"{LIVE}/{case_id}#write")


@needs(Permission.TAKE_OVER)
async def hand_back(request: web.Request) -> web.Response:
    """POST /console/live/{case_id}/back: the bot goes on. A supervisor may hand back a colleague's talk."""
    case_id, who = request.match_info["case_id"], staff(request)
    anybodys = who.may(Permission.SEND_FORBIDDEN)
    try:
        async with takeover.quiet(database(request), case_id) as session:
            ended = await takeover.hand_back(session, case_id, None if anybodys else who.id)
            await audit(session, who, "live.back", "case", case_id, name=ended.shown)
    except UnknownCase:
        raise web.HTTPNotFound from None
    except NotPossible as problem:
        return await _not_possible(request, problem)
    return see(f"{LIVE}/{case_id}")


@needs(Permission.TAKE_OVER)
async def close(request: web.Request) -> web.Response:
    """POST /console/live/{case_id}/close: `outcome`, `reason`, and `at` for an appointment."""
    case_id, who = request.match_info["case_id"], staff(request)
    outcome, reason = await field(request, "outcome"), await field(request, "reason", longest=_LONGEST_REASON)
    at = _local_time(await field(request, "at", longest=20))
    try:
        if outcome not in labels()["live_outcomes"]:
            raise NotPossible("no_outcome")
        if not reason:
            raise NotPossible("no_reason")
        async with takeover.quiet(database(request), case_id) as session:
            await takeover.close(session, case_id, who.id, Outcome(outcome), reason, at)
            await audit(session, who, "live.close", "case", case_id, result=outcome, reason=reason)
    except UnknownCase:
        raise web.HTTPNotFound from None
    except NotPossible as problem:
        return await _not_possible(request, problem, closing=problem.key in ("no_outcome", "no_reason", "no_time"))
    return see(f"{LIVE}/{case_id}")


def _local_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) if text else None
    except ValueError:
        return None


# —— parts ———————————————————————————————————————————————————————————


async def _not_possible(request: web.Request, problem: NotPossible, **desk: Any) -> web.Response:
    text = sentence("live_errors", problem.key).replace("{who}", problem.who)
    bad_input = ("nothing_said", "too_long", "no_name", "no_time", "no_outcome", "no_reason")
    return await _again(request, 400 if problem.key in bad_input else 409, error=text, **desk)


async def _again(request: web.Request, status: int, **desk: Any) -> web.Response:
    """The desk with what is wrong and what was written; the whole page for a browser without JavaScript."""
    if not _wants_part(request):
        return await _talk(request, status=status, **desk)
    async with database(request).session() as session:
        context = await _desk(request, request.match_info["case_id"], session, **desk)
    return web.Response(
        text=_part(request, "live/_desk.html", **context), status=status, content_type="text/html", charset="utf-8"
    )


def _wants_part(request: web.Request) -> bool:
    return request.headers.get("X-Part") == "desk"


def _part(request: web.Request, template: str, **context: Any) -> str:
    return aiohttp_jinja2.render_string(f"console/{template}", request, {**page_context(request), **context})


routes = [
    web.get("/live", live_page),
    web.get("/live/events", live_events, allow_head=False),
    web.post(r"/live/appointments/{id}", appointment_done),
    web.get(f"/live/{_CASE}", talk_page),
    web.get(f"/live/{_CASE}/events", talk_events, allow_head=False),
    web.post(f"/live/{_CASE}/take", take),
    web.post(f"/live/{_CASE}/say", say),
    web.post(f"/live/{_CASE}/back", hand_back),
    web.post(f"/live/{_CASE}/close", close),
]
