"""Marking a few words of a line, and taking it back: as a part of the page with htmx, else by going back to the page."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from followup import clock
from followup.console.forms import field, number, object_id
from followup.console.parts import database, page_context, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.training import words
from followup.console.training.change_pages import CHANGES, changes_with
from followup.console.training.inbox_pages import Filters, group_of
from followup.console.training.word_view import line_of, views
from followup.console.training.words import Refused


@needs(Permission.TRAIN_MODELS)
async def mark(request: web.Request) -> web.StreamResponse:
    """POST /console/training/lines/{id}/words: `words` of the line mean `meaning` (a code), or what `other` names in Chinese."""
    said, code = await field(request, "words", longest=200), await field(request, "meaning", longest=200)
    code = code or await field(request, "other", longest=200)
    error, line_id = "", object_id(request)
    try:
        async with database(request).session() as session:
            line, talk, question = await line_of(session, line_id)
            offer = (await words.offers(session, settings(request).project_dir, {line_id: (talk, question)}))[line_id]
            meaning = words.meaning_of(code, offer, talk)
            if meaning is None:
                raise Refused("unknown_meaning" if said else "empty")
            await words.mark_words(session, staff(request), settings(request).project_dir, line, talk, said, meaning, clock.now())
    except Refused as refused:
        error = str(refused)
    return await _answer(request, line_id, error, said if error else "")


@needs(Permission.TRAIN_MODELS)
async def undo(request: web.Request) -> web.StreamResponse:
    """POST /console/training/words/{id}/undo, of one's own; `line`: where the part of the page is."""
    error = ""
    line = number(await field(request, "line"), 0, least=0, most=2**62)
    try:
        async with database(request).session() as session:
            row = await words.undo_mark(session, staff(request), object_id(request))
            if row is None:
                raise web.HTTPNotFound
    except Refused as refused:
        error = str(refused)
    if not line:
        return await changes_with(request, error) if error else see(CHANGES)
    return await _answer(request, line, error, "")


async def _answer(request: web.Request, line_id: int, error: str, said: str) -> web.StreamResponse:
    """The line's part for htmx; else its group again, with what was wrong."""
    if request.headers.get("HX-Request") == "true":
        async with database(request).session() as session:
            line, talk, question = await line_of(session, line_id)
            shown = (await views(session, request, {line.id: (talk, question)}, {line.id: (error, said)}))[line.id]
        return aiohttp_jinja2.render_template("console/training/_word.html", request, {**page_context(request), "word": shown, "swapped": True})
    leader = number(await field(request, "leader"), line_id, least=1, most=2**62)
    if error:
        return await group_of(request, leader, words_wrong={line_id: (error, said)}, status=400)
    return see(Filters.of(request).link(f"/groups/{leader}") + f"#word-{line_id}")
