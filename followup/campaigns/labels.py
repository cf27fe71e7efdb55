"""Chinese for the codes of campaigns: labels.yml, read once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_ANSWER = re.compile(r"(http_|status |smtp_)(\d{1,3})")
_BROKEN = re.compile(r"[A-Z]\w*(?:Error|Disconnected|Exception|Timeout)")
"""A name of what the client's library met."""


@cache
def labels() -> dict[str, dict[str, str]]:
    """Group -> code -> Chinese."""
    raw: Any = YAML(typ="safe").load(Path(__file__).with_name("labels.yml").read_text(encoding="utf-8"))
    return {group: {str(code): text for code, text in names.items()} for group, names in raw.items()}


def label(code: object, group: str) -> str:
    """The Chinese of a code; the code itself where nobody has named it, so that nothing is hidden."""
    return labels()[group].get(str(code), str(code)) if code not in (None, "") else ""


def reason_said(code: str) -> str:
    """Why something was not done, or what went wrong at a provider's, in Chinese: never a raw name of an error."""
    if not code or code in labels()["reasons"]:
        return label(code, "reasons")
    if _BROKEN.fullmatch(code):
        return sentence("connection_lost", "reasons")
    if found := _ANSWER.fullmatch(code):
        return sentence("smtp" if found[1].startswith("smtp") else "http", "reasons", code=found[2])
    return sentence("other_code", "reasons", code=code)


def sentence(key: str, group: str, **values: object) -> str:
    """A sentence of `group` with its blanks filled."""
    return labels()[group][key].format(**values)


def why_paused(why: str) -> str:
    """Why a campaign is paused: a code of ours, a provider's, or a colleague's own words."""
    key, _, code = why.partition(":")
    if key == "provider" and code:
        return sentence("provider", "why", code=code)
    return label(why, "why")
