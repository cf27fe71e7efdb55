"""An XLSX file as lines of text, and lines of text as an XLSX file. Pure but for the library."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from python_calamine import CalamineWorkbook

from followup.contacts.dates import iso
from followup.contacts.parse import BadRow
from followup.contacts.table import MOST_COLUMNS, MOST_ROWS, ContactsFileError

_LARGEST_UNPACKED = 800 * 1024 * 1024
_DAMAGED = "这个 Excel 文件打不开，可能已经损坏。请在 Excel 里打开，另存以后再导入。"


def read_sheet(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of the first sheet that has anything in it. Dates become ISO text. Raises ContactsFileError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > _LARGEST_UNPACKED:
                raise ContactsFileError("这个 Excel 文件展开以后太大，请拆成几个文件分批导入。")
            sheets = _with_errors(data) if _holds_errors(archive) else _quickly(data)
        for rows in sheets:
            found = False
            for line, cells in rows:
                if any(cell not in (None, "") for cell in cells):
                    found = True
                    yield line, [as_text(cell) for cell in cells[: MOST_COLUMNS + 1]]
            if found:
                return
    except ContactsFileError:
        raise
    except Exception:  # noqa: BLE001 - the libraries raise almost anything on a damaged file
        raise ContactsFileError(_DAMAGED) from None


_Rows = Iterator[tuple[int, Sequence[Any]]]
_ERROR_CELL = re.compile(rb"""<c\s[^>]*\bt=["']e["']""")


def _holds_errors(archive: zipfile.ZipFile) -> bool:
    """Whether a cell holds what could not be computed, such as #N/A."""
    return any(
        _ERROR_CELL.search(archive.read(name)) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")
    )


def _quickly(data: bytes) -> Iterator[_Rows]:
    """Twenty times as fast as the other way, but an error value is an empty cell to it."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for name in book.sheet_names:
        yield enumerate(islice(book.get_sheet_by_name(name).iter_rows(), MOST_ROWS + 2), 1)


def _with_errors(data: bytes) -> Iterator[_Rows]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # some programs write a wrong size, and only so much would be read
        yield enumerate(sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 2), 1)


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
