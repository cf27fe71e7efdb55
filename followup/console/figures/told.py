"""What a list of talks that a figure led to is limited to, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from followup.console.figures import facts
from followup.console.labels import label, labels
from followup.console.transcripts.filters import TalkFilters
from followup.dialogue import aspects


def told(filters: TalkFilters) -> list[str]:
    """A phrase for each filter that the form of the list has no field for."""
    return list(_told(filters))


def _told(filters: TalkFilters) -> Iterator[str]:
    if filters.question:
        yield f"题目“{filters.question}”{_answer(filters.answer)}"
    if filters.reason:
        yield f"原因是“{filters.reason}”"
    if filters.contact:
        yield "只看这位客户"
    if filters.starts in labels()["figure_starts"]:
        yield label(filters.starts, "figure_starts")
    if filters.reached in labels()["figure_reached"]:
        yield label(filters.reached, "figure_reached")
    if filters.why:
        yield f"原因：{label(filters.why, 'refusal_reasons')}"
    if filters.stopped:
        yield "还没有回答就中断" if filters.stopped == facts.BEFORE_ANY else f"答完“{filters.stopped}”以后中断"
    for name in ("length", "said", "wait", "reply"):
        key, names = getattr(filters, name), label(name, "figure_ranges").split("|")
        if key.isascii() and key.isdigit() and int(key) < len(names):
            yield f"{label(name, 'figure_tables').split('|')[0]}：{names[int(key)]}"
    for pair in (facts.pair(filters.group), facts.pair(filters.named)):
        if pair:
            yield f"{pair[0]}：{'没有写明' if pair[1] == facts.MISSING else pair[1]}"
    if filters.aspect:
        yield f"不满意的方面：{aspects.label(filters.aspect)}"


def _answer(answer: str) -> str:
    shown = {"": "问到了", "none": "没有回答", "given": "有内容", "true": "答“是”", "false": "答“否”"}
    return shown.get(answer, f"答“{answer}”")
