"""Examples out as YAML and Excel; a file in, after a check that says of each line what would become of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from followup import clock
from followup.console.audit import audit
from followup.console.forms import query
from followup.console.labels import label
from followup.console.parts import database, page, see, settings, staff
from followup.console.permissions import Permission, needs
from followup.console.training.book import book_of, intent_name
from followup.console.training.example_pages import LOCK
from followup.store.training_models import ExampleChange
from followup.training.examples_book import Book
from followup.training.examples_exchange import MOST, Unreadable, as_xlsx, as_yaml, read

IMPORT = "/console/training/import"
LARGEST_FILE = 2 * 1024 * 1024
_TYPES = {"yml": "application/yaml; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@needs(Permission.READ_TRAINING)
async def export(request: web.Request) -> web.Response:
    """GET /console/training/examples.yml | .xlsx, ?intent=: with the open changes in them."""
    kind, intent = request.match_info["kind"], query(request, "intent")
    async with database(request).session() as session:
        book = await book_of(session, settings(request))
        lines = [(one.text, one.intent) for one in book.examples(intent if intent in book.counts else "")]
        await audit(session, staff(request), "example.export", rows=len(lines), format=kind)
    body = await asyncio.to_thread(as_yaml if kind == "yml" else as_xlsx, lines)
    headers = {"Content-Disposition": f'attachment; filename="examples.{kind}"', "Content-Type": _TYPES[kind]}
    return web.Response(body=body, headers=headers)


@needs(Permission.TRAIN_MODELS)
async def import_page(request: web.Request) -> web.Response:
    """GET /console/training/import"""
    return page(request, "training/import.html", error="", rows=None, payload="")


@needs(Permission.TRAIN_MODELS)
async def check_file(request: web.Request) -> web.Response:
    """POST /console/training/import: a file; nothing is kept of it but what the next form sends back."""
    sent = (await request.post()).get("file")
    try:
        if not isinstance(sent, web.FileField):
            raise Unreadable("no_file")
        lines = await asyncio.to_thread(lambda: read(sent.file.read(LARGEST_FILE + 1)[:LARGEST_FILE]))
    except Unreadable as error:
        return page(request, "training/import.html", status=400, error=label(error.key, "example_import_errors"), rows=None, payload="")
    async with database(request).session() as session:
        book = await book_of(session, settings(request))
    rows = await asyncio.to_thread(_judged, book, lines)
    fit = [[row["text"], row["intent"]] for row in rows if not row["why"]]
    return page(
        request, "training/import.html", error="", rows=rows, fit=len(fit), payload=json.dumps(fit, ensure_ascii=False), intent_name=intent_name,
    )  # fmt: skip


@needs(Permission.TRAIN_MODELS)
async def take_file(request: web.Request) -> web.Response:
    """POST /console/training/import/take: the lines that were found good, checked once more."""
    lines = _payload((await request.post()).get("payload", ""))
    if not lines:
        return page(request, "training/import.html", status=400, error=label("nothing", "example_import_errors"), rows=None, payload="")
    async with database(request).session() as session:
        await session.execute(LOCK)
        book = await book_of(session, settings(request))
        fit = [row for row in await asyncio.to_thread(_judged, book, lines) if not row["why"]]
        now = clock.now()
        session.add_all(ExampleChange(at=now, by_user_id=staff(request).id, kind="add", text=row["text"], intent=row["intent"]) for row in fit)
        await audit(session, staff(request), "example.import", rows=len(fit))
    return see("/console/training/changes")


def _payload(sent: Any) -> list[tuple[str, str]]:
    try:
        raw = json.loads(sent) if isinstance(sent, str) else []
        return [(str(text), str(intent)) for text, intent in raw][:MOST]
    except (ValueError, TypeError, RecursionError):
        return []


def _judged(book: Book, lines: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Of each line why it may not be added, a key of `example_errors`; the same line twice in the file counts once."""
    seen: dict[str, str] = {}
    rows = []
    for text, intent in lines:
        why = book.check(text, intent)
        if not why and text in seen:
            why = "there_already" if seen[text] == intent else "conflict"
        if not why:
            seen[text] = intent
        near = book.index.near(text, 0.85, 2) if not why else []
        rows.append({"text": text, "intent": intent, "why": why, "near": next((one.text for one in near if one.intent != intent), "")})
    return sorted(rows, key=lambda row: (not row["why"], not row["near"]))
