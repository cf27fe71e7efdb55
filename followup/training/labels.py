"""Chinese of training: labels.yml, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def _all() -> dict[str, dict[str, str]]:
    raw: Any = YAML(typ="safe", pure=True).load(Path(__file__).with_name("labels.yml").read_text("utf-8"))
    return {group: {str(code): str(text) for code, text in names.items()} for group, names in raw.items()}


def label(code: str, group: str) -> str:
    """The Chinese of a code; the code itself where nobody has named it, so that nothing is hidden."""
    return _all()[group].get(code, code)


def names_of(group: str) -> dict[str, str]:
    """Code -> Chinese, in the file's order."""
    return dict(_all()[group])


def sentence(key: str, group: str, **values: object) -> str:
    """A sentence of `group` with its blanks filled."""
    return _all()[group][key].format(**values)


class Refused(Exception):
    """What was asked for cannot be done. The message is Chinese, for the member of staff who asked; `key` is for code."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(sentence(key, "errors", **values))
        self.key = key
