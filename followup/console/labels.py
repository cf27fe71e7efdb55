"""Chinese names of the codes that the console shows: labels.yml, with those of the areas, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def labels() -> dict[str, dict[str, str]]:
    """Group -> code -> Chinese name. An area may have a labels.yml of its own in its folder; groups are named once."""
    here = Path(__file__).parent
    found: dict[str, dict[str, str]] = {}
    for file in (here / "labels.yml", *sorted(here.glob("*/labels.yml"))):
        raw: Any = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        for group, names in raw.items():
            if group in found:
                raise ValueError(f"{file}: {group} is named elsewhere")
            found[group] = {str(code): text for code, text in names.items()}
    return found


def label(code: object, group: str) -> str:
    """The Chinese name of a code; the code itself where nobody has named it, so that nothing is hidden."""
    if code in (None, ""):
        return ""
    names, text = labels()[group], str(code)
    kind, colon, which = text.partition(":")
    if text not in names and colon and kind in names:  # wechat:main: a channel's account
        return f"{names[kind]}（{which}）"
    return names.get(text, text)
