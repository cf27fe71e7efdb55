"""The frozen sentences every model is measured by: read without a model, so that the console need not load one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and what it means. `message_id`: it is a customer's, and `text` goes nowhere."""

    text: str
    intent: str
    origin: str
    message_id: int | None = None


def frozen_lines(folder: Path) -> list[Line]:
    """The frozen sentences, nlu/*.tsv: `text<TAB>intent`, headings begin with `# `."""
    found: list[Line] = []
    for path in sorted(folder.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            text, tab, intent = line.partition("\t")
            if tab and not line.startswith("# "):
                found.append(Line(text, intent, path.stem))
    return found
