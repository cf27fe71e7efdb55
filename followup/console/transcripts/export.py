"""A list of talks as a table: XLSX and CSV. A customer's words are always text, never a formula."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from followup.console.labels import label
from followup.console.transcripts.masking import name_of, phone_of
from followup.console.transcripts.queries import TalkRow
from followup.settings import SHANGHAI

MOST = 20_000
"""Talks in one export."""
HEAD = (
    "编号", "客户", "电话", "自称的客户", "话术", "渠道", "状态", "结果", "建立时间", "最近消息", "消息数",
    "投诉", "工单数", "有低置信度", "有更正", "演示",
)  # fmt: skip
BOM = codecs.BOM_UTF8
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(rows: Iterable[TalkRow], scripts: Mapping[str, str], *, personal: bool) -> list[list[Any]]:
    """The head and a line for each talk."""
    return [list(HEAD), *(_cells(row, scripts, personal) for row in rows)]


def as_csv(table: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it; what could begin a formula begins with an apostrophe."""
    return BOM + csv_part(table)


def csv_part(table: Iterable[Sequence[Any]]) -> bytes:
    """Some lines of a file that begins with BOM."""
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in line] for line in table)
    return out.getvalue().encode()


class Sheet:
    """A workbook of one sheet, written line by line; text stays text whatever it begins with. The first line is the head."""

    def __init__(self, title: str) -> None:
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)
        self._sheet.freeze_panes = "A2"
        self._lines = 0
        for column, width in zip("ABCDEFGHIJ", (36, 14, 16, 14, 26, 8, 10, 12, 18, 18), strict=True):
            self._sheet.column_dimensions[column].width = width

    def add(self, table: Iterable[Sequence[Any]]) -> None:
        for line in table:
            self._sheet.append([_cell(self._sheet, value, bold=self._lines == 0) for value in line])
            self._lines += 1

    def save(self, out: IO[bytes]) -> None:
        self._book.save(out)


def as_xlsx(table: Iterable[Sequence[Any]], title: str) -> bytes:
    """The whole table as one sheet."""
    sheet, out = Sheet(title), io.BytesIO()
    sheet.add(table)
    sheet.save(out)
    return out.getvalue()


def _cells(row: TalkRow, scripts: Mapping[str, str], personal: bool) -> list[Any]:
    def name(text: str | None) -> str:
        return (text or "") if personal else name_of(text or "")

    return [
        row.id,
        name(row.name) + row.title,
        (row.phone or "") if personal else phone_of(row.phone),
        name(row.claimed_name),
        scripts.get(row.script_id, row.script_id),
        label(row.channel, "channels"),
        label(row.status, "case_status"),
        label(row.outcome, "outcomes"),
        _minute(row.created_at),
        _minute(row.last_at),
        row.messages,
        *("是" if flag else "" for flag in (row.complaint,)),
        row.tickets,
        *("是" if flag else "" for flag in (row.unsure, row.corrected, row.is_demo)),
    ]


def _minute(at: Any) -> str:
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cell(sheet: Any, value: Any, *, bold: bool) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)
    if isinstance(value, str):
        cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
