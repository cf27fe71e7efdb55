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
    entries = _entries().get(intent.partition("/")[2], [])
    return next((entry["say"] for entry in entries if trade in entry.get("trades", [trade])), None)


@lru_cache(maxsize=1)
def _entries() -> dict[str, list[dict[str, Any]]]:
    """Topic -> its entries; one topic may be answered differently in different trades."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(KNOWLEDGE_DIR.glob("*.yml")):
        content: Any = polish_all(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})
        for topic, entry in content.items():
            entries.setdefault(topic, []).extend(entry if isinstance(entry, list) else [entry])
    return entries
