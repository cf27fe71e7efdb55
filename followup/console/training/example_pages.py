"""The examples: browsing by intent, searching, adding, changing, with what is near shown while typing."""

from __future__ import annotations

import asyncio

from aiohttp import web
from sqlalchemy import text as sql

from followup import clock
from followup.console.audit import audit
from followup.console.forms import field, query
from followup.console.labels import label
from followup.console.paging import page_number, page_of
from followup.console.parts import database, page, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.training.book import book_of, intent_name, intent_of
from followup.store.training_models import ExampleChange
from followup.training.examples_book import clean

EXAMPLES = "/console/training/examples"
LOCK = sql("SELECT pg_advisory_xact_lock(hashtextextended('example_changes', 0))")
"""Held while a change is checked and written: of two who add the same line at once, one is told."""
_LONGEST = 2000


@needs(Permission.READ_TRAINING)
async def examples_page(request: web.Request) -> web.Response:
    """GET /console/training/examples?intent=&q=&page="""
    return await _examples(request)


async def _examples(request: web.Request, *, error: str = "", draft: str = "", status: int = 200) -> web.Response:
    intent, search = query(request, "intent"), query(request, "q")
    async with database(request).session() as session:
        book = await book_of(session, settings(request))
    intent = intent if intent in book.counts else ""
    found = await asyncio.to_thread(book.examples, intent, search) if intent or search else []
    shown = page_of(request, [], len(found))
    first = (page_number(request) - 1) * shown.per_page
    return page(
        request, "training/examples.html", status=status, counts=book.counts, total=book.total, intent=intent, search=search, intent_name=intent_name,
        examples=page_of(request, found[first : first + shown.per_page], len(found)), error=error, draft=draft,
    )  # fmt: skip


@needs(Permission.READ_TRAINING)
async def check(request: web.Request) -> web.Response:
    """GET /console/training/examples/check?text=&intent=&old=&old_intent=: what is near; a part of a page."""
    text, old = clean(query(request, "text", longest=_LONGEST)), query(request, "old", longest=_LONGEST)
    async with database(request).session() as session:
        book = await book_of(session, settings(request))
    intent = intent_of(query(request, "intent"), book.counts)
    instead_of = (old, query(request, "old_intent")) if old else None
    found = await asyncio.to_thread(lambda: book.look(text, intent, instead_of=instead_of)) if text else None
    return page(request, "training/_near.html", found=found, intent=intent, intent_name=intent_name)


@needs(Permission.TRAIN_MODELS)
async def add(request: web.Request) -> web.Response:
    """POST /console/training/examples: text, intent (a code or its Chinese)"""
    text = clean(await field(request, "text", longest=_LONGEST))
    async with database(request).session() as session:
        await session.execute(LOCK)
        book = await book_of(session, settings(request))
        intent = intent_of(await field(request, "intent", longest=100), book.counts)
        why = await asyncio.to_thread(book.check, text, intent)
        if not why:
            await _keep(request, session, ExampleChange(kind="add", text=text, intent=intent))
    if why:
        return await _examples(request, error=label(why, "example_errors"), draft=text, status=400)
    return _back(intent)


@needs(Permission.READ_TRAINING)
async def example_page(request: web.Request) -> web.Response:
    """GET /console/training/examples/one?text=&intent=: one example, to be changed, moved or deleted."""
    return await _example(request, clean(query(request, "text", longest=_LONGEST)), query(request, "intent"))


async def _example(request: web.Request, text: str, intent: str, *, error: str = "", draft: tuple[str, str] | None = None, status: int = 200) -> web.Response:
    async with database(request).session() as session:
        book = await book_of(session, settings(request))
    if not book.has(text, intent):
        raise web.HTTPNotFound
    found = await asyncio.to_thread(lambda: book.look(text, intent, instead_of=(text, intent)))
    return page(
        request, "training/example.html", status=status, text=text, intent=intent, counts=book.counts, intent_name=intent_name, error=error,
        draft=draft or (text, intent), found=found,
    )  # fmt: skip


@needs(Permission.TRAIN_MODELS)
async def change(request: web.Request) -> web.Response:
    """POST /console/training/examples/one: old, old_intent -> text, intent; act=delete takes it out."""
    old, old_intent = clean(await field(request, "old", longest=_LONGEST)), await field(request, "old_intent", longest=100)
    text, act = clean(await field(request, "text", longest=_LONGEST)), await field(request, "act")
    async with database(request).session() as session:
        await session.execute(LOCK)
        book = await book_of(session, settings(request))
        intent = intent_of(await field(request, "intent", longest=100), book.counts)
        if not book.has(old, old_intent):
            why = "gone"
        elif act == "delete":
            why = ""
        elif (text, intent) == (old, old_intent):
            why = "no_change"
        else:
            why = await asyncio.to_thread(lambda: book.check(text, intent, instead_of=(old, old_intent)))
        if not why:
            await _keep(request, session, _change(act, old, old_intent, text, intent))
    if why == "gone":
        return await _examples(request, error=label(why, "example_errors"), status=409)
    if why:
        return await _example(request, old, old_intent, error=label(why, "example_errors"), draft=(text, intent or old_intent), status=400)
    return _back(old_intent)


def _change(act: str, old: str, old_intent: str, text: str, intent: str) -> ExampleChange:
    if act == "delete":
        return ExampleChange(kind="delete", text=old, intent=old_intent)
    if text == old:
        return ExampleChange(kind="move", text=old, intent=old_intent, new_intent=intent)
    return ExampleChange(kind="edit", text=old, intent=old_intent, new_text=text, new_intent=intent if intent != old_intent else "")


async def _keep(request: web.Request, session, row: ExampleChange) -> None:
    who = staff(request)
    row.at, row.by_user_id = clock.now(), who.id
    session.add(row)
    await session.flush()
    await audit(session, who, f"example.{row.kind}", "example_change", row.id, before=row.intent, after=row.new_intent or row.intent)


def _back(intent: str) -> web.Response:
    return see(f"{EXAMPLES}?intent={intent}")
