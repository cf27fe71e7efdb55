"""Chinese names of the codes that the console shows: labels.yml, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def labels() -> dict[str, dict[str, str]]:
    """Group -> code -> Chinese name."""
    raw: Any = YAML(typ="safe").load(Path(__file__).with_name("labels.yml").read_text(encoding="utf-8"))
    return {group: {str(code): text for code, text in names.items()} for group, names in raw.items()}


def label(code: object, group: str) -> str:
    """The Chinese name of a code; the code itself where nobody has named it, so that nothing is hidden."""
    return labels()[group].get(str(code), str(code)) if code not in (None, "") else ""
