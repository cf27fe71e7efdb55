"""客户回访记录表 (63714 第六条): a line for each talk with exactly the document's seven columns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from followup.figures.forms import FORMS_DIR
from followup.figures.paper import Block, Paper
from followup.settings import SHANGHAI

_LONGEST = 600
_LOW = ("不满意", "非常不满意")
_FEELINGS = ("非常满意", "很满意", "满意", "一般", *_LOW)


@dataclass(frozen=True)
class TicketRecord:
    kind: str
    """As shown: 投诉, 不满意 …"""
    words: str
    department: str
    status: str
    solution: str


@dataclass(frozen=True)
class TalkRecord:
    """What is known of one talk when the form is filled in."""

    customer: str
    phone: str
    fields: Mapping[str, Any]
    outcome: str
    """As shown: 完成, 拒访 …; empty while there is none."""
    reason: str
    """The customer's words for it."""
    answers: Sequence[tuple[Any, str, bool]] = ()
    """(value, words, whether it is a reason or an improvement asked for) of valid answers, in order."""
    tickets: Sequence[TicketRecord] = ()
    notes: Sequence[str] = field(default=())
    """What was answered or noted for a colleague."""
    at: datetime | None = None
    seconds: float | None = None
    next: datetime | None = None


@cache
def form() -> Mapping[str, Any]:
    return YAML(typ="safe").load((FORMS_DIR / "general" / "visit_record.yml").read_text(encoding="utf-8"))


def record_paper(talks: Iterable[TalkRecord], period: str) -> Paper:
    """The form over all talks."""
    columns = form()["columns"]
    rows = [[_cell(talk, column["of"]) for column in columns] for talk in talks]
    block = Block(
        "", tuple(column["label"] for column in columns), rows, tuple(column["width"] for column in columns),
        note="" if rows else "这段时间没有回访。",
    )  # fmt: skip
    return Paper(form()["title"], f"{period}，共{len(rows)}次", (block,), landscape=True)


def _cell(talk: TalkRecord, of: str) -> str:
    if of == "phone":
        return talk.phone
    if of == "name":
        return talk.customer
    if of == "work":
        return next((text for name in form()["work"] if (text := str(talk.fields.get(name) or "").strip())), "")
    text = {"attitude": attitude, "answer": answer, "held": held, "next": lambda one: moment(one.next)}[of](talk)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def attitude(talk: TalkRecord) -> str:
    """How many items satisfied and how many did not; what was wrong, in the customer's words; why there was no talk."""
    given = [value for value, _, asked in talk.answers if not asked and value in _FEELINGS]
    counts = [f"{feeling}{given.count(feeling)}项" for feeling in _FEELINGS if feeling in given]
    scores = [value for value, _, _ in talk.answers if isinstance(value, (int, float)) and not isinstance(value, bool)]
    problems = [words for value, words, asked in talk.answers if words and (asked or value in _LOW)]
    problems += [one.words for one in talk.tickets if one.words]
    parts = ["、".join(counts)] if counts else []
    if scores:
        parts.append(f"打分{'、'.join(f'{score:g}' for score in scores)}")
    parts += [f"“{words}”" for words in dict.fromkeys(problems)]
    if talk.outcome and not parts:
        parts.append(talk.outcome + (f"：“{talk.reason}”" if talk.reason else ""))
    return "；".join(parts)


def answer(talk: TalkRecord) -> str:
    """What came of it: the outcome, what was answered, to whom it was passed on and what was done."""
    parts = [talk.outcome] if talk.outcome else []
    parts += talk.notes
    for ticket in talk.tickets:
        done = form()["ticket"].get(ticket.status, "{department}").format(department=ticket.department)
        parts.append(f"{ticket.kind}{done}" + (f"：{ticket.solution}" if ticket.solution else ""))
    return "；".join(dict.fromkeys(parts))


def held(talk: TalkRecord) -> str:
    """Date and length; a customer who never came has neither."""
    if talk.at is None or talk.seconds is None:
        return ""
    minutes, seconds = divmod(round(talk.seconds), 60)
    length = f"{minutes}分{seconds}秒" if minutes and seconds else f"{minutes}分钟" if minutes else f"{seconds}秒"
    return f"{moment(talk.at)}，{length}"


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
