"""The comparison as tables in docs/understanding.md and docs/zh/understanding.md, between two marks."""

from __future__ import annotations

from datetime import date
import os
import platform
from pathlib import Path
from typing import Mapping, Sequence

from bench.understanding import frozen
from bench.understanding.catalogue import BY_NAME
from bench.understanding.figures import Outcome, quality
from bench.understanding.frozen import Reply
from followup.settings import PROJECT_DIR

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

PAGES: Mapping[str, Path] = {
    "en": PROJECT_DIR / "docs" / "understanding.md",
    "zh": PROJECT_DIR / "docs" / "zh" / "understanding.md",
}

_HEADS = {
    "en": ("system", "accuracy", "macro accuracy", "macro F1", "ECE"),
    "zh": ("方案", "准确率", "宏平均准确率", "宏平均 F1", "校准误差"),
}
_COSTS = {
    "en": ("system", "parse p50 (ms)", "parse p95 (ms)", "training (s)", "of it processor (s)", "memory (MB)", "note"),
    "zh": ("方案", "解析 p50（毫秒）", "解析 p95（毫秒）", "训练（秒）", "其中处理器（秒）", "内存（MB）", "备注"),
}
_LINES = {"en": "lines", "zh": "句"}
_MIXED = {"en": " + this pipeline, averaged", "zh": "与本项目流水线取平均"}


def table(outcomes: Mapping[str, Outcome], language: str) -> str:
    """All figures in Markdown: one table for each frozen set, one for the costs."""
    replies = frozen.read_all()
    parts = [_set_table(name, replies, outcomes, language) for name in frozen.SETS]
    return "\n\n".join([*parts, _cost_table(outcomes, language)])


def _set_table(name: str, replies: Sequence[Reply], outcomes: Mapping[str, Outcome], language: str) -> str:
    places = [place for place, reply in enumerate(replies) if reply.origin == name]
    asked = [replies[place] for place in places]
    registers = sorted({reply.register for reply in asked})
    lines = [_row([*_HEADS[language], *registers]), "|---" + "|---:" * (4 + len(registers)) + "|"]
    for system, outcome in outcomes.items():
        found = quality(asked, [outcome.rankings[place] for place in places])
        shares = [found.accuracy, found.macro_accuracy, found.macro_f1, found.calibration_error]
        shares += [found.by_register[register] for register in registers]
        lines.append(_row([_label(system, language), *(f"{share:.3f}" for share in shares)]))
    return "\n".join([f"**{name}.tsv**, {len(asked)} {_LINES[language]}", "", *lines])


def _cost_table(outcomes: Mapping[str, Outcome], language: str) -> str:
    lines = [_row(_COSTS[language]), "|---" + "|---:" * 5 + "|---|"]
    for system, outcome in outcomes.items():
        figures = [f"{outcome.p50:.2f}", f"{outcome.p95:.2f}"]
        figures += ["" if value is None else f"{value:.0f}" for value in (outcome.train_wall, outcome.train_cpu, outcome.memory)]
        lines.append(_row([_label(system, language), *figures, _told(outcome.told, language)]))
    return "\n".join(lines)


def _label(system: str, language: str) -> str:
    name, plus, _ = system.partition("+")
    label = BY_NAME[name].label_zh if language == "zh" else BY_NAME[name].label
    return label + _MIXED[language] if plus else label


def _told(told: str, language: str) -> str:
    if language == "en":
        return told
    return told.replace(" of ", " / ").replace(" epochs in ", " 轮，用时 ").replace(" epochs", " 轮").replace(" min", " 分钟")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(outcomes: Mapping[str, Outcome], stale: Sequence[str]) -> None:
    """Put the tables between the marks of both pages; the rest of a page is written by hand.

    Raises ValueError when results of different examples would stand in one table.
    """
    if stale:
        raise ValueError(f"trained on other examples than now: {', '.join(stale)}; run them again first")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    for language, path in PAGES.items():
        head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        _, _, tail = rest.partition(END)
        body = f"{date.today().isoformat()}, {machine}.\n\n{table(outcomes, language)}"
        path.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")
