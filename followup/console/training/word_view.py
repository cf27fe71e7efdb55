"""What the page shows of a line's marked words, and what else they could mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.parts import settings, staff
from followup.console.permissions import Staff
from followup.console.training import words
from followup.console.training.around import Talk, around, talks
from followup.console.training.words import Offer
from followup.store.inbox_models import WordMark
from followup.store.models import Message


def _view(line_id: int, offer: Offer, marks: list[WordMark], talk: Talk, who: Staff, project: Any, *, error: str = "", said: str = "") -> dict[str, Any]:
    """What `_word.html` shows of a line."""
    return {
        "id": line_id,
        "script": talk.script_id,
        "asked": talk.questions.label(offer.question) if offer.question else "",
        "first": [(one.code, words.short_name(one)) for one in offer.first],
        "all": [words.name_of(one, talk) for one in offer.all],
        "marks": [{"row": one, "told": words.told(one, project, talk), "mine": one.by_user_id == who.id} for one in marks],
        "error": error,
        "said": said,
    }


async def views(session: AsyncSession, request: web.Request, asked: Mapping[int, tuple[Talk, str]], errors: Mapping[int, tuple[str, str]]) -> dict[int, dict[str, Any]]:
    """Line -> what `_word.html` shows; `asked`: line -> (its talk, the question it answers); `errors`: line -> (error, the words)."""
    project = settings(request).project_dir
    offers, marks = await words.offers(session, project, asked), await words.marks_of(session, list(asked))
    found = {}
    for one, (talk, _) in asked.items():
        error, said = errors.get(one, ("", ""))
        found[one] = _view(one, offers[one], marks.get(one, []), talk, staff(request), project, error=error, said=said)
    return found


async def line_of(session: AsyncSession, line_id: int) -> tuple[Message, Talk, str]:
    """(a customer's line, its talk, the question that it answers). 404 where there is none."""
    line = await session.get(Message, line_id)
    if line is None or line.direction != "in" or not line.text:
        raise web.HTTPNotFound
    known = await talks(session, [line.case_id])
    if line.case_id not in known:
        raise web.HTTPNotFound
    talk = known[line.case_id]
    said = (await around(session, [(line.id, line.case_id)], known)).get(line.id, [])
    return line, talk, talk.asked(said)
