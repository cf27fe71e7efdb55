"""The inbox: groups of lines that were not understood well, one of them on the desk, a decision about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.console.forms import field, number, object_id, query
from followup.console.labels import label, labels
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.training.around import around, talks
from followup.console.training.book import book_of, intent_name, intent_of
from followup.console.training.word_view import views
from followup.console.transcripts.masking import Mask
from followup.store.inbox_models import TrainingDecision
from followup.store.models import Message
from followup.training.examples_book import Book, clean
from followup.training.inbox_groups import Group, groups
from followup.training.inbox_lines import REASONS, Line, undecided
from followup.training.inbox_work import Decision, Taken, decide, held_by_others, take, undo_decision

INBOX = "/console/training"
_PER_PAGE = 25
_DAYS = (7, 30, 90)
_LONGEST_COMMENT = 300
_CHOICES = 9


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines of the inbox are looked at."""

    days: int = 30
    reason: str = ""
    demo: bool = False

    @classmethod
    def of(cls, request: web.Request) -> Filters:
        days, reason = number(query(request, "days"), 30), query(request, "reason")
        return cls(days if days in _DAYS else 30, reason if reason in REASONS else "", query(request, "demo") == "1")

    def link(self, path: str = "", **more: Any) -> str:
        pairs = {"days": self.days if self.days != 30 else "", "reason": self.reason, "demo": "1" if self.demo else "", **more}
        kept = urlencode({name: value for name, value in pairs.items() if value})
        return f"{INBOX}{path}" + (f"?{kept}" if kept else "")


@dataclass(frozen=True, slots=True)
class Choice:
    """An intent that the lines may mean; `source`: staff | model | examples."""

    intent: str
    share: float | None
    source: str


async def _grouped(session: AsyncSession, filters: Filters) -> tuple[dict[int, Line], list[Group]]:
    lines = {line.id: line for line in await undecided(session, clock.now(), days=filters.days, demo=filters.demo, reason=filters.reason)}
    found = await asyncio.to_thread(_groups, tuple((line.id, line.text) for line in lines.values()))
    return lines, found


@lru_cache(maxsize=8)
def _groups(lines: tuple[tuple[int, str], ...]) -> list[Group]:
    """Most pages are asked for the lines of the page before; nobody changes the list."""
    return groups(lines)


@needs(Permission.READ_TRAINING)
async def inbox_page(request: web.Request) -> web.Response:
    """GET /console/training?days=&reason=&demo=&page=&did="""
    filters = Filters.of(request)
    async with database(request).session() as session:
        lines, found = await _grouped(session, filters)
        held = await held_by_others(session, staff(request), clock.now())
        first = (page_number(request) - 1) * _PER_PAGE
        shown = found[first : first + _PER_PAGE]
        known = await talks(session, [lines[group.leader].case_id for group in shown])
        did = await _did(request, session)
    rows = [
        {
            "group": group,
            "text": _mask(known, lines[group.leader])(lines[group.leader].text),
            "line": lines[group.leader],
            "script": known[lines[group.leader].case_id].script if lines[group.leader].case_id in known else "",
            "reasons": [one for one in REASONS if any(one in lines[number].reasons for number in group.ids)],
            "held": next((held[number] for number in group.ids if number in held), None),
        }
        for group in shown
    ]
    return page(
        request, "training/inbox.html", groups=page_of(request, rows, len(found), _PER_PAGE), total=len(lines), filters=filters, days=_DAYS,
        reasons=REASONS, intent_name=intent_name, did=did,
    )  # fmt: skip


def _mask(known: Mapping[str, Any], line: Line) -> Mask:
    return known[line.case_id].mask if line.case_id in known else Mask()


async def _did(request: web.Request, session: AsyncSession) -> TrainingDecision | None:
    """The decision that the page before made, to be told and undone."""
    last = number(query(request, "did"), 0, least=0, most=2**62)
    row = await session.get(TrainingDecision, last) if last else None
    return row if row is not None and row.by_user_id == staff(request).id else None


@needs(Permission.TRAIN_MODELS)
async def next_group(request: web.Request) -> web.Response:
    """GET /console/training/next: the first group that nobody has; back to the list when there is none."""
    filters, did = Filters.of(request), number(query(request, "did"), 0, least=0, most=2**62)
    async with database(request).session() as session:
        _, found = await _grouped(session, filters)
        ids = await take(session, staff(request), found, None, clock.now())
    return see(filters.link(f"/groups/{ids[0]}" if ids else "", did=did))


@needs(Permission.READ_TRAINING)
async def group_page(request: web.Request) -> web.Response:
    """GET /console/training/groups/{id}: the group that a line is in; for a trainer it is on his or her desk from now on."""
    return await group_of(request, object_id(request))


async def group_of(
    request: web.Request,
    message_id: int,
    *,
    errors: Mapping[int, str] | None = None,
    error: str = "",
    draft: Mapping[str, str] | None = None,
    words_wrong: Mapping[int, tuple[str, str]] | None = None,
    status: int = 200,
) -> web.Response:
    """The page of a group. `errors`: of wordings; `words_wrong`: line -> (what was wrong with marked words, the words)."""
    filters, taken = Filters.of(request), None
    async with database(request).session() as session:
        lines, found = await _grouped(session, filters)
        group = next((one for one in found if message_id in one.ids), None)
        if group is None:
            if await session.get(TrainingDecision, message_id) is None:
                raise web.HTTPNotFound
            return page(request, "training/taken.html", status=409 if errors or error else 200, taken=Taken(), filters=filters)
        ids: Sequence[int] = group.ids[:40]
        if staff(request).may(Permission.TRAIN_MODELS):
            try:
                ids = await take(session, staff(request), found, message_id, clock.now())
            except Taken as other:
                taken = other
        if taken is not None:
            return page(request, "training/taken.html", status=409 if error or errors else 200, taken=taken, filters=filters)
        shown = [lines[one] for one in ids]
        known = await talks(session, [line.case_id for line in shown])
        book = await book_of(session, settings(request))
        nearby = await around(session, [(line.id, line.case_id) for line in shown], known)
        did = await _did(request, session)
        asked = {line.id: (known[line.case_id], known[line.case_id].asked(nearby.get(line.id, []))) for line in shown if line.case_id in known}
        words = await views(session, request, asked, words_wrong or {}) if staff(request).may(Permission.TRAIN_MODELS) else {}
    rows = [{"line": line, "word": words.get(line.id), "text": _mask(known, line)(line.text), "around": nearby.get(line.id, []), "script": known[line.case_id].script if line.case_id in known else ""} for line in shown]
    choices = await asyncio.to_thread(ranking, shown, book)
    return page(
        request, "training/group.html", status=status, rows=rows, choices=choices, rest=len(group.ids) - len(ids), leader=message_id, filters=filters,
        intents=[(code, intent_name(code)) for code in book.counts], intent_name=intent_name, errors=errors or {}, error=error, draft=draft or {}, did=did,
    )  # fmt: skip


def ranking(lines: Sequence[Line], book: Book) -> list[Choice]:
    """What the lines may mean: colleagues' word first, then the model's reading, then what similar examples say."""
    found: dict[str, Choice] = {}
    for line in lines:
        if line.said_by_staff in book.counts:
            found.setdefault(line.said_by_staff, Choice(line.said_by_staff, None, "staff"))
    shares: dict[str, list[float]] = {}
    for line in lines:
        acts = list(line.acts) or [{"intent": line.intent, "confidence": line.confidence}]
        for act in acts:
            if act.get("intent") in book.counts:
                shares.setdefault(str(act["intent"]), []).append(float(act.get("confidence") or 0))
    for intent, said in sorted(shares.items(), key=lambda one: (-sum(one[1]), one[0])):
        found.setdefault(intent, Choice(intent, sum(said) / len(said), "model"))
    for intent, share in book.index.votes(lines[0].text) if lines else []:
        found.setdefault(intent, Choice(intent, share, "examples"))
    return list(found.values())[:_CHOICES]


@needs(Permission.TRAIN_MODELS)
async def decide_group(request: web.Request) -> web.Response:
    """POST /console/training/groups/{id}: act=intent:<code> | search | not_covered | wrong_step | ignored, for the lines that are ticked."""
    message_id, filters = object_id(request), Filters.of(request)
    sent = {str(name): str(value)[:2000] for name, value in (await request.post()).items() if isinstance(value, str)}
    ids = sorted({int(name[5:]) for name in sent if name.startswith("take_") and name[5:].isascii() and name[5:].isdigit() and len(name) <= 23})[:40]
    act, _, intent = (await field(request, "act", longest=100)).partition(":")
    comment = await field(request, "comment", longest=_LONGEST_COMMENT)
    async with database(request).session() as session:
        rows = {row.id: row for row in await session.scalars(select(Message).where(Message.id.in_([message_id, *ids]), Message.direction == "in"))}
        if message_id not in rows:
            raise web.HTTPNotFound
        book = await book_of(session, settings(request))
        known = await talks(session, [row.case_id for row in rows.values()])
    ids = [one for one in ids if one in rows]
    masks = {one: known[rows[one].case_id].mask if rows[one].case_id in known else Mask() for one in ids}
    if act == "search":
        act, intent = "intent", intent_of(await field(request, "other", longest=100), book.counts)
    error = _fault(act, intent, ids, comment, book)
    texts = {one: clean(sent.get(f"text_{one}", "")) for one in ids}
    errors = await asyncio.to_thread(_refused, book, texts, intent, masks) if act == "intent" and not error else {}
    if error or errors:
        return await group_of(request, message_id, errors=errors, error=error, draft=sent, status=400)
    for mask in masks.values():
        comment = mask(comment)
    kept = {one: text for one, text in texts.items() if text and not book.has(text, intent)}
    try:
        async with database(request).session() as session:
            await decide(session, staff(request), ids, Decision(act, intent if act == "intent" else "", Mask()(comment), kept), clock.now())
    except Taken as other:
        return page(request, "training/taken.html", status=409, taken=other, filters=filters)
    return see(filters.link("/next", did=ids[0]))


def _fault(act: str, intent: str, ids: Sequence[int], comment: str, book: Book) -> str:
    if act not in labels()["training_decisions"]:
        raise web.HTTPBadRequest
    if not ids:
        return label("nothing_ticked", "example_errors")
    if act == "intent" and intent not in book.counts:
        return label("unknown_intent", "example_errors")
    if act == "not_covered" and not comment:
        return label("no_comment", "example_errors")
    return ""


def _refused(book: Book, texts: Mapping[int, str], intent: str, masks: Mapping[int, Mask]) -> dict[int, str]:
    """What is wrong with which wording; an empty one is no example, and what is there already needs none."""
    found = {one: book.check(text, intent, masks[one]) for one, text in texts.items() if text}
    return {one: label(why, "example_errors") for one, why in found.items() if why not in ("", "there_already")}


@needs(Permission.TRAIN_MODELS)
async def undo(request: web.Request) -> web.Response:
    """POST /console/training/decisions/{id}/undo: the line comes back to the inbox."""
    async with database(request).session() as session:
        if not await undo_decision(session, staff(request), object_id(request)):
            raise web.HTTPNotFound
    return see(f"{INBOX}/authors" if await field(request, "back") == "authors" else INBOX)
