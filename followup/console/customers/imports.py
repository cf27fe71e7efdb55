"""A do-not-contact list from a file: CSV or XLSX with a column of numbers, and perhaps one of reasons. Pure."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass

from openpyxl import load_workbook

from followup.archive import TooLarge, check_size
from followup.contacts.parse import normal_phone
from followup.contacts.table import ContactsFileError, Row, Table, read_table

LARGEST_FILE = 5 * 1024 * 1024
MOST_ROWS = 5000
_LARGEST_UNPACKED = 100 * 1024 * 1024
_PHONE = ("手机号", "手机号码", "手机", "电话", "电话号码", "联系电话", "phone", "mobile")
_REASON = ("原因", "理由", "备注", "说明", "reason")


class BadFile(ValueError):
    """The file as a whole cannot be taken. `key` names the sentence in labels.yml; else `text` is one."""

    def __init__(self, key: str, text: str = "") -> None:
        super().__init__(key or text)
        self.key, self.text = key, text


@dataclass(frozen=True, slots=True)
class BlockList:
    """What the file holds: (number, reason), each number once; and the lines whose number is none."""

    numbers: tuple[tuple[str, str], ...]
    bad: tuple[int, ...]


def parse_block_list(data: bytes, default_reason: str) -> BlockList:
    """Read the file; rows without a reason get `default_reason`. Raises BadFile."""
    if len(data) > LARGEST_FILE:
        raise BadFile("too_large")
    table = _xlsx(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    if len(table.rows) > MOST_ROWS:
        raise BadFile("too_many")
    phone, reason = _column(table, _PHONE), _column(table, _REASON)
    if phone is None:
        raise BadFile("no_phone_column")
    found: dict[str, str] = {}
    bad = []
    for row in table.rows:
        number = normal_phone(_cell(row, phone).removesuffix(".0"))
        if number is None:
            bad.append(row.line)
        else:
            found.setdefault(number, (_cell(row, reason) if reason is not None else "") or default_reason)
    return BlockList(tuple(found.items()), tuple(bad))


def _csv(data: bytes) -> Table:
    try:
        return read_table(data)
    except ContactsFileError as error:
        raise BadFile("", str(error)) from None


def _xlsx(data: bytes) -> Table:
    try:
        check_size(data, _LARGEST_UNPACKED)
        sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
        lines = [
            Row(number, tuple("" if cell is None else str(cell).strip() for cell in cells))
            for number, cells in enumerate(sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 2, max_col=50), 1)
        ]
    except TooLarge:
        raise BadFile("too_large") from None
    except Exception:  # noqa: BLE001 - the library raises almost anything on a damaged file
        raise BadFile("bad_file") from None
    lines = [line for line in lines if any(line.cells)]
    if not lines:
        raise BadFile("no_phone_column")
    return Table(lines[0].cells, tuple(lines[1:]))


def _column(table: Table, names: tuple[str, ...]) -> int | None:
    header = [unicodedata.normalize("NFKC", cell).strip(" *:").lower() for cell in table.header]
    return next((header.index(name) for name in names if name in header), None)


def _cell(row: Row, column: int) -> str:
    return row.cells[column] if column < len(row.cells) else ""
