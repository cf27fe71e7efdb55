"""The training examples in data/nlu/*.yml, read without Rasa (for evaluation and tests)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable

from ruamel.yaml import YAML

_ANNOTATION = re.compile(r"\[([^\]]+)\](?:\([^)]+\)|\{[^}]+\})")
"""An annotated entity, `[价格](aspect)` or `[价格]{"entity": "aspect"}`."""


@dataclass(frozen=True)
class Example:
    """One sentence and the full name of its intent (`faq/eat_pear`, not `faq`)."""

    text: str
    intent: str


def load_examples(paths: Iterable[Path]) -> list[Example]:
    """Examples of all files, in order. Files may be folders, which are searched for *.yml."""
    examples: list[Example] = []
    for path in _files(paths):
        with path.open(encoding="utf-8") as stream:
            content = YAML(typ="safe", pure=True).load(stream) or {}
        for block in content.get("nlu", []):
            if "intent" in block:
                examples += [Example(text, block["intent"]) for text in _texts(block.get("examples", ""))]
    return examples


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.yml")) if path.is_dir() else [path]


def _texts(examples: str | list[dict[str, Any]]) -> Iterable[str]:
    """The two spellings Rasa knows: a block of lines that begin with a dash, and a list of `text:` entries."""
    if isinstance(examples, str):
        lines = [line[2:] if line.startswith("- ") else "" for line in examples.splitlines()]
    else:
        lines = [str(entry["text"]) for entry in examples]
    for line in lines:
        text = _ANNOTATION.sub(r"\1", line).strip()
        if text:
            yield text
