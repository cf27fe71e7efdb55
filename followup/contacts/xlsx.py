"""An XLSX file as lines of text, and lines of text as an XLSX file. Pure but for the library."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from python_calamine import CalamineWorkbook

from followup.archive import TooLarge, check_size, pieces
from followup.contacts.columns import is_header
from followup.contacts.dates import iso
from followup.contacts.parse import BadRow
from followup.contacts.table import HEADER_WITHIN, MOST_COLUMNS, MOST_ROWS, ContactsFileError

_LARGEST_UNPACKED = 800 * 1024 * 1024
_DAMAGED = "这个 Excel 文件打不开，可能已经损坏。请在 Excel 里打开，另存以后再导入。"


def read_sheet(data: bytes, notes: list[str] | None = None) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of the sheet that has a header, else of the first that has anything in it. Dates become ISO text.

    `notes`: other sheets that have something in them are told there. Raises ContactsFileError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_size(data, _LARGEST_UNPACKED)
            sheets = _with_errors(data) if _holds_errors(archive) else _quickly(data)
        name, rows, others = _chosen(sheets)
        if others and notes is not None:
            told = "、".join(f"“{other}”" for other in others[:5]) + ("等" if len(others) > 5 else "")
            notes.append(f"文件里有几张工作表，只读了“{name}”；{told}没有读。要导入的话，请另存成单独的文件。")
        yield from rows
    except ContactsFileError:
        raise
    except TooLarge:
        raise ContactsFileError("这个 Excel 文件展开以后太大，请拆成几个文件分批导入。") from None
    except Exception:  # noqa: BLE001 - the libraries raise almost anything on a damaged file
        raise ContactsFileError(_DAMAGED) from None


def _chosen(sheets: Iterator[tuple[str, _Rows]]) -> tuple[str, Iterator[tuple[int, list[str]]], list[str]]:
    """The sheet to read: its name, its rows; and the names of the others that hold anything."""
    found: list[tuple[str, list[tuple[int, list[str]]], Iterator[tuple[int, list[str]]]]] = []
    for name, rows in sheets:
        filled = ((line, [as_text(cell) for cell in cells[: MOST_COLUMNS + 1]]) for line, cells in rows if any(cell not in (None, "") for cell in cells))
        if first := list(islice(filled, HEADER_WITHIN)):
            found.append((name, first, filled))
    if not found:
        return "", iter(()), []
    best = next((number for number, (_, first, _) in enumerate(found) if any(is_header(cells) for _, cells in first)), 0)
    name, first, rest = found.pop(best)
    return name, chain(first, rest), [other for other, _, _ in found]


_Rows = Iterator[tuple[int, Sequence[Any]]]
_LONGEST_TAG = 300
_ERROR_CELL = re.compile(rb"""<c\s[^>]*\bt=["']e["']""")


def _holds_errors(archive: zipfile.ZipFile) -> bool:
    """Whether a cell holds what could not be computed, such as #N/A."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/sheet"):
            end = b""
            for piece in pieces(archive, name):
                if _ERROR_CELL.search(end + piece):
                    return True
                end = piece[-_LONGEST_TAG:]
    return False


def _quickly(data: bytes) -> Iterator[tuple[str, _Rows]]:
    """Twenty times as fast as the other way, but an error value is an empty cell to it."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        yield name, _unmerged(enumerate(islice(sheet.iter_rows(), MOST_ROWS + HEADER_WITHIN), 1), sheet.merged_cell_ranges or ())


def _unmerged(rows: _Rows, merged: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> _Rows:
    """What stands in cells that were put together over several rows holds for each of these rows; a file keeps it in the first only."""
    begins: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in merged:
        if bottom > top:
            begins.setdefault(top, []).append((column, bottom))
    if not begins:
        yield from rows
        return
    held: dict[int, tuple[int, Any]] = {}
    for line, given in rows:
        cells = list(given)
        for column, (bottom, value) in list(held.items()):
            if line - 1 > bottom:
                del held[column]
            elif column < len(cells):
                cells[column] = value
        for column, bottom in begins.get(line - 1, ()):
            if column < len(cells) and cells[column] not in (None, ""):
                held[column] = (bottom, cells[column])
        yield line, cells


def _with_errors(data: bytes) -> Iterator[tuple[str, _Rows]]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # some programs write a wrong size, and only so much would be read
        yield sheet.title, enumerate(sheet.iter_rows(values_only=True, max_row=MOST_ROWS + HEADER_WITHIN), 1)


def as_text(value: Any) -> str:
    """A cell as it would be typed."""
    match value:
        case str():
            return value
        case None | timedelta():
            return "" if value is None else str(value)
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return iso(value.replace(second=0, microsecond=0) + timedelta(minutes=value.second >= 30))
        case date():
            return value.isoformat()
        case time():
            return f"{value:%H:%M}"
    return str(value)


def write_sheet(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A sheet of text: a telephone number keeps its zero, and nothing is ever a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("客户")
    sheet.freeze_panes = "A2"
    for number, cells in enumerate([header, *rows]):
        line = []
        for text in cells:
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text)[:32_000])
            cell.data_type, cell.number_format = "s", "@"
            if number == 0:
                cell.font = Font(bold=True)
            line.append(cell)
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


REASON, LINE = "需要修改的原因", "原来的行号"
"""Columns in front of the rows that were not taken; they are left out when the mended file comes back."""


def bad_sheet(header: Sequence[str], bad: Iterable[BadRow]) -> bytes:
    """The rows that were not taken as they were, with the reason, to be mended and imported again."""
    rows = ([row.reason, str(row.line), *row.cells] for row in sorted(bad, key=lambda row: row.line))
    return write_sheet([REASON, LINE, *header], rows)
