"""The comparison as tables in docs/understanding.md and docs/zh/understanding.md, between two marks."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path
from typing import Mapping, Sequence

from bench.understanding import frozen
from bench.understanding.catalogue import BY_NAME, OURS
from bench.understanding.figures import Outcome, by_intent, quality
from bench.understanding.frozen import Reply
from followup.nlu import NOT_UNDERSTOOD_BELOW
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
_THRESHOLD = {
    "en": ("threshold", "outside the business, caught", "of it by the confidence alone", "understood rightly, but lost"),
    "zh": ("阈值", "业务以外的话被挡下", "其中单凭置信度挡下", "本来听对、却被挡下"),
}
_WEAKEST = {
    "en": ("set", "weakest intents", "lines", "precision", "recall", "F1"),
    "zh": ("测试集", "最弱的意图", "句数", "精确率", "召回率", "F1"),
}
_THRESHOLDS = (0.25, 0.35, NOT_UNDERSTOOD_BELOW, 0.55, 0.65)
_OUTSIDE = "out_of_scope"
_SHOWN = 6
_LINES = {"en": "lines", "zh": "句"}
_STALE_HEAD = {"en": "Trained before the last examples came: {}.", "zh": "以下方案训练在先，最后一批语料还没有加进来：{}。"}
_STALE = {"en": "{} ({} examples)", "zh": "{}（{} 句）"}
_JOIN = {"en": ", ", "zh": "、"}
_MIXED = {"en": " + this pipeline, averaged", "zh": "与本项目流水线取平均"}


def table(outcomes: Mapping[str, Outcome], language: str) -> str:
    """All figures in Markdown: one table for each frozen set, one for the costs."""
    replies = frozen.read_all()
    parts = [_set_table(name, replies, outcomes, language) for name in frozen.SETS]
    parts.append(_cost_table(outcomes, language))
    if OURS in outcomes:
        parts += [_threshold_table(replies, outcomes[OURS], language), _weakest(replies, outcomes[OURS], language)]
    return "\n\n".join(parts)


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


def _threshold_table(replies: Sequence[Reply], outcome: Outcome, language: str) -> str:
    """What is outside the business, caught by its own intent or by a low confidence, against what is lost of the rest."""
    lines = [_row(_THRESHOLD[language]), "|---:" * 4 + "|"]
    pairs = [(reply.intent, ranking[0]) for reply, ranking in zip(replies, outcome.rankings)]
    outside = [guess for intent, guess in pairs if intent == _OUTSIDE]
    inside = [guess for intent, guess in pairs if intent != _OUTSIDE and guess[0] == intent]
    for threshold in _THRESHOLDS:
        caught = sum(name == _OUTSIDE or confidence < threshold for name, confidence in outside) / len(outside)
        low = sum(confidence < threshold for _, confidence in outside) / len(outside)
        lost = sum(confidence < threshold for _, confidence in inside) / len(inside)
        now = "**" if threshold == NOT_UNDERSTOOD_BELOW else ""
        lines.append(_row([f"{now}{threshold:.2f}{now}", f"{caught:.3f}", f"{low:.3f}", f"{lost:.3f}"]))
    return "\n".join(lines)


def _weakest(replies: Sequence[Reply], outcome: Outcome, language: str) -> str:
    lines = [_row(_WEAKEST[language]), "|---|---|" + "---:|" * 4]
    for name in frozen.SETS:
        places = [place for place, reply in enumerate(replies) if reply.origin == name]
        found = by_intent([replies[place] for place in places], [outcome.rankings[place] for place in places])
        for each in sorted(found, key=lambda intent: intent.f1)[:_SHOWN]:
            figures = [f"{each.precision:.2f}", f"{each.recall:.2f}", f"{each.f1:.2f}"]
            lines.append(_row([f"{name}.tsv", f"`{each.intent}`", str(each.lines), *figures]))
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


def write(outcomes: Mapping[str, Outcome], stale: Mapping[str, int]) -> None:
    """Put the tables between the marks of both pages; the rest of a page is written by hand.

    `stale` are the systems trained on other examples than now, and how many they had: the page says so.
    """
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    for language, path in PAGES.items():
        head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        _, _, tail = rest.partition(END)
        parts = [f"{date.today().isoformat()}, {machine}", table(outcomes, language)]
        if stale:
            names = _JOIN[language].join(_STALE[language].format(_label(name, language), count) for name, count in stale.items())
            parts.append(_STALE_HEAD[language].format(names))
        body = "\n\n".join(parts)
        path.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")
