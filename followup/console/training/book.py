"""The book of examples as this process keeps it: read anew when a file or an open change is another."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from threading import Lock

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.labels import labels
from followup.settings import Settings
from followup.store.training_models import ExampleChange
from followup.training.changes import examples_in
from followup.training.examples_book import Book
from followup.training.examples_near import Frozen, key
from followup.training.frozen import frozen_lines

_Stamp = tuple[tuple[str, int, int], ...]
_key = lru_cache(maxsize=100_000)(key)
_files: dict[Path, tuple[_Stamp, list[tuple[str, str]]]] = {}
_frozen: dict[Path, tuple[_Stamp, Frozen]] = {}
_books: dict[Path, tuple[object, Book]] = {}
_building = Lock()


async def open_changes(session: AsyncSession, user_id: int | None = None) -> list[ExampleChange]:
    """Changes that are not in the files yet, in their order; of one trainer only."""
    query = select(ExampleChange).where(ExampleChange.state == "open").order_by(ExampleChange.id)
    if user_id is not None:
        query = query.where(ExampleChange.by_user_id == user_id)
    return list(await session.scalars(query))


async def book_of(session: AsyncSession, settings: Settings) -> Book:
    """All examples at this moment."""
    changes = await open_changes(session)
    return await asyncio.to_thread(_book, settings, changes)


def _book(settings: Settings, changes: list[ExampleChange]) -> Book:
    folder = settings.project_dir / "data" / "nlu"
    with _building:
        lines, stamp = _lines(folder), _files[folder][0]
        now = (stamp, tuple(change.id for change in changes))
        known = _books.get(folder)
        if known is None or known[0] != now:
            known = now, Book(lines, changes, _frozen_of(settings.proof_dir / "nlu"), _key)
            known[1].index  # made here, where nobody waits for the event loop
            _books[folder] = known
        return known[1]


def _lines(folder: Path) -> list[tuple[str, str]]:
    stamp = _stamp(folder, "*.yml")
    known = _files.get(folder)
    if known is None or known[0] != stamp:
        known = _files[folder] = stamp, examples_in(folder)
    return known[1]


def _frozen_of(folder: Path) -> Frozen:
    stamp = _stamp(folder, "*.tsv")
    known = _frozen.get(folder)
    if known is None or known[0] != stamp:
        known = _frozen[folder] = stamp, Frozen((line.text, line.intent) for line in frozen_lines(folder))
    return known[1]


def _stamp(folder: Path, pattern: str) -> _Stamp:
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob(pattern)))


def intent_name(code: str) -> str:
    """The Chinese of an intent, `业务咨询：发什么快递` of `faq/carrier`; the code itself where nobody has named it."""
    base, _, topic = code.partition("/")
    name = labels()["intents"].get(base, base)
    return f"{name}：{labels()['intent_topics'].get(code, topic)}" if topic else name


def intent_of(said: str, known: dict[str, int]) -> str:
    """The intent that a trainer named by its code or its Chinese; empty when there is none."""
    said = said.strip()
    if said in known:
        return said
    return next((code for code in known if intent_name(code) == said), "")
