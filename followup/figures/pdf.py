"""Forms as PDF (reportlab; docs/decisions/0010). The Chinese font is one that every PDF reader brings: no file is needed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import black, grey
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import (
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from followup.figures.paper import Block, Paper
from followup.figures.survey import FilledForm, Said, SurveyFigures
from followup.figures.talks import shown_percent

FONT = "STSong-Light"
MOST_ROWS = 3000
"""Rows in one document; more take minutes and nobody reads them on paper."""
_MARGIN = 14 * mm
_LONGEST = 4000
_LONGEST_CELL, _MOST_LINES = 500, 8
"""Of a list that stands in the form itself."""


class TooLong(ValueError):
    """There are more rows than a PDF should have."""


def paper_pdf(paper: Paper) -> bytes:
    """The paper as A4. Raises TooLong."""
    if paper.rows > MOST_ROWS:
        raise TooLong(paper.rows)
    parts: list[Any] = [_text(paper.title, "title"), _text(paper.subtitle, "subtitle")]
    width = _width(paper.landscape)
    for block in paper.blocks:
        parts += _block(block, width)
    if paper.signatures:
        parts += [Spacer(1, 10 * mm), _text("　　　　　　　　".join(f"{one}：" for one in paper.signatures), "plain")]
    return _built(parts, paper.title, paper.landscape)


def survey_pdf(figures: SurveyFigures, period: str) -> bytes:
    """The document's own form: its rows and columns, with counts in the boxes, or ticks when there is one form only.

    Raises TooLong.
    """
    form, only = figures.form, figures.filled[0] if figures.forms == 1 else None
    rows: list[list[str]] = []
    spans: list[tuple[Any, ...]] = []

    def put(cells: Sequence[str], *merged: tuple[int, int]) -> None:
        spans.extend(("SPAN", (begin, len(rows)), (end, len(rows))) for begin, end in merged)
        rows.append([*cells, *[""] * (5 - len(cells))])

    def listed(title: str, said: Sequence[Said]) -> str:
        """What was said, or where it stands: a row cannot be divided where cells are merged."""
        text = "\n".join(f"{n}．{one.customer}{f'（{one.about}）' if one.about else ''}：{one.words}" for n, one in enumerate(said, 1))
        if len(text) <= _LONGEST_CELL and len(said) <= _MOST_LINES:
            return text
        rows = [(n, one.customer, one.about, one.words) for n, one in enumerate(said, 1)]
        behind.append(Block(title, ("", "客户", "项目", "原话"), rows, (10, 30, 46, 96)))
        return f"共{len(said)}条，见附页。"

    behind: list[Block] = []
    boxes = "　".join(_box(figures, only, box) for box in form.boxes)
    put(["编号", only.number if only else f"{period}，共{figures.forms}份", "", boxes], (1, 2), (3, 4))
    fields = [(field.label, only.header[n][1] if only else "见逐户明细") for n, field in enumerate(form.header)]
    for left, right in zip(fields[:-1:2], fields[1:-1:2], strict=False):
        put([*left, "", *right], (1, 2))
    put(fields[-1], (1, 4))
    for number, block in enumerate(figures.blocks):
        first = len(rows)
        for item, counted in zip(form.blocks[number].items, block.items, strict=True):
            put([block.title, counted.label, *(_mark(counted, value, only, item) for value in form.values)])
        if only is None:
            put([block.title, "小计", *(_mark(block.total, value, None, "") for value in form.values)])
        reasons = only.reasons[number] if only else listed(f"{block.title}：不满意原因", block.reasons)
        put([block.title, f"不满意原因：{reasons[:_LONGEST_CELL]}"], (1, 4))
        spans.append(("SPAN", (0, first), (0, len(rows) - 1)))
    comments = only.comments if only else listed(form.comments_label, figures.comments)
    put([form.comments_label, comments[:_LONGEST_CELL]], (1, 4))
    widths = [34 * mm, 52 * mm, 32 * mm, 32 * mm, 32 * mm]
    cells = [[_text(cell, "cell") for cell in row] for row in rows]
    table = LongTable(cells, widths, style=TableStyle([*_GRID, *spans]))
    parts = [_text(form.title, "title"), table]
    if only is None:
        parts.append(_text("百分比按作答的份数计算；未作答和没有问到的不计入。", "note"))
    if sum(len(block.rows) for block in behind) > MOST_ROWS:
        raise TooLong(MOST_ROWS)
    for block in behind:
        parts += [Spacer(1, 4 * mm), *_block(block, _width(False))]
    return _built(parts, form.title, False)


def _mark(counted: Any, value: str, only: FilledForm | None, item: str) -> str:
    if only is not None:
        return f"{'☑' if only.values.get(item) == value else '□'}{value}"
    return f"{value}　{counted.counts[value]}（{shown_percent(counted.share(value))}）"


def _box(figures: SurveyFigures, only: FilledForm | None, box: str) -> str:
    return f"{'☑' if only.box == box else '□'}{box}" if only else f"{box} {figures.boxes[box]}份"


_GRID = [
    ("GRID", (0, 0), (-1, -1), 0.5, black),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]


def _block(block: Block, width: float) -> list[Any]:
    parts: list[Any] = [_text(block.title, "heading")] if block.title else []
    if block.rows:
        widths = [one * mm for one in block.widths] or [width / len(block.columns)] * len(block.columns)
        scale = min(1.0, width / sum(widths))
        cells = [[_text(one, "head") for one in block.columns], *([_text(_shown(one), "cell") for one in row] for row in block.rows)]
        parts.append(LongTable(cells, [one * scale for one in widths], repeatRows=1, splitInRow=1, style=TableStyle(_GRID)))
    if block.note:
        parts.append(_text(block.note, "note"))
    return [*parts, Spacer(1, 4 * mm)]


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _text(text: str, style: str) -> Paragraph:
    # The font knows the basic plane; what it does not (emoji) becomes a box rather than an error.
    clean = "".join(char if " " <= char <= "\uffff" and not "\ud800" <= char <= "\udfff" else "\n" if char == "\n" else "□" for char in text[:_LONGEST])
    clean = clean.replace("☑", "■")
    return Paragraph(escape(clean).replace("\n", "<br/>"), _styles()[style])


@cache
def _styles() -> dict[str, ParagraphStyle]:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    base = ParagraphStyle("cell", fontName=FONT, fontSize=9, leading=13, wordWrap="CJK")
    return {
        "cell": base,
        "plain": ParagraphStyle("plain", base, fontSize=10, leading=15),
        "head": ParagraphStyle("head", base, alignment=TA_CENTER),
        "title": ParagraphStyle("title", base, fontSize=17, leading=24, alignment=TA_CENTER, spaceAfter=2 * mm),
        "subtitle": ParagraphStyle("subtitle", base, fontSize=10, leading=15, alignment=TA_CENTER, spaceAfter=4 * mm),
        "heading": ParagraphStyle("heading", base, fontSize=12, leading=18, spaceBefore=2 * mm, spaceAfter=1.5 * mm, keepWithNext=1),
        "note": ParagraphStyle("note", base, textColor=grey, spaceBefore=1 * mm),
    }


def _width(wide: bool) -> float:
    return (landscape(A4) if wide else A4)[0] - 2 * _MARGIN


def _built(parts: list[Any], title: str, wide: bool) -> bytes:
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=landscape(A4) if wide else A4, leftMargin=_MARGIN, rightMargin=_MARGIN,
        topMargin=_MARGIN, bottomMargin=_MARGIN, title=title, author="",
    )  # fmt: skip
    document.build(parts, onFirstPage=_page_number, onLaterPages=_page_number)
    return out.getvalue()


def _page_number(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawCentredString(document.pagesize[0] / 2, 7 * mm, f"第 {canvas.getPageNumber()} 页")
