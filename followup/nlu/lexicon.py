"""The word lists of data/lexicon: aspects of an opinion, persons, products. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Entry:
    """One line of a word list: its id (`price`), the name shown to staff, and what customers say."""

    id: str
    label: str
    words: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    """Words that alone say this aspect is bad ("贵")."""
    positive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    """Words that look alike and mean something else ("贵姓")."""


@dataclass(frozen=True)
class Lexicon:
    """All word lists the understanding uses."""

    aspects: tuple[Entry, ...] = ()
    persons: tuple[Entry, ...] = ()
    products: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Lexicon:
        """Read the folder's lists; a list that does not exist is empty.

        Raises ValueError, naming the file and the entry, when a list has not the expected form.
        """
        return cls(*(_read_list(folder / f"{name}.yml") for name in ("aspects", "persons", "products")))


def _read_list(path: Path) -> tuple[Entry, ...]:
    if not path.exists():
        return ()
    content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(content, dict):
        raise ValueError(f"{path.name}: expected a mapping of ids")
    return tuple(_entry(path.name, str(key), value) for key, value in content.items())


def _entry(file: str, key: str, value: Any) -> Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{file}: {key}: expected label and words")
    return Entry(
        id=key,
        label=str(value.get("label", key)),
        **{
            part: tuple(str(word) for word in value.get(part) or ())
            for part in ("words", "negative", "positive", "ignore")
        },
    )
