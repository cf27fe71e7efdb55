"""The forms of a complaint on paper: 客户投诉登记表 and 客户投诉处理单 (58741), as a page and as DOCX. Pure.

What stands on them is in papers.yml; the same rows make the page and the document.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from ruamel.yaml import YAML

from followup.console.labels import label
from followup.console.show import value
from followup.console.tickets.queries import EventRow
from followup.console.tickets.revisit import RevisitView
from followup.console.transcripts.masking import Mask
from followup.settings import SHANGHAI
from followup.store.models import Case, Ticket

NAMES = ("register", "handling")
_FONT = "宋体"
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Box:
    label: str
    text: str
    """Empty: for a pen."""


@dataclass(frozen=True, slots=True)
class Paper:
    title: str
    rows: Sequence[Sequence[Box]]
    """One box takes the whole row, two share it."""


def names() -> list[tuple[str, str]]:
    """(name, title) of every form."""
    return [(name, _file()[name]["title"]) for name in NAMES]


def paper(name: str, facts: Mapping[str, str]) -> Paper:
    """The form filled in. KeyError for a name that is none, or a fact that papers.yml names and `facts` lacks."""
    raw = _file()[name]
    rows = [[Box(title, facts[of] if of else "") for title, of in row] for row in raw["rows"]]
    return Paper(raw["title"], rows)


def facts(
    *,
    ticket: Ticket,
    case: Case,
    customer: str,
    phone: str,
    words: Sequence[str],
    owner: str,
    events: Sequence[EventRow],
    revisit: RevisitView | None,
    mask: Mask,
) -> dict[str, str]:
    """What the forms can hold, as text."""
    wanted = ticket.data.get("wanted") or ticket.data.get("request") or ""
    return {
        "number": f"{ticket.id}",
        "raised": _when(ticket.created_at),
        "customer": customer,
        "phone": phone,
        "channel": "智能助手回访",
        "kind": label(ticket.kind, "ticket_kinds"),
        "severity": label(ticket.severity, "severity"),
        "department": ticket.department,
        "registrar": "智能助手",
        "owner": owner,
        "due": _when(ticket.due_at),
        "status": label(ticket.status, "ticket_status"),
        "words": "\n".join(f"“{word}”" for word in words),
        "wanted": mask(str(wanted)),
        "solution": mask(ticket.solution),
        "solved": _when(ticket.solved_at) if ticket.solved_at else "",
        "closed": _when(ticket.closed_at) if ticket.closed_at else "",
        "history": "\n".join(_event(row, mask) for row in events if row.event.kind != "solved"),
        "revisit": _revisit(revisit),
        "scores": _scores(revisit),
    }


def as_docx(paper: Paper) -> bytes:
    """The form as a Word document, A4."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2)
    section.top_margin = section.bottom_margin = Cm(1.8)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", Pt(10.5)
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _FONT)
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = title.add_run(paper.title)
    run.bold, run.font.size = True, Pt(18)
    document.core_properties.title, document.core_properties.author = paper.title, ""
    table = document.add_table(rows=0, cols=4)
    table.style, table.autofit = "Table Grid", False
    for boxes in paper.rows:
        cells = table.add_row().cells
        for cell, width in zip(cells, (3.2, 5.3, 3.2, 5.3), strict=True):
            cell.width = Cm(width)
        if len(boxes) == 1:
            cells[1].merge(cells[3])
        for number, box in enumerate(boxes):
            cells[2 * number].paragraphs[0].add_run(box.label).bold = True
            cells[2 * number + 1].paragraphs[0].add_run(_NO_XML.sub("", box.text) or "\n" * (len(boxes) == 1))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _when(at: datetime) -> str:
    """With the year: paper is kept."""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _event(row: EventRow, mask: Mask) -> str:
    event, detail = row.event, row.event.detail
    text = str(detail.get("text") or detail.get("reason") or "")
    what = f"{_when(event.at)}，{row.who or '系统'}{label(event.kind, 'ticket_events')}"
    if event.kind == "assigned":
        what += f"给{detail.get('after', '')}"
    return what + (f"：{mask(text)}" if text else "。")


def _revisit(revisit: RevisitView | None) -> str:
    if revisit is None:
        return ""
    if revisit.status == "closed":
        return label(revisit.outcome, "outcomes")
    return f"应在 {_when(revisit.until)} 以前"


def _scores(revisit: RevisitView | None) -> str:
    if revisit is None:
        return ""
    first = value(revisit.first) if revisit.first else "没有评价"
    return f"处理以前：{first}\n处理以后：{value(revisit.second) if revisit.second is not None else ''}"


@cache
def _file() -> Any:
    return YAML(typ="safe").load(Path(__file__).with_name("papers.yml").read_text(encoding="utf-8"))
