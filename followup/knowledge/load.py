"""Topics and the company's own values: data/knowledge with what is published over it; read again when either changes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Mapping

from ruamel.yaml import YAML

from followup.scripts import published
from followup.scripts.typography import polish

KNOWLEDGE_DIR = published.KNOWLEDGE
COMPANY = "_company.yml"
"""What holds for this company: values of the variables, and nothing else."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Variable:
    """What differs from company to company."""

    label: str
    demo: str | None = None
    """Said only in talks of the demo company; None when even that would be a guess."""


@dataclass(frozen=True)
class Entry:
    """One answer, with what must hold for it to be said."""

    say: tuple[str, ...]
    """Wordings that mean the same."""
    trades: tuple[str, ...] = ()
    """Empty: every trade."""
    asked: tuple[str, ...] = ()
    """One of these words must be in the question; empty: none need be."""
    not_asked: tuple[str, ...] = ()
    """None of these words may be in the question."""
    needs: tuple[str, ...] = ()
    """Variables that must be known although the sentence does not say them."""
    record: bool = False
    """A colleague is told as well, because the answer promises one."""


@dataclass(frozen=True)
class Topic:
    """One file: what is answered to `faq/<name>`."""

    name: str
    title: str
    source: str
    demo: bool
    """A sample that nobody has checked for this company: said only in talks of the demo company."""
    variables: Mapping[str, Variable]
    answers: tuple[Entry, ...]
    examples: tuple[str, ...]
    path: Path


def topic_files(folder: Path = KNOWLEDGE_DIR) -> list[Path]:
    """Files of topics, in order of their names; what begins with `_` is none."""
    return sorted(path for path in folder.glob("*.yml") if not path.name.startswith("_"))


def load_topics(folder: Path = KNOWLEDGE_DIR) -> dict[str, Topic]:
    """Topic name -> topic. A file that cannot be used is left out, so that its questions go to a colleague."""
    return _topics(tuple(_stamp(path) for path in topic_files(folder)))


def company_values(folder: Path = KNOWLEDGE_DIR) -> dict[str, str]:
    """Variable -> the company's own value; a variable without one is absent."""
    path = folder / COMPANY
    return dict(_values(_stamp(path))) if path.exists() else {}


_Stamp = tuple[Path, published.Stamp]


def _stamp(path: Path) -> _Stamp:
    return path, published.stamp(path)


@lru_cache(maxsize=4)
def _topics(stamps: tuple[_Stamp, ...]) -> dict[str, Topic]:
    topics = {}
    for path, _ in stamps:
        try:
            topic = _topic(path)
        except Exception as error:  # whatever an author wrote: `followup knowledge check` tells where
            _log.warning("%s is left out: %s", path.name, error)
            continue
        topics[topic.name] = topic
    return topics


@lru_cache(maxsize=4)
def _values(stamp: _Stamp) -> tuple[tuple[str, str], ...]:
    try:
        values = (_yaml(stamp[0]) or {}).get("values") or {}
        return tuple((str(name), str(value)) for name, value in values.items() if value not in (None, ""))
    except Exception as error:
        _log.warning("%s is left out: %s", stamp[0].name, error)
        return ()


def _topic(path: Path) -> Topic:
    raw = _yaml(path)
    return Topic(
        name=path.stem,
        title=str(raw["title"]),
        source=str(raw.get("source", "")),
        demo=raw.get("demo") is True,
        variables={name: _variable(spec) for name, spec in (raw.get("variables") or {}).items()},
        answers=tuple(_entry(entry) for entry in raw["answers"]),
        examples=_words(raw.get("examples")),
        path=path,
    )


def _variable(spec: Mapping[str, Any]) -> Variable:
    demo = spec.get("demo")
    return Variable(str(spec["label"]), None if demo is None else str(demo))


def _entry(raw: Mapping[str, Any]) -> Entry:
    return Entry(
        say=tuple(polish(sentence) for sentence in _words(raw["say"])),
        trades=_words(raw.get("trades")),
        asked=_words(raw.get("asked")),
        not_asked=_words(raw.get("not_asked")),
        needs=_words(raw.get("needs")),
        record=raw.get("record") is True,
    )


def _words(node: Any) -> tuple[str, ...]:
    """A word, a list of words or nothing, as a tuple."""
    if node is None:
        return ()
    return tuple(str(item) for item in node) if isinstance(node, list) else (str(node),)


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(published.text_of(path))
