"""Figures as spreadsheets (openpyxl). A customer's words are always text: never a formula, whatever they begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from followup.figures.paper import Paper
from followup.figures.survey import (
    Counted,
    CountedBlock,
    FilledForm,
    Said,
    SurveyFigures,
)
from followup.figures.talks import shown_percent
from followup.figures.workshop import GroupRates, Rate, RatesFigures

_LINE = Side(style="thin")
_FRAME = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_WRAP = Alignment(wrap_text=True, vertical="center")
_MIDDLE = Alignment(wrap_text=True, vertical="center", horizontal="center")
_WIDTHS = (18, 30, 18, 18, 18)
_LAST = len(_WIDTHS)
_LINE_HEIGHT = 18


def save_survey(figures: SurveyFigures, period: str, path: Path | BinaryIO) -> None:
    """The form, its figures as numbers, and every customer's form in a line. Raises OSError."""
    book = Workbook()
    form_sheet = book.active
    assert form_sheet is not None
    form_sheet.title = "统计表"
    _survey_form(form_sheet, figures, period)
    _rows(book.create_sheet("数据"), _survey_numbers(figures))
    _rows(book.create_sheet("逐户明细"), _survey_customers(figures))
    book.save(path)


def save_rates(figures: RatesFigures, period: str, path: Path | BinaryIO) -> None:
    """落实度 and 满意度 per item, in total and per station. Raises OSError."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "统计"
    columns = ["题号", "项目", "类别", "结果（%）", "平均分", "作答", "否／低分", "未作答", "未问到"]
    total = figures.total
    rows = [_rate(rate) for rate in (*figures.items, total.carried_out, total.satisfaction)]
    _rows(sheet, [[f"{figures.form.title}（{period}，共{total.talks}份）"], columns, *rows], heads=2)
    groups = [[figures.form.by_label, "份数", "落实度（%）", "满意度（%）"], *map(_group, (*figures.groups, total))]
    _rows(book.create_sheet(f"按{figures.form.by_label}"), groups)
    book.save(path)


def save_paper(paper: Paper, path: Path | BinaryIO) -> None:
    """Each block below the other on one sheet. Raises OSError."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = re.sub(r"[\[\]:*?/\\\\]", " ", paper.title)[:31]
    columns = max(len(block.columns) for block in paper.blocks)
    for column in range(1, columns + 1):
        # A column is as wide as the widest that stands in it; a millimetre is about half a character.
        widths = [block.widths[column - 1] / 2 for block in paper.blocks if len(block.widths) >= column]
        sheet.column_dimensions[get_column_letter(column)].width = max(widths, default=20)
    sheet.page_setup.orientation = "landscape" if paper.landscape else "portrait"
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr = 0, PageSetupProperties(fitToPage=True)
    _put(sheet, 1, 1, paper.title, to=columns, how=_MIDDLE, bold=True, frame=False)
    _put(sheet, 2, 1, paper.subtitle, to=columns, how=_MIDDLE, frame=False)
    row = 3
    for block in paper.blocks:
        if block.title:
            _put(sheet, row + 1, 1, block.title, to=columns, bold=True, frame=False)
            row += 2
        for cells, bold in ((block.columns, True), *((cells, False) for cells in block.rows)):
            for column, value in enumerate(cells, 1):
                _put(sheet, row, column, value, bold=bold)
            row += 1
        if block.note:
            _put(sheet, row, 1, block.note, to=columns, frame=False)
            row += 1
    if paper.signatures:
        _put(sheet, row + 1, 1, "　　　　".join(f"{one}：" for one in paper.signatures), to=columns, frame=False)
    book.save(path)


def _survey_form(sheet: Worksheet, figures: SurveyFigures, period: str) -> None:
    """The document's own form: its rows and columns, with counts in the boxes, or ticks when there is one form only."""
    form = figures.form
    only = figures.filled[0] if figures.forms == 1 else None
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    row = _wide(sheet, 1, 1, f"{form.title}", _MIDDLE, bold=True)
    row = _pair(sheet, row, "编号", only.number if only else f"{period}，共{figures.forms}份", 3)
    _put(sheet, row - 1, 4, "　".join(_box(figures, only, box) for box in form.boxes), to=_LAST)
    row = _header(sheet, row, figures, only)
    for block, reason in zip(figures.blocks, _block_reasons(figures, only), strict=True):
        row = _block(sheet, row, figures, block, only, reason)
    comments = only.comments if only else _listed(figures.comments)
    row = _pair(sheet, row, form.comments_label, comments, _LAST)
    if only is None:
        _wide(sheet, row, 1, _note(figures), _WRAP)


def _header(sheet: Worksheet, row: int, figures: SurveyFigures, only: FilledForm | None) -> int:
    """客户名称 | 地址, 联系人 | 电话, and the last field over the whole width."""
    fields = [(field.label, only.header[n][1] if only else "见“逐户明细”") for n, field in enumerate(figures.form.header)]
    while len(fields) >= 2:
        (left, left_value), (right, right_value), *fields = fields
        _put(sheet, row, 1, left)
        _put(sheet, row, 2, left_value)
        _put(sheet, row, 3, right)
        _put(sheet, row, 4, right_value, to=_LAST)
        row += 1
    for label, value in fields:
        row = _pair(sheet, row, label, value, _LAST)
    return row


def _block(
    sheet: Worksheet, row: int, figures: SurveyFigures, block: CountedBlock, only: FilledForm | None, reason: str
) -> int:
    first = row
    ids = list(figures.form.blocks[figures.blocks.index(block)].items)
    lines = list(zip(block.items, ids, strict=True)) + ([] if only else [(block.total, "")])
    for counted, item in lines:
        _put(sheet, row, 2, counted.label)
        for column, value in enumerate(figures.form.values, 3):
            ticked = "☑" if only and only.values[item] == value else "□"
            text = f"{ticked}{value}" if only else f"{value}　{counted.counts[value]}（{shown_percent(counted.share(value))}）"
            _put(sheet, row, column, text)
        row += 1
    _put(sheet, row, 2, f"不满意原因：{reason}", to=_LAST, lines=1 + reason.count("\n"))
    _put(sheet, first, 1, block.title, down_to=row)
    return row + 1


def _block_reasons(figures: SurveyFigures, only: FilledForm | None) -> Sequence[str]:
    return only.reasons if only else [_listed(block.reasons) for block in figures.blocks]


def _listed(said: Sequence[Said]) -> str:
    return "\n".join(
        f"{n}．{one.customer}{f'（{one.about}）' if one.about else ''}：{one.words}" for n, one in enumerate(said, 1)
    )


def _box(figures: SurveyFigures, only: FilledForm | None, box: str) -> str:
    if only is not None:
        return f"{'☑' if only.box == box else '□'}{box}"
    return f"{box} {figures.boxes[box]}份"


def _note(figures: SurveyFigures) -> str:
    passed = sum(block.total.passed for block in figures.blocks)
    not_asked = sum(block.total.not_asked for block in figures.blocks)
    return f"说明：百分比按作答的份数计算。未作答{passed}项次，谈话提前结束没有问到{not_asked}项次，都不计入百分比。"


def _survey_numbers(figures: SurveyFigures) -> list[list[Any]]:
    values = figures.form.values
    rows: list[list[Any]] = [["项目", "", *values, *(f"{v}（%）" for v in values), "作答", "未作答", "未问到"]]
    for block in figures.blocks:
        rows += [[block.title, *_numbers(counted, values)] for counted in (*block.items, block.total)]
    return rows


def _numbers(counted: Counted, values: Sequence[str]) -> list[Any]:
    shares = (counted.share(value) for value in values)
    counts = (counted.counts[value] for value in values)
    return [counted.label, *counts, *shares, counted.answered, counted.passed, counted.not_asked]


def _survey_customers(figures: SurveyFigures) -> list[list[Any]]:
    form = figures.form
    items = [(item, label) for block in form.blocks for item, label in block.items.items()]
    head = ["编号", *(field.label for field in form.header), "业务类别", *(label for _, label in items)]
    head += [f"{block.title}：不满意原因" for block in form.blocks] + ["其他意见、要求或建议"]
    rows: list[list[Any]] = [head]
    for one in figures.filled:
        answers = [one.values[item] for item, _ in items]
        rows.append([one.number, *(value for _, value in one.header), one.box, *answers, *one.reasons, one.comments])
    return rows


def _rate(rate: Rate) -> list[Any]:
    kind = "落实度" if rate.kind == "yes" else "满意度"
    counts = (rate.answered, rate.low, rate.passed, rate.not_asked)
    return [rate.number, rate.label, kind, rate.percent, rate.mean, *counts]


def _group(group: GroupRates) -> list[Any]:
    return [group.name, group.talks, group.carried_out.percent, group.satisfaction.percent]


def _rows(sheet: Worksheet, rows: Sequence[Sequence[Any]], heads: int = 1) -> None:
    """A plain table; the first rows are its head."""
    for r, cells in enumerate(rows, 1):
        for c, value in enumerate(cells, 1):
            _put(sheet, r, c, value, bold=r <= heads, frame=False)
    for column in range(1, max(map(len, rows)) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 16
    sheet.freeze_panes = f"A{heads + 1}"


def _wide(sheet: Worksheet, row: int, column: int, text: str, how: Alignment, bold: bool = False) -> int:
    _put(sheet, row, column, text, to=_LAST, how=how, bold=bold)
    return row + 1


def _pair(sheet: Worksheet, row: int, label: str, value: str, to: int) -> int:
    _put(sheet, row, 1, label)
    _put(sheet, row, 2, value, to=to, lines=1 + value.count("\n"))
    return row + 1


def _put(
    sheet: Worksheet,
    row: int,
    column: int,
    value: Any,
    *,
    to: int = 0,
    down_to: int = 0,
    how: Alignment = _WRAP,
    bold: bool = False,
    frame: bool = True,
    lines: int = 1,
) -> None:
    """A value in a cell, or in one merged up to column `to` and row `down_to`."""
    cell = sheet.cell(row, column)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
    cell.alignment = how
    if bold:
        cell.font = Font(bold=True)
    last_row, last_column = max(row, down_to), max(column, to)
    if frame:
        for r in range(row, last_row + 1):
            for c in range(column, last_column + 1):
                sheet.cell(r, c).border = _FRAME
    if (last_row, last_column) != (row, column):
        sheet.merge_cells(start_row=row, start_column=column, end_row=last_row, end_column=last_column)
    if lines > 1:  # merged cells do not grow by themselves
        sheet.row_dimensions[row].height = _LINE_HEIGHT * lines
