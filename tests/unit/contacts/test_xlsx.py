"""Spreadsheets as customer lists: dates, numbers, empty rows, damaged files; and the sheet of rows to be mended."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from followup.contacts import columns
from followup.contacts.columns import Use
from followup.contacts.parse import BadRow, Choices, parse_contacts, parse_table
from followup.contacts.table import ContactsFileError, Row, Table, pack, read_table, unpack
from followup.contacts.xlsx import bad_sheet, read_sheet


def sheet(*rows: list[Any], empty_first: bool = False) -> bytes:
    book = Workbook()
    if empty_first:
        book.create_sheet("客户")
    for row in rows:
        book.worksheets[-1].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEADER = ["姓名", "手机号", "签收日期", "数量", "备注"]


def test_numbers_dates_and_times_become_what_one_would_type() -> None:
    data = sheet(HEADER, ["王芳", 13800138000, datetime(2026, 3, 5), 3.0, None], ["李强", "13900139000", datetime(2026, 3, 5, 14, 30), 2.5, time(9, 5)])
    wang, li = parse_contacts(data).contacts
    assert wang.phone == "13800138000" and wang.fields == {"签收日期": "2026-03-05", "数量": "3"}
    assert li.fields == {"签收日期": "2026-03-05 14:30", "数量": "2.5", "备注": "09:05"}


def test_a_date_column_in_three_formats_is_one() -> None:
    data = sheet(HEADER[:3], ["甲一", 13800138001, date(2026, 3, 5)], ["乙二", 13800138002, "2026/3/5"], ["丙三", 13800138003, "2026年3月5日"], ["丁四", 13800138004, 46086])
    assert {one.fields["签收日期"] for one in parse_contacts(data).contacts} == {"2026-03-05"}


def test_an_impossible_birthday_is_a_bad_row_with_its_line() -> None:
    data = sheet(["姓名", "手机号", "生日"], ["甲一", 13800138001, "1990-01-02"], [None, None, None], ["乙二", 13800138002, "2月30日"])
    parsed = parse_contacts(data)
    assert [str(bad) for bad in parsed.bad] == ["第 4 行：生日“2月30日”这一天不存在，请核对。"]
    assert len(parsed.contacts) == 1


def test_an_error_value_of_the_spreadsheet_is_told() -> None:
    parsed = parse_contacts(sheet(HEADER, ["王芳", 13800138000, None, "#N/A", None]))
    assert "算不出来的“#N/A”" in str(parsed.bad[0])


def test_the_first_sheet_with_anything_in_it_is_read() -> None:
    assert len(parse_contacts(sheet(HEADER[:2], ["王芳", 13800138000], empty_first=True)).contacts) == 1


@pytest.mark.parametrize("cut", [30, 600, -40])
def test_a_damaged_file_is_told(cut: int) -> None:
    with pytest.raises(ContactsFileError, match="打不开"):
        read_table(sheet(HEADER, ["王芳", 13800138000, None, None, None])[:cut])


def test_bad_rows_come_back_with_their_reason_and_can_be_imported_again_when_mended() -> None:
    table = Table(("姓名", "手机号", "备注"), ())
    data = bad_sheet(table.header, [BadRow(7, "没有填写电话。", ("王芳", "", "=1+1"))])
    rows = list(load_workbook(io.BytesIO(data)).active.iter_rows())
    assert [cell.value for cell in rows[1]][:3] == ["没有填写电话。", "7", "王芳"] and rows[1][-1].data_type == "s"
    again = read_table(data)
    assert columns.guess(again) == (Use.SKIP, Use.SKIP, Use.NAME, Use.PHONE, Use.TEXT)
    mended = Table(again.header, (Row(2, ("没有填写电话。", "7", "王芳", "13800138000", "")),))
    (wang,) = parse_table(mended, Choices(columns.guess(mended))).contacts
    assert wang.phone == "13800138000" and wang.fields == {}


def test_a_packed_table_is_the_same_table() -> None:
    table = read_table("姓名,手机号\n王芳,13800138000\n\n李强,\n".encode())
    assert unpack(pack(table)) == table


def test_a_table_that_does_not_begin_in_the_first_row_keeps_its_line_numbers() -> None:
    book = Workbook()
    book.active["C5"], book.active["D5"], book.active["C6"] = "姓名", "手机号", "王芳"
    out = io.BytesIO()
    book.save(out)
    assert [line for line, _ in read_sheet(out.getvalue())] == [5, 6]


def book(*sheets: list[list[Any]], merged: str = "") -> bytes:
    made = Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets, 1):
        for row in rows:
            made[f"表{number}"].append(row) if f"表{number}" in made else made.create_sheet(f"表{number}").append(row)
    if merged:
        made.worksheets[0].merge_cells(merged)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


HEAD, WANG, LI = ["姓名", "手机号", "门店"], ["王芳", "13800138000", "浦东店"], ["李强", "13900139000", None]


@pytest.mark.parametrize("above", [[["2026 年客户名单", None, None]], [["某某公司"], ["制表：王", "2026-11-01"]], [["客户信息", None, "订单"]]])
def test_a_header_under_titles_is_found_and_what_is_above_is_told(above: list[list[Any]]) -> None:
    table = read_table(book([*above, HEAD, WANG], merged="A1:B1"))
    assert table.header == tuple(HEAD) and table.rows[0].line == len(above) + 2
    (note,) = table.notes
    assert f"表头在第 {len(above) + 1} 行" in note and above[0][0] in note


def test_titles_above_the_header_of_a_csv_are_passed_over_too() -> None:
    table = read_table("某某公司客户名单\n\n姓名\t手机号\n王芳\t13800138000\n".encode("gbk"))
    assert table.header == ("姓名", "手机号") and [row.line for row in table.rows] == [4] and "第 3 行" in table.notes[0]


def test_of_several_sheets_the_one_with_a_header_is_read_and_the_others_are_told() -> None:
    table = read_table(book([["填写说明"]], [HEAD, WANG], [HEAD, LI]))
    assert [row.cells[0] for row in table.rows] == ["王芳"]
    assert table.notes == ("文件里有几张工作表，只读了“表2”；“表1”、“表3”没有读。要导入的话，请另存成单独的文件。",)
    assert read_table(book([[]], [HEAD, WANG])).notes == ()


def test_what_stands_in_cells_put_together_over_rows_holds_for_each_of_them() -> None:
    assert [one.fields for one in parse_contacts(book([HEAD, WANG, LI, ["赵一", "13900139001", "浦西店"]], merged="C2:C3")).contacts] == [
        {"门店": "浦东店"}, {"门店": "浦东店"}, {"门店": "浦西店"},
    ]  # fmt: skip


def test_a_column_without_a_name_that_holds_something_is_told() -> None:
    table = read_table(book([["姓名", None, "手机号"], ["王", "芳", "13800138000"]], merged="A1:B1"))
    assert "第 2 列没有表头" in table.notes[0]
    assert read_table(book([["姓名", None, "手机号"], ["王芳", None, "13800138000"]])).notes == ()


def test_a_hundred_and_twenty_columns_are_taken_and_two_hundred_and_fifty_told() -> None:
    def wide(count: int) -> bytes:
        return book([["姓名", "手机号", *(f"列{n}" for n in range(count - 2))], ["王芳", "13800138000", *["值"] * (count - 2)]])

    assert len(parse_contacts(wide(120)).contacts[0].fields) == 118
    with pytest.raises(ContactsFileError, match="超过 200 列"):
        read_table(wide(250))
