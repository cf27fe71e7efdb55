"""A customer file on its way: sent, looked at, its columns chosen, and then taken or forgotten after a day."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from followup.contacts import columns
from followup.contacts.groups import group
from followup.contacts.parse import Agreed, BadRow, Choices, ContactsFile, NewContact, parse_table
from followup.contacts.save import Saved, Source, look, save_contacts
from followup.contacts.table import ContactsFileError, Table, pack, unpack
from followup.store.campaign_models import ApiRequest, Import, Upload

KEPT = timedelta(days=1)
BAD_ROWS_KEPT = timedelta(days=90)
PREVIEWED = 20
MOST_BAD_SHOWN = 5000


async def keep(session: AsyncSession, table: Table, file_name: str, digest: str, user_id: int, at: datetime) -> Upload:
    """Keep the file's table until somebody takes it; what others left lying for a day goes."""
    await session.execute(delete(Upload).where(Upload.at < at - KEPT))
    upload = Upload(file_name=file_name[:200], digest=digest, content=await asyncio.to_thread(pack, table), user_id=user_id, at=at)
    upload.choices = {
        "header": list(table.header),
        "rows": len(table.rows),
        "samples": _samples(table),
        **choices_as_json(Choices(columns.guess(table))),
    }
    session.add(upload)
    await session.flush()
    return upload


async def forget_files(session: AsyncSession, at: datetime) -> None:
    """Files nobody took within a day; and of old imports what their bad rows say, which is about people nobody may know here."""
    await session.execute(delete(Upload).where(Upload.at < at - KEPT))
    await session.execute(delete(ApiRequest).where(ApiRequest.at < at - KEPT))
    await session.execute(update(Import).where(Import.at < at - BAD_ROWS_KEPT, func.jsonb_array_length(Import.bad) > 0).values(bad=[]))


async def find(session: AsyncSession, upload_id: int, user_id: int, *, whole: bool = False) -> Upload | None:
    """Somebody's own upload; `whole` with its table and locked."""
    query = select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id)
    return await session.scalar(query.with_for_update() if whole else query.options(defer(Upload.content)))


async def check(session: AsyncSession, upload: Upload, choices: Choices) -> None:
    """Understand the file by these choices and write down what would come of it. `upload` must be whole."""
    upload.choices = {**upload.choices, **choices_as_json(choices)}
    try:
        table, parsed = await asyncio.to_thread(_parse, upload.content, choices)
    except ContactsFileError as error:
        upload.checked = {"error": str(error)}
        return
    looked = await look(session, parsed.contacts)
    bad = sorted((*parsed.bad, *with_cells(table, looked.bad)), key=lambda row: row.line)
    upload.checked = {
        "error": "",
        "new": looked.new,
        "known": looked.known,
        "merged": parsed.merged,
        "blocked": len(looked.blocked),
        "bad_count": len(bad),
        "bad": [asdict(row) for row in bad[:MOST_BAD_SHOWN]],
        "preview": _preview(table, parsed, {row.line: row.reason for row in bad}, looked.blocked),
    }


async def take(session: AsyncSession, upload: Upload, user_id: int, at: datetime, *, skip_bad: bool) -> Saved:
    """Write the customers down; nothing when a row is bad and `skip_bad` was not said. `upload` must be whole.

    Raises ContactsFileError.
    """
    choices = choices_of(upload)
    table, parsed = await asyncio.to_thread(_parse, upload.content, choices)
    source = Source(
        "console", upload.digest, len(table.rows), upload.file_name, parsed.merged, choices.groups, table.header, parsed.bad, user_id
    )
    upload_id = upload.id
    saved = await save_contacts(session, parsed.contacts, source, at, skip_bad=skip_bad, cells={row.line: row.cells for row in table.rows})
    if saved.import_id is not None:
        upload = await session.get_one(Upload, upload_id)
        upload.import_id, upload.content, upload.checked = saved.import_id, b"", None
        upload.choices = {}
        await session.flush()
    return saved


def choices_of(upload: Upload) -> Choices:
    raw = upload.choices
    agreed = Agreed(tuple(raw["channels"]), raw["source"], raw["text_version"])
    return Choices(tuple(columns.Use(use) for use in raw["uses"]), tuple(raw["groups"]), agreed)


def choices_as_json(choices: Choices) -> dict[str, Any]:
    return {
        "uses": [use.value for use in choices.uses],
        "groups": [group(name) for name in choices.groups],
        "channels": list(choices.agreed.channels),
        "source": choices.agreed.source,
        "text_version": choices.agreed.text_version,
    }


def with_cells(table: Table, bad: tuple[BadRow, ...]) -> list[BadRow]:
    """Rows that contradict what is known, with what the file says in them."""
    cells = {row.line: row.cells for row in table.rows} if bad else {}
    return [BadRow(row.line, row.reason, cells.get(row.line, ())) for row in bad]


def _parse(content: bytes, choices: Choices) -> tuple[Table, ContactsFile]:
    table = unpack(content)
    return table, parse_table(table, choices)


def _samples(table: Table) -> list[list[str]]:
    """Up to three different cells of each column."""
    found: list[list[str]] = []
    for column in range(len(table.header)):
        cells = (row.cells[column][:40] for row in table.rows[:200] if column < len(row.cells) and row.cells[column])
        found.append(list(dict.fromkeys(cells))[:3])
    return found


def _preview(table: Table, parsed: ContactsFile, bad: dict[int, str], blocked: frozenset[int]) -> list[dict[str, Any]]:
    """The first rows as they would be taken."""
    by_line: dict[int, NewContact] = {one.line: one for one in parsed.contacts[: PREVIEWED * 2]}
    shown = []
    for row in table.rows[:PREVIEWED]:
        one = by_line.get(row.line)
        shown.append(
            {
                "line": row.line,
                "reason": bad.get(row.line, ""),
                "blocked": row.line in blocked,
                "contact": _shown(one) if one is not None else None,
                "cells": [cell for cell in row.cells if cell][:4],
            }
        )
    return shown


def _shown(one: NewContact) -> dict[str, Any]:
    agreed = [consent.channel for consent in one.consents if consent.given]
    return {
        "name": one.name,
        "title": one.title,
        "ways": [way for way in (one.phone, one.email, one.external_id) if way],
        "groups": list(one.groups),
        "agreed": agreed,
        "refused": bool(one.consents) and not agreed,
        "fields": dict(one.fields),
    }
