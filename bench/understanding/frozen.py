"""The frozen replies (tests/nlu/*.tsv): a reply, its intent, and who speaks. Never trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from followup.settings import PROJECT_DIR

SETS = ("replies", "late")
"""File names in tests/nlu without their ending."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One line of a frozen set."""

    text: str
    intent: str
    register: str
    """`chat`, `speech`, `reviews` ..., the word before the colon of the section's heading."""
    origin: str
    """The set it stands in."""


def read_set(name: str) -> list[Reply]:
    """The replies of one set, in order."""
    return _read(PROJECT_DIR / "tests" / "nlu" / f"{name}.tsv", name)


def read_all() -> list[Reply]:
    """The replies of all sets, one set after the other."""
    return [reply for name in SETS for reply in read_set(name)]


def _read(path: Path, origin: str) -> list[Reply]:
    replies, register = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            register = line[2:].split(":")[0]
        elif line:
            text, _, intent = line.partition("\t")
            replies.append(Reply(text, intent, register, origin))
    return replies
