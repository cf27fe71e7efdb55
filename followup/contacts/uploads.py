"""A customer file on its way: sent, looked at, its columns chosen, and then taken or forgotten after a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from followup.contacts import columns
from followup.contacts.groups import group
from followup.contacts.model import Agreed, BadRow, Choices, ContactsFile, NewContact
from followup.contacts.table import Table
from followup.store.campaign_models import ApiRequest, Import, Upload

KEPT = timedelta(days=1)
BAD_ROWS_KEPT = timedelta(days=90)
PREVIEWED = 20
MOST_BAD_SHOWN = 5000


async def keep(session: AsyncSession, data: bytes, file_name: str, digest: str, user_id: int, at: datetime) -> Upload:
    """Keep the file until somebody takes it; what others left lying for a day goes."""
    await session.execute(delete(Upload).where(Upload.at < at - KEPT))
    upload = Upload(file_name=file_name[:200], digest=digest, content=data, user_id=user_id, at=at)
    session.add(upload)
    await session.flush()
    return upload


def first_choices(table: Table) -> dict[str, Any]:
    """`uploads.choices` of a file that was read: how its header suggests that it is meant."""
    return {
        "header": list(table.header),
        "rows": len(table.rows),
        "samples": _samples(table),
        "notes": list(table.notes),
        **choices_as_json(Choices(columns.guess(table))),
    }


async def forget_files(session: AsyncSession, at: datetime) -> None:
    """Files nobody took within a day; and of old imports what their bad rows say, which is about people nobody may know here."""
    await session.execute(delete(Upload).where(Upload.at < at - KEPT))
    await session.execute(delete(ApiRequest).where(ApiRequest.at < at - KEPT))
    await session.execute(update(Import).where(Import.at < at - BAD_ROWS_KEPT, func.jsonb_array_length(Import.bad) > 0).values(bad=[]))


async def find(session: AsyncSession, upload_id: int, user_id: int, *, lock: bool = False) -> Upload | None:
    """Somebody's own upload, without the file."""
    query = select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id).options(defer(Upload.content))
    return await session.scalar(query.with_for_update() if lock else query)


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


def _samples(table: Table) -> list[list[str]]:
    """Up to three different cells of each column."""
    found: list[list[str]] = []
    for column in range(len(table.header)):
        cells = (row.cells[column][:40] for row in table.rows[:200] if column < len(row.cells) and row.cells[column])
        found.append(list(dict.fromkeys(cells))[:3])
    return found


def preview(table: Table, parsed: ContactsFile, bad: dict[int, str], blocked: frozenset[int]) -> list[dict[str, Any]]:
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
        "stop": one.stop,
        "fields": dict(one.fields),
    }
