"""The ledger as a file: read and written some thousand entries at a time, so that neither the process nor the database holds it whole."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO, Any

from aiohttp import web

from followup import clock
from followup.campaigns import ledger
from followup.campaigns.labels import label
from followup.console.audit import audit
from followup.console.campaigns.shared import campaign_of
from followup.console.campaigns.why import why
from followup.console.parts import database, staff
from followup.console.transcripts.export import BOM, Sheet, csv_part
from followup.console.transcripts.masking import name_of, phone_of
from followup.settings import SHANGHAI
from followup.store.campaign_models import Campaign
from followup.store.database import Database

MOST_EXPORTED = 200_000
_AT_ONCE = 5000
_CHUNK = 1 << 16
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
    tables = _tables(database(request), campaign, filters)
    if kind == "csv":
        await response.prepare(request)
        await response.write(BOM)
        async for table in tables:
            await response.write(await asyncio.to_thread(csv_part, table))
    else:
        with tempfile.TemporaryFile() as file:
            sheet = Sheet("台账")
            async for table in tables:
                await asyncio.to_thread(sheet.add, table)
            await asyncio.to_thread(sheet.save, file)
            await response.prepare(request)
            await _write(response, file)
    await response.write_eof()
    return response


async def _write(response: web.StreamResponse, file: IO[bytes]) -> None:
    file.seek(0)
    while part := await asyncio.to_thread(file.read, _CHUNK):
        await response.write(part)


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
    def at(moment: Any) -> str:
        return "" if moment is None else f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"

    return [
        row.entry_id, name_of(row.name), phone_of(row.phone), row.rule, row.occurrence + 1, row.stratum, "是" if row.drawn else "否",
        label(row.stage, "stages"), ledger.reason(row.reason), label(row.channel, "channels"), at(row.due_at), at(row.next_at),
        at(row.sent_at), row.case_id or "", why(row, status),
    ]  # fmt: skip
