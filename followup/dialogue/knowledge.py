"""Answers to what customers ask about the business: data/knowledge/*.yml, written by people who do not program."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from followup.scripts.typography import polish_all

KNOWLEDGE_DIR = Path(__file__).resolve().parents[2] / "data" / "knowledge"


def known_answer(intent: str, trade: str) -> str | None:
    """The answer to `faq/<topic>` in a talk of this trade; None when nobody wrote one, and then nothing is guessed."""
    entry = _entries().get(intent.partition("/")[2])
    if entry is None or trade not in entry.get("trades", [trade]):
        return None
    return entry["say"]


@lru_cache(maxsize=1)
def _entries() -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted(KNOWLEDGE_DIR.glob("*.yml")):
        entries.update(polish_all(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}))
    return entries
