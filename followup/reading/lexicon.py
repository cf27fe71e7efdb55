"""Word lists in data/lexicon, found beside the package or where FOLLOWUP_LEXICON points; each file is read once."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

OPINIONS = "opinions.yml"
ASPECTS = "aspects.yml"
SUBJECTS = "subjects.yml"
HOLIDAYS = "holidays.yml"
ANY_TIME = "any_time.yml"


def lexicon_dir() -> Path:
    """The folder of the word lists: repository root / data / lexicon."""
    given = os.environ.get("FOLLOWUP_LEXICON")
    if given:
        return Path(given)
    return Path(__file__).resolve().parents[2] / "data" / "lexicon"


def load(name: str, folder: Path | None = None) -> Any:
    """The content of one word list; {} when the file is not there (the aspects are optional)."""
    return _load(str((folder or lexicon_dir()) / name))


@lru_cache(maxsize=16)
def _load(path: str) -> Any:
    file = Path(path)
    if not file.is_file():
        return {}
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")) or {}
