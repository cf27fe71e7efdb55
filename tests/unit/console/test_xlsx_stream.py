"""A workbook that is sent while it is made is one that spreadsheets open."""

from __future__ import annotations

import io

from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from followup.console.xlsx_stream import SheetStream

HEAD = ["编号", "客户", "说明"]
LINES = [[1, "王*", "=1+1 <b>&\"'\n第二行"], [2, "", None], [3, " 李 ", "坏\x07字符\ud800"], [4.5, True, "长" * 40_000]]


def written(*parts: list[list[object]]) -> tuple[bytes, list[int]]:
    """The file, and how many bytes came with each part."""
    sheet = SheetStream("台账 & 一", (9, 8, 30))
    pieces = [sheet.begin(), *(sheet.add(part) for part in parts), sheet.end()]
    return b"".join(pieces), [len(piece) for piece in pieces]


def test_what_is_written_is_read_again_by_two_programs() -> None:
    data, _ = written([HEAD, *LINES[:2]], LINES[2:])
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None and sheet.title == "台账 & 一" and sheet.freeze_panes == "A2"
    assert sheet["A1"].font.b and not sheet["A2"].font.b and sheet["C2"].data_type == "s"
    rows = [list(row) for row in sheet.values]
    assert rows[:3] == [HEAD, LINES[0], [2, None, None]]
    assert rows[3] == [3, " 李 ", "坏字符"] and rows[4] == [4.5, "True", "长" * 32_767]
    assert CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()[1] == LINES[0]


def test_bytes_come_while_lines_do() -> None:
    many = [[n, f"客户{n * 7919 % 10007}", "说明" * (n % 9)] for n in range(5000)]
    _, sizes = written([HEAD], many, many)
    assert sizes[0] > 500 and sizes[2] > 20_000 and sizes[3] > 20_000


def test_an_empty_table_is_a_workbook() -> None:
    data, _ = written([HEAD])
    assert [list(row) for row in load_workbook(io.BytesIO(data), read_only=True).active.values] == [HEAD]
