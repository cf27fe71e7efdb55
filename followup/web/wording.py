"""What the pages and the interface say to customers: wording.yml, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Notice:
    """A page that explains why there is nothing to see."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    no_company: str
    visitor: str
    """Name of a contact who has not given one; staff read it."""
    errors: dict[str, str]
    pages: dict[str, Notice]
    codes: dict[str, str]
    """What the page for codes says about a code that opens nothing."""

    def error(self, key: str, **values: object) -> str:
        return self.errors[key].format(**values)


@cache
def load_wording() -> Wording:
    data = YAML(typ="safe").load(Path(__file__).with_name("wording.yml"))
    pages = {key: Notice(page["title"], tuple(page["lines"])) for key, page in data["pages"].items()}
    return Wording(data["no_company"], data["visitor"], data["errors"], pages, data["codes"])
