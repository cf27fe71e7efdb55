"""Chinese for the codes of campaigns: labels.yml, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def labels() -> dict[str, dict[str, str]]:
    """Group -> code -> Chinese."""
    raw: Any = YAML(typ="safe").load(Path(__file__).with_name("labels.yml").read_text(encoding="utf-8"))
    return {group: {str(code): text for code, text in names.items()} for group, names in raw.items()}


def label(code: object, group: str) -> str:
    """The Chinese of a code; the code itself where nobody has named it, so that nothing is hidden."""
    return labels()[group].get(str(code), str(code)) if code not in (None, "") else ""


def sentence(key: str, group: str, **values: object) -> str:
    """A sentence of `group` with its blanks filled."""
    return labels()[group][key].format(**values)


def why_paused(why: str) -> str:
    """Why a campaign is paused: a code of ours, a provider's, or a colleague's own words."""
    key, _, code = why.partition(":")
    if key == "provider" and code:
        return sentence("provider", "why", code=code)
    return label(why, "why")
