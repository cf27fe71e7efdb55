"""The sentences of words.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Words:
    choose: str
    may_answer: str
    voice: str
    image: str
    video: str
    location: str
    link: str
    other: str
    kept: dict[str, str]
    ended: str
    expired: str
    taken: str
    unknown: str
    too_many: str
    closed: str
    begin: list[str]
    """What people write who want to begin, and nothing else."""
    stopped: str

    def cannot_read(self, kind: str) -> str:
        """What is said to a message that is no text."""
        return str(getattr(self, kind))


@cache
def words() -> Words:
    return Words(**YAML(typ="safe").load(Path(__file__).with_name("words.yml")))
