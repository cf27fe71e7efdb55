"""The ledger as a file: read and written some thousand entries at a time, so that neither the process nor the database holds it whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from aiohttp import web

from followup import clock
from followup.campaigns import ledger
from followup.campaigns.labels import label, reason_said
from followup.console.audit import audit
from followup.console.campaigns.shared import campaign_of
from followup.console.campaigns.why import why
from followup.console.parts import database, staff
from followup.console.transcripts.export import BOM, csv_part
from followup.console.transcripts.masking import name_of, phone_of
from followup.console.xlsx_stream import SheetStream
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign
from followup.store.database import Database
from followup.web.events import hung_up_on_errors

MOST_EXPORTED = 200_000
_AT_ONCE = 5000
_WIDTHS = (9, 8, 14, 10, 7, 10, 6, 10, 22, 8, 17, 17, 17, 34, 48)
_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
HEAD = (
    "编号", "客户", "电话", "联系时间", "第几次", "分层", "抽中", "进展", "原因", "渠道", "应联系", "下次处理", "首次发送", "会话", "说明",
)  # fmt: skip


async def send(request: web.Request, campaign_id: int, kind: str, filters: dict[str, str]) -> web.StreamResponse:
    """The entries of the filters, oldest first, as `kind` csv or xlsx. It is audited before the first byte goes out."""
    async with database(request).session() as session:
        campaign = await campaign_of(session, campaign_id)
        rows = min(await ledger.count(session, campaign_id, **filters), MOST_EXPORTED)
        await audit(session, staff(request), "campaign.export", "campaign", campaign_id, rows=rows, format=kind, filters=filters)
    name = f"campaign-{campaign_id}-{clock.now().astimezone(SHANGHAI):%Y%m%d-%H%M}.{kind}"
    response = web.StreamResponse(headers={"Content-Type": _TYPES[kind], "Content-Disposition": f'attachment; filename="{name}"'})
    made = parts(database(request), campaign, filters, kind)
    first = await anext(made)
    await response.prepare(request)
    with hung_up_on_errors(request):  # a download that breaks off is seen, one that ends early would not be
        await response.write(first)
        async for part in made:
            await response.write(part)
        await response.write_eof()
    return response


async def parts(database: Database, campaign: Campaign, filters: dict[str, str], kind: str) -> AsyncIterator[bytes]:
    """The file's bytes, as the entries are read."""
    tables = _tables(database, campaign, filters)
    if kind == "csv":
        yield BOM
        async for table in tables:
            yield await asyncio.to_thread(csv_part, table)
        return
    sheet = SheetStream("台账", _WIDTHS)
    yield sheet.begin()
    async for table in tables:
        yield await asyncio.to_thread(sheet.add, table)
    yield sheet.end()


async def _tables(database: Database, campaign: Campaign, filters: dict[str, str]) -> AsyncIterator[list[list[Any]]]:
    """The head with the first entries, then the others. Each in a transaction of its own: who downloads slowly holds none open."""
    head, after, left = [list(HEAD)], 0, MOST_EXPORTED
    while True:
        async with database.session() as session:
            rows = await ledger.rows(session, campaign.id, **filters, after=after, limit=min(_AT_ONCE, left))
        yield await asyncio.to_thread(lambda: head + [_cells(row, campaign.status) for row in rows])
        left -= len(rows)
        if len(rows) < _AT_ONCE or not left:
            return
        head, after = [], rows[-1].entry_id


def _cells(row: ledger.LedgerRow, status: str) -> list[Any]:
    return [
        row.entry_id, name_of(row.name), phone_of(row.phone), row.rule, row.occurrence + 1, row.stratum, "是" if row.drawn else "否",
        label(row.stage, "stages"), reason_said(row.reason), label(row.channel, "channels"), _minute(row.due_at), _minute(row.next_at),
        _minute(row.sent_at), row.case_id or "", why(row, status),
    ]  # fmt: skip


@lru_cache(maxsize=1 << 12)
def _minute(at: datetime | None) -> str:
    """Thousands of entries share a time."""
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
