"""A customer list as a table of text: bytes of a CSV file -> header and rows. Pure.

Files come from Excel, from WPS and from systems of the trade: UTF-8 with or without a mark, UTF-16, GBK; separated by
commas, tabs or semicolons. Cells are text and stay text: what looks like a formula is never anything else.
"""

import codecs
import csv
import io
import unicodedata
from dataclasses import dataclass

LARGEST_FILE = 64 * 1024 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = ",\t;"


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


def read_table(data: bytes) -> Table:
    """Decode and split. Empty lines are left out. Raises ContactsFileError."""
    if len(data) > LARGEST_FILE:
        raise ContactsFileError(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB，请拆成几个文件分批导入。")
    text = _decode(data)
    rows = _split(text)
    if not rows:
        raise ContactsFileError("文件是空的。第一行应为表头，例如：姓名,称谓,手机号")
    return Table(header=rows[0].cells, rows=tuple(rows[1:]))


def _decode(data: bytes) -> str:
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise ContactsFileError("这是 Excel 文件，不是 CSV。请在 Excel 里“另存为”，类型选“CSV UTF-8（逗号分隔）”。")
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


def _split(text: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows: list[Row] = []
    begin = 1
    try:
        for record in reader:
            cells = tuple(_clean(cell) for cell in record)
            if any(cells):
                rows.append(Row(begin, cells))
            begin = reader.line_num + 1
    except csv.Error:
        raise ContactsFileError(
            f"第 {begin} 行的引号没有成对，后面的内容无法分列。请检查该行的英文双引号。"
        ) from None
    return rows


def _separator(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def _clean(cell: str) -> str:
    """Without control and invisible characters, and without blanks at the ends; line breaks become blanks."""
    spaced = cell.replace("\r\n", " ").replace("\n", " ").replace("\r", " ").replace("\t", " ")
    return "".join(char for char in spaced if unicodedata.category(char) not in ("Cc", "Cf", "Cs")).strip()
