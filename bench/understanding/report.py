"""`python -m bench.understanding.report`: what this pipeline understands, beside DIET, as HTML and Markdown with pictures.

Reads the results that `python -m bench.understanding` keeps and writes var/understanding/report.{html,md} and two SVG files.
The worst lines are of the frozen sets: they are for judging, never for training.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Sequence

from bench.understanding import frozen, pages, pictures
from bench.understanding.__main__ import KEPT, kept_outcomes
from bench.understanding.catalogue import DIET, OURS
from bench.understanding.figures import Outcome, by_intent
from bench.understanding.frozen import Reply

_WORST = 60

Table = list[list[str]]
"""Rows of cells, the first one the head."""


def main() -> None:
    outcomes, stale = kept_outcomes()
    if OURS not in outcomes:
        raise SystemExit("run `python -m bench.understanding --only followup` first")
    replies = frozen.read_all()
    ours, other = outcomes[OURS], outcomes.get(DIET)
    curves = {each.label: (replies, each.rankings) for each in (ours, other) if each is not None}
    confusions, calibration = pictures.confusions(replies, ours.rankings), pictures.calibration(curves)
    tables = {"Each intent": intents_table(replies, ours, other), "Worst lines": worst_table(replies, ours)}
    summary = pages.table(outcomes, "en") + (f"\n\nOf other examples than now: {', '.join(stale)}." if stale else "")
    (KEPT / "confusions.svg").write_text(confusions, encoding="utf-8")
    (KEPT / "calibration.svg").write_text(calibration, encoding="utf-8")
    _markdown(KEPT / "report.md", summary, tables)
    _html(KEPT / "report.html", summary, (confusions, calibration), tables)
    print(f"{KEPT / 'report.html'}\n{KEPT / 'report.md'}")


def intents_table(replies: Sequence[Reply], ours: Outcome, other: Outcome | None) -> Table:
    """Precision, recall and F1 of every intent, the weakest first; DIET's F1 beside it where DIET was run."""
    theirs = {each.intent: f"{each.f1:.2f}" for each in by_intent(replies, other.rankings)} if other else {}
    rows = sorted(by_intent(replies, ours.rankings), key=lambda each: each.f1)
    head = ["intent", "lines", "precision", "recall", "F1", "F1 of DIET"]
    return [head] + [
        [r.intent, str(r.lines), f"{r.precision:.2f}", f"{r.recall:.2f}", f"{r.f1:.2f}", theirs.get(r.intent, "")] for r in rows
    ]


def worst_table(replies: Sequence[Reply], ours: Outcome) -> Table:
    """The lines misunderstood with the greatest confidence."""
    wrong = [(reply, ranking[0]) for reply, ranking in zip(replies, ours.rankings) if ranking[0][0] != reply.intent]
    wrong.sort(key=lambda pair: -pair[1][1])
    rows = [[r.text, r.origin, r.register, r.intent, name, f"{sure:.2f}"] for r, (name, sure) in wrong[:_WORST]]
    return [["reply", "set", "register", "meant", "understood", "confidence"], *rows]


def _markdown(path: Path, summary: str, tables: dict[str, Table]) -> None:
    parts = ["# Understanding", summary, "![confusions](confusions.svg)", "![calibration](calibration.svg)"]
    for title, (head, *rows) in tables.items():
        lines = [head, ["---"] * len(head), *rows]
        body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)
        parts.append(f"## {title}\n\n{body}")
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _html(path: Path, summary: str, images: Sequence[str], tables: dict[str, Table]) -> None:
    parts = ["<!doctype html><meta charset=utf-8><title>Understanding</title><h1>Understanding</h1>"]
    parts += [f"<pre>{escape(summary)}</pre>", *(f"<figure>{image}</figure>" for image in images)]
    for title, (head, *rows) in tables.items():
        parts.append(f"<h2>{escape(title)}</h2><table border=1 cellspacing=0 cellpadding=3>{_tr(head, 'th')}")
        parts += [*(_tr(row, "td") for row in rows), "</table>"]
    path.write_text("\n".join(parts), encoding="utf-8")


def _tr(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


if __name__ == "__main__":
    main()
