"""Figures for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from followup.figures.paper import Paper
from followup.figures.survey import Counted, Said, SurveyFigures
from followup.figures.talks import shown_percent
from followup.figures.workshop import Rate, RatesFigures


def survey_text(figures: SurveyFigures, period: str) -> str:
    """The statistics form in lines."""
    form = figures.form
    lines = [f"{form.title}（{period}，共{figures.forms}份）"]
    lines.append("　".join(f"{box}{count}份" for box, count in figures.boxes.items()))
    for block in figures.blocks:
        lines += ["", block.title]
        rows = [_counted(item, form.values) for item in (*block.items, block.total)]
        lines += _table([["", *form.values, "未作答", "未问到"], *rows])
        lines += [f"  不满意原因：{'' if block.reasons else '无'}", *_said(block.reasons)]
    lines += ["", f"{form.comments_label}{'' if figures.comments else '无'}", *_said(figures.comments)]
    return "\n".join(lines) + "\n"


def rates_text(figures: RatesFigures, period: str) -> str:
    """落实度 and 满意度 in lines: per item, in total, per station."""
    form = figures.form
    lines = [f"{form.title}（{period}，共{figures.total.talks}份）", ""]
    rows = [[f"{rate.number} {rate.label}", *_rate(rate)] for rate in figures.items]
    rows += [[rate.label, *_rate(rate)] for rate in (figures.total.carried_out, figures.total.satisfaction)]
    lines += _table([["", "结果", "平均分", "作答", "否／低分", "未作答", "未问到"], *rows])
    lines += ["", f"按{form.by_label}："]
    groups = [
        [group.name, str(group.talks), shown_percent(group.carried_out.percent), shown_percent(group.satisfaction.percent)]
        for group in figures.groups
    ]
    lines += _table([["", "份数", "落实度", "满意度"], *groups])
    return "\n".join(lines) + "\n"


def paper_text(paper: Paper) -> str:
    """A report in lines."""
    lines = [f"{paper.title}（{paper.subtitle}）"]
    for block in paper.blocks:
        lines += ["", block.title] if block.title else [""]
        if block.rows:
            lines += _table([block.columns, *([_cell(value) for value in row] for row in block.rows)])
        lines += [f"  {block.note}"] if block.note else []
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("\n", " ")


def _counted(counted: Counted, values: Sequence[str]) -> list[str]:
    cells = [f"{counted.counts[value]}（{shown_percent(counted.share(value))}）" for value in values]
    return [counted.label, *cells, str(counted.passed), str(counted.not_asked)]


def _rate(rate: Rate) -> list[str]:
    mean = "" if rate.mean is None else f"{rate.mean:g}"
    counts = (rate.answered, rate.low, rate.passed, rate.not_asked)
    return [shown_percent(rate.percent), mean, *map(str, counts)]


def _said(said: Sequence[Said]) -> Iterator[str]:
    for one in said:
        about = f"（{one.about}）" if one.about else ""
        yield f"    {one.customer}{about}：{one.words}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side; a Chinese character is two columns wide."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
