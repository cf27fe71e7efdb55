"""The pages of scripts, shared wording and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.forms import field, number, object_id, query
from followup.console.parts import database, page, page_context, see, sentence, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.scripts import bench, texts, work
from followup.console.scripts.texts import Draft, Text
from followup.console.scripts.try_talk import MOST_LINES, SILENCE, TRIED_WITH, Tried, hold
from followup.console.scripts.work import LONGEST, Refused
from followup.scripts import published
from followup.scripts.new import LONGEST_ID, LONGEST_NAME, CannotStart, starting_text
from followup.scripts.publish_diff import diff
from followup.scripts.publish_fields import put
from followup.scripts.published import Kind, Name
from followup.store.published import refresh
from followup.store.script_models import OPEN_STATES, PublishedScript

_TEXT = r"/scripts/{kind:script|shared|knowledge}/{name:[a-z0-9_]+}"
_DRAFT = r"/scripts/drafts/{id:\d+}"
_TOLD = ("saved", "submitted", "back", "withdrawn", "rejected", "approved", "published", "again", "merged", "kept")


# —— what there is ————————————————————————————————————————————————————————————


@needs(Permission.READ_SCRIPTS)
async def list_page(request: web.Request) -> web.Response:
    """GET /console/scripts"""
    async with database(request).session() as session:
        found, open_drafts = await texts.all_texts(session), await texts.drafts(session)
        news = [await texts.text_under(session, draft) for draft in open_drafts]
    titles = {text.name: text.title for text in (*found, *news) if text is not None}
    by_text: dict[Name, list[Draft]] = {}
    for draft in open_drafts:
        by_text.setdefault(draft.name, []).append(draft)
    return page(request, "scripts/list.html", texts=found, drafts=open_drafts, titles=titles, by_text=by_text, kinds=tuple(Kind), told=_told(request))


@needs(Permission.READ_SCRIPTS)
async def text_page(request: web.Request) -> web.Response:
    """GET …/{kind}/{name}: what is in force, its history, who is writing at it."""
    return await _text_page(request)


async def _text_page(request: web.Request, *, error: str = "", reason: str = "", status: int = 200) -> web.Response:
    async with database(request).session() as session:
        text = await _text(session, request)
        history, open_drafts = await texts.history(session, text.name), await texts.drafts(session, text.name)
    drawn = await bench.run(lambda: bench.picture(text.name, text.text))
    mine = next((draft for draft in open_drafts if draft.row.by_user_id == staff(request).id), None)
    return page(
        request, "scripts/text.html", status, text=text, history=history, drafts=open_drafts, mine=mine, picture=drawn, error=error, reason=reason,
        told=_told(request), from_file=diff(text.file_text, text.text),
    )  # fmt: skip


@needs(Permission.READ_SCRIPTS)
async def version_page(request: web.Request) -> web.Response:
    """GET …/{kind}/{name}/versions/{id}: a published text, against what is in force. 0: the file."""
    async with database(request).session() as session:
        text = await _text(session, request)
        number_ = object_id(request)
        row = await session.get(PublishedScript, number_) if number_ else None
        if not number_ and not text.has_file:
            raise web.HTTPNotFound
        if number_ and (row is None or (row.kind, row.script_id) != (text.name.kind, text.name.id)):
            raise web.HTTPNotFound
        history = await texts.history(session, text.name, limit=1000)
    one = next((past for past in history if past.id == number_), None)
    shown = row.text if row is not None else text.file_text
    return page(request, "scripts/version.html", text=text, one=one, shown=shown, changes=diff(text.text, shown), error="", reason="")


@needs(Permission.EDIT_SCRIPTS)
async def new_page(request: web.Request) -> web.Response:
    """GET /console/scripts/new"""
    return await _new_page(request)


async def _new_page(request: web.Request, *, error: str = "", status: int = 200, **typed: str) -> web.Response:
    async with database(request).session() as session:
        scripts = [text for text in await texts.all_texts(session) if text.name.kind is Kind.SCRIPT]
    by_trade: dict[str, list[Text]] = {}
    for text in sorted(scripts, key=lambda one: one.trade):
        by_trade.setdefault(text.trade, []).append(text)
    given = {"id": "", "name": "", "trade": "", "like": "", **typed}
    return page(request, "scripts/new.html", status, by_trade=by_trade, error=error, typed=given, LONGEST_ID=LONGEST_ID, LONGEST_NAME=LONGEST_NAME)


@needs(Permission.EDIT_SCRIPTS)
async def create(request: web.Request) -> web.Response:
    """POST /console/scripts/new: a draft, by the template or like another script; customers see nothing of it before it is published."""
    typed = {name: await field(request, name, longest=100) for name in ("id", "name", "trade", "like")}
    name = Name(Kind.SCRIPT, typed["id"])
    try:
        async with database(request).session() as session:
            like = await texts.one_text(session, Name(Kind.SCRIPT, typed["like"])) if typed["like"] else None
            if typed["like"] and (like is None or not like.text):
                raise Refused("no_like")
            if not typed["name"]:
                raise Refused("no_name")
            text = starting_text(name.id, typed["trade"], typed["name"], like.text if like is not None else "")
            draft = await work.create(session, staff(request), name, text)
    except Refused as refused:
        return await _new_page(request, error=sentence("scripts_told", refused.why), status=409 if refused.why == "taken" else 400, **typed)
    except CannotStart as wrong:
        return await _new_page(request, error=f"{wrong}。", status=400, **typed)
    return see(f"/console/scripts/drafts/{draft.id}")


@needs(Permission.EDIT_SCRIPTS)
async def begin(request: web.Request) -> web.Response:
    """POST …/{kind}/{name}/edit: to one's own draft."""
    async with database(request).session() as session:
        draft = await work.begin(session, staff(request), await _text(session, request))
    return see(f"/console/scripts/drafts/{draft.id}")


@needs(Permission.REVIEW_SCRIPTS)
async def again(request: web.Request) -> web.Response:
    """POST …/{kind}/{name}/again: an older text in force again."""
    wanted, seen = number(await field(request, "publication"), -1, least=-1), number(await field(request, "seen"), -1, least=-1)
    reason = await field(request, "reason", longest=500)
    try:
        async with database(request).session() as session:
            text = await _text(session, request)
            await work.publish_again(session, staff(request), text.name, wanted, reason, seen)
    except Refused as refused:
        return await _text_page(request, error=sentence("scripts_told", refused.why), reason=reason, status=409 if refused.why == "changed" else 400)
    await _in_force(request)
    return see(f"{text.link}?told=again")


# —— a draft ——————————————————————————————————————————————————————————————————


@needs(Permission.READ_SCRIPTS)
async def draft_page(request: web.Request) -> web.Response:
    """GET …/drafts/{id}: the editor for its author, for others what was changed."""
    return await _draft_page(request)


async def _draft_page(request: web.Request, *, error: str = "", content: str | None = None, note: str | None = None, status: int = 200) -> web.Response:
    """`content`, `note`: what was sent and not saved."""
    async with database(request).session() as session:
        draft, text = await _draft(session, request)
    shown = draft.row.text if content is None else content
    looked = await bench.run(lambda: bench.look(draft.name, shown, text.text))
    me, row = staff(request), draft.row
    if me.may(Permission.EDIT_SCRIPTS) and row.state in OPEN_STATES and draft.name.kind is not Kind.KNOWLEDGE:
        bench.get_ready(settings(request))
    return page(
        request, "scripts/draft.html", status,
        draft=draft, text=text, content=shown, note=row.note if note is None else note, unsaved=content is not None and content != row.text,
        looked=looked, error=error, told=_told(request),
        writes=row.by_user_id == me.id and row.state in ("draft", "rejected") and me.may(Permission.EDIT_SCRIPTS),
        decides=row.by_user_id != me.id and row.state in ("review", "approved") and me.may(Permission.REVIEW_SCRIPTS),
        is_open=row.state in OPEN_STATES,
        conflict=row.state in OPEN_STATES and published.digest(text.text) != row.based_on,
        theirs=diff(row.base_text, text.text), mine=diff(row.base_text, shown),
        **_chat(draft.name),
    )  # fmt: skip


@needs(Permission.EDIT_SCRIPTS)
async def save(request: web.Request) -> web.Response:
    """POST …/drafts/{id}; `do`: save | fields (what stands in the form goes into the text first) | submit."""
    do, content, note = await field(request, "do", longest=20), await _content(request), await field(request, "note", longest=1000)
    seen = number(await field(request, "seen", longest=20), -1, least=-1)
    async with database(request).session() as session:
        draft, _ = await _draft(session, request)
    if do == "fields":
        values = await _fields(request)
        content = await bench.run(lambda: put(draft.name.kind, content, values))
    if problem := "empty" if not content.strip() else "too_long" if len(content) > LONGEST else "":
        return await _draft_page(request, error=sentence("scripts_told", problem), content=content, note=note, status=400)
    broken = do == "submit" and await bench.run(lambda: bench.errors(draft.name, content))
    try:
        async with database(request).session() as session:
            draft, _ = await _draft(session, request, lock=True)
            await work.save(session, staff(request), draft, content, note, seen)
            if do == "submit" and not broken:
                await work.submit(session, staff(request), draft, draft.row.version)
    except Refused as refused:
        why = "not_saved" if refused.why == "changed" else refused.why
        return await _draft_page(request, error=sentence("scripts_told", why), content=content, note=note, status=409)
    if broken:
        return await _draft_page(request, error=sentence("scripts_told", "has_errors"), status=400)
    return see(f"{draft.link}?told={'submitted' if do == 'submit' else 'saved'}")


@needs(Permission.EDIT_SCRIPTS)
async def check(request: web.Request) -> web.Response:
    """POST …/drafts/{id}/check: what there is to say about the text in the editor; stores nothing. With `form`, the
    form's sentences go into the text first, and the editor is sent back."""
    content, from_form = (await _content(request))[:LONGEST], await field(request, "form") == "1"
    async with database(request).session() as session:
        draft, text = await _draft(session, request)
    if from_form:
        values = await _fields(request)
        content = await bench.run(lambda: put(draft.name.kind, content, values))
    looked = await bench.run(lambda: bench.look(draft.name, content, text.text))
    context = {**page_context(request), "draft": draft, "text": text, "looked": looked, "content": content, "from_form": from_form}
    return aiohttp_jinja2.render_template("console/scripts/_checked.html", request, context)


@needs(Permission.EDIT_SCRIPTS)
async def try_talk(request: web.Request) -> web.Response:
    """POST …/drafts/{id}/try: the talk with what was said so far and the new line. `do`: say | silence | again."""
    form = await request.post()
    said = [str(line).replace("\0", "").strip()[:500] for line in form.getall("said", [])][:MOST_LINES]
    do, line, content = await field(request, "do", longest=20), await field(request, "say", longest=500), (await _content(request))[:LONGEST]
    async with database(request).session() as session:
        draft, _ = await _draft(session, request)
    said = [] if do == "again" else [*said, SILENCE] if do == "silence" else [*said, line] if line and line != SILENCE else said
    own, name = settings(request), draft.name
    tried = await bench.talk(lambda: hold(name, content or draft.row.text, said[:MOST_LINES], own))
    context = {**page_context(request), "draft": draft, **_chat(name, tried, said[:MOST_LINES])}
    return aiohttp_jinja2.render_template("console/scripts/_chat.html", request, context)


def _chat(name: Name, tried: Tried | None = None, said: list[str] | None = None) -> dict[str, Any]:
    with_which = TRIED_WITH if name.kind is Kind.SHARED else ""
    return {"tried": tried, "said": said or [], "MOST_LINES": MOST_LINES, "tried_with": with_which, "can_try": name.kind is not Kind.KNOWLEDGE}


Act = Callable[[AsyncSession, web.Request, Draft, Text, int], Awaitable[str]]


async def _take_back(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    await work.take_back(session, staff(request), draft)
    return "back"


async def _withdraw(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    await work.withdraw(session, staff(request), draft)
    return "withdrawn"


async def _take_over(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    return "merged" if await work.take_over(session, staff(request), draft, text, seen) else "kept"


async def _reject(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    await work.reject(session, staff(request), draft, await field(request, "reason", longest=1000), seen)
    return "rejected"


async def _approve(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    await work.approve(session, staff(request), draft, await field(request, "reason", longest=1000), seen)
    return "approved"


async def _publish(session: AsyncSession, request: web.Request, draft: Draft, text: Text, seen: int) -> str:
    await work.publish(session, staff(request), draft, await field(request, "reason", longest=1000), seen)
    return "published"


def _doing(act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        seen = number(await field(request, "seen", longest=20), -1, least=-1)
        try:
            async with database(request).session() as session:
                draft, text = await _draft(session, request, lock=True)
                told = await act(session, request, draft, text, seen)
        except Refused as refused:
            return await _draft_page(request, error=sentence("scripts_told", refused.why), status=409)
        if told == "published":
            await _in_force(request)
        over = text.link if told == "published" or text.text else "/console/scripts"
        return see(f"{over if told in ('published', 'withdrawn') else draft.link}?told={told}")

    return handler


take_back = needs(Permission.EDIT_SCRIPTS)(_doing(_take_back))
withdraw = needs(Permission.EDIT_SCRIPTS)(_doing(_withdraw))
take_over = needs(Permission.EDIT_SCRIPTS)(_doing(_take_over))
reject = needs(Permission.REVIEW_SCRIPTS)(_doing(_reject))


def _checked_again(act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What others published since it was handed in may have made it wrong."""

    async def handler(request: web.Request) -> web.StreamResponse:
        async with database(request).session() as session:
            draft, _ = await _draft(session, request)
        content = draft.row.text
        if draft.row.state in ("review", "approved") and await bench.run(lambda: bench.errors(draft.name, content)):
            return await _draft_page(request, error=sentence("scripts_told", "has_errors"), status=409)
        return await _doing(act)(request)

    return handler


approve = needs(Permission.REVIEW_SCRIPTS)(_checked_again(_approve))
publish = needs(Permission.REVIEW_SCRIPTS)(_checked_again(_publish))


# —— what the handlers share ——————————————————————————————————————————————————


async def _text(session: AsyncSession, request: web.Request) -> Text:
    found = await texts.one_text(session, Name(Kind(request.match_info["kind"]), request.match_info["name"]))
    if found is None:
        raise web.HTTPNotFound
    return found


async def _draft(session: AsyncSession, request: web.Request, *, lock: bool = False) -> tuple[Draft, Text]:
    """404 for a draft that there is not, or whose file is gone."""
    draft = await texts.one_draft(session, object_id(request), lock=lock)
    text = await texts.text_under(session, draft) if draft is not None else None
    if draft is None or text is None:
        raise web.HTTPNotFound
    return draft, text


async def _content(request: web.Request) -> str:
    """The editor's text: as it is, with line ends of one kind and one at the end."""
    sent = (await request.post()).get("text", "")
    if not isinstance(sent, str):
        return ""
    text = sent.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").removeprefix("\ufeff")
    return text.rstrip("\n") + "\n" if text.strip() else ""


async def _fields(request: web.Request) -> dict[str, str]:
    """Key -> sentence of the form."""
    form = await request.post()
    return {
        name.removeprefix("field:"): value.replace("\0", "")[:4000]
        for name, value in form.items()
        if name.startswith("field:") and isinstance(value, str)
    }


async def _in_force(request: web.Request) -> None:
    """In this process at once; the others look every second."""
    async with database(request).session() as session:
        await refresh(session)


def _told(request: web.Request) -> str:
    told = query(request, "told", longest=20)
    return sentence("scripts_told", told) if told in _TOLD else ""


routes = [
    web.get("/scripts", list_page),
    web.get("/scripts/new", new_page),
    web.post("/scripts/new", create),
    web.get(_DRAFT, draft_page),
    web.post(_DRAFT, save),
    web.post(f"{_DRAFT}/check", check),
    web.post(f"{_DRAFT}/try", try_talk),
    web.post(f"{_DRAFT}/back", take_back),
    web.post(f"{_DRAFT}/withdraw", withdraw),
    web.post(f"{_DRAFT}/merge", take_over),
    web.post(f"{_DRAFT}/reject", reject),
    web.post(f"{_DRAFT}/approve", approve),
    web.post(f"{_DRAFT}/publish", publish),
    web.get(_TEXT, text_page),
    web.post(f"{_TEXT}/edit", begin),
    web.post(f"{_TEXT}/again", again),
    web.get(rf"{_TEXT}/versions/{{id:\d+}}", version_page),
]
