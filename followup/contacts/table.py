"""A customer list as a table of text: bytes of a CSV or XLSX file -> header and rows. Pure.

Files come from Excel, from WPS and from systems of the trade: UTF-8 with or without a mark, UTF-16, GBK; separated by
commas, tabs or semicolons. Cells are text and stay text: what looks like a formula is never anything else.
"""

import codecs
import csv
import io
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from followup.contacts.progress import NOBODY_ASKS, Progress

LARGEST_FILE = 64 * 1024 * 1024
MOST_ROWS = 500_000
MOST_COLUMNS = 200
HEADER_WITHIN = 10
"""The header is looked for in so many rows."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_EMPTY = "文件是空的。第一行应为表头，例如：姓名,称谓,手机号"
_SEPARATORS = ",\t;"
_PLAIN = re.compile(r"[\u4e00-\u9fff\uff01-\uff5e 0-9A-Za-z]*")


class ContactsFileError(ValueError):
    """The file as a whole cannot be read. The message is Chinese and says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `line` is the line of the file on which it begins, counted from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What of the file was not read, in Chinese sentences for whoever sent it. Not packed."""


def look_at(data: bytes) -> None:
    """What can be said of a file without reading it: raises ContactsFileError for what is none of ours."""
    if len(data) < 1024 and not data.strip():
        raise ContactsFileError(_EMPTY)
    if len(data) > LARGEST_FILE:
        raise ContactsFileError(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB，请拆成几个文件分批导入。")
    if data[:4] == b"\xd0\xcf\x11\xe0":
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ContactsFileError("这个 Excel 文件加了密码，打不开。请在 Excel 里去掉密码，另存以后再导入。")
        raise ContactsFileError("这是旧版的 Excel 文件（.xls）。请在 Excel 里“另存为”，类型选“Excel 工作簿（*.xlsx）”，再导入。")
    if data.startswith((b"%PDF-", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise ContactsFileError("这不是表格。请导入 CSV 或 Excel（xlsx）文件。")
    if data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html", b"<table", b"<?xml", b"{\rtf")):
        raise ContactsFileError("这个文件虽然能用 Excel 打开，其实是网页或别的格式。请在 Excel 里“另存为”，类型选“Excel 工作簿（*.xlsx）”，再导入。")


def read_table(data: bytes, progress: Progress = NOBODY_ASKS) -> Table:
    """Decode and split. Empty lines are left out, and titles above the header. Raises ContactsFileError."""
    look_at(data)
    notes: list[str] = []
    if data[:4] == b"PK\x03\x04":
        from followup.contacts.xlsx import read_sheet

        records: Iterable[tuple[int, Iterable[str]]] = read_sheet(data, notes)
    else:
        records = _split(_decode(data))
    rows = []
    for number, (line, cells) in enumerate(records):
        if number % 500 == 0:
            progress.done = number
        if number > 2 * MOST_ROWS:
            break
        rows.append(Row(line, tuple(_clean(cell) for cell in cells)))
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        raise ContactsFileError(_EMPTY)
    if above := _above_the_header(rows[:HEADER_WITHIN]):
        lines = "、".join(f"第 {row.line} 行“{next(filter(None, row.cells))[:20]}”" for row in rows[:above])
        notes.append(f"表头在第 {rows[above].line} 行，上面的内容没有读：{lines}。")
        rows = rows[above:]
    if len(rows) - 1 > MOST_ROWS:
        raise ContactsFileError(f"文件超过 {MOST_ROWS // 10000} 万行，请拆成几个文件分批导入。")
    if len(rows[0].cells) > MOST_COLUMNS:
        raise ContactsFileError(f"表头超过 {MOST_COLUMNS} 列，请去掉用不着的列再导入。")
    table = Table(_without_tail(rows[0].cells), tuple(rows[1:]))
    return replace(table, notes=(*notes, *_nameless(table)))


def _above_the_header(rows: Sequence[Row]) -> int:
    """How many rows stand above the header: titles, who made the list. 0 where no row is clearly a header."""
    from followup.contacts.columns import is_header

    return next((number for number, row in enumerate(rows) if is_header(row.cells)), 0)


def _nameless(table: Table) -> list[str]:
    """Columns without a name that hold something: nobody knows what, and they are not taken unless somebody says so."""
    found = [column for column, name in enumerate(table.header) if not name and any(column < len(row.cells) and row.cells[column] for row in table.rows)]
    if not found:
        return []
    told = "、".join(f"第 {column + 1} 列" for column in found[:10])
    return [f"{told}没有表头，里面却有内容，没有导入。要导入的话，请在表头里写上名字，重新上传。"]


def pack(table: Table) -> bytes:
    """The table in a form that `unpack` reads in a fraction of the time that the file took."""
    rows = [[row.line, *row.cells] for row in table.rows]
    return zlib.compress(json.dumps([table.header, rows], ensure_ascii=False).encode(), 1)


def unpack(packed: bytes) -> Table:
    header, rows = json.loads(zlib.decompress(packed))
    return Table(tuple(header), tuple(Row(line, tuple(cells)) for line, *cells in rows))


def _without_tail(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without empty cells at the end, which spreadsheets leave behind."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _decode(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            candidates: tuple[str, ...] = (encoding,)
            break
    else:
        candidates = ("utf-8", "gb18030")
    for encoding in candidates:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ContactsFileError("看不出文件的编码。请另存为 UTF-8 或 GBK 编码的 CSV 后再导入。")


def _split(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    begin = 1
    try:
        for record in reader:
            yield begin, record
            begin = reader.line_num + 1
    except csv.Error:
        raise ContactsFileError(
            f"第 {begin} 行的引号没有成对，后面的内容无法分列。请检查该行的英文双引号。"
        ) from None


def _separator(text: str) -> str:
    first = (line for line in islice(io.StringIO(text), 50) if any(separator in line for separator in _SEPARATORS))
    return max(_SEPARATORS, key=next(first, "").count)


def _clean(cell: str) -> str:
    """Without control and invisible characters, and without blanks at the ends; line breaks become blanks."""
    if cell.isascii() and cell.isprintable() or _PLAIN.fullmatch(cell):
        return cell.strip()
    spaced = cell.replace("\r\n", " ").replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf", "Cs")).strip()
