"""What was published in the console lies over the files of the same name; this is where the rest of the product meets it.

A process keeps the newest published texts here (`followup.store.published` brings them); whoever reads a file of
data/scripts or data/knowledge asks `text_of` first. Without anything published the files are what they were.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
SCRIPTS, KNOWLEDGE = DATA / "scripts", DATA / "knowledge"
SHARED_NAME = "_shared"


class Kind(StrEnum):
    SCRIPT = "script"
    SHARED = "shared"
    """The wording that all scripts share; its name is `_shared`."""
    KNOWLEDGE = "knowledge"
    """An answer to business questions, or the company's own values (`_company`)."""


@dataclass(frozen=True, slots=True)
class Name:
    """Of one text: its kind, and the file's name without its ending."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Published:
    number: int
    """Of the row: it grows with every publication."""
    text: str


_over: Mapping[Name, Published] = {}
# Exchanged as a whole, never altered: threads may be reading.


def lay_over(found: Mapping[Name, Published]) -> None:
    """From now on these texts are in force in this process, and no others."""
    global _over
    _over = dict(found)


def clear() -> None:
    """From now on the files are in force."""
    lay_over({})


def name_of(path: Path) -> Name | None:
    """Which text the file holds; None for a file that nothing can be published over."""
    if SCRIPTS in path.parents:
        return Name(Kind.SHARED if path.stem == SHARED_NAME else Kind.SCRIPT, path.stem)
    return Name(Kind.KNOWLEDGE, path.stem) if path.parent == KNOWLEDGE else None


def over(path: Path) -> Published | None:
    """What is published over the file."""
    name = name_of(path) if _over else None
    return _over.get(name) if name is not None else None


def text_of(path: Path) -> str:
    """The text in force: what is published, else what the file says. FileNotFoundError where there is neither."""
    found = over(path)
    return found.text if found is not None else file_text(path)


def file_text(path: Path) -> str:
    """What the file itself says."""
    # A byte order mark is what some editors leave behind, no part of the first key.
    return path.read_text(encoding="utf-8-sig")


Stamp = str | tuple[int, int]
"""What is published itself; of a file its time of change in nanoseconds, and its bytes."""


def stamp(path: Path) -> Stamp:
    """Another one whenever the text in force may be another. FileNotFoundError where there is neither file nor publication."""
    found = over(path)
    if found is not None:
        return found.text
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def without_file(ids: Collection[str]) -> list[Path]:
    """Where the published scripts would lie that are none of `ids`: they were written in the console, no file came with the product."""
    ours = ((name, found) for name, found in _over.items() if name.kind is Kind.SCRIPT and name.id not in ids)
    return sorted(path_of(name.id, found.text) for name, found in ours)


def path_of(script_id: str, text: str) -> Path:
    """Where a script with this text would lie: the folder is its trade."""
    trade = _TRADE.search(text)
    return SCRIPTS / (trade[1] if trade else "service") / f"{script_id}.yml"


_TRADE = re.compile(r"^trade:[ \t]*([a-z][a-z0-9-]*)", re.MULTILINE)


def digest(text: str) -> str:
    """SHA-256 of a text, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
