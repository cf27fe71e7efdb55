"""Which side of the business a remark is about, and whom it names: words of data/lexicon/aspects.yml and subjects.yml."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from followup.reading import lexicon


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[str, str], ...]:
    """(word, aspect id), longest words first, so that "服务态度" is not read as two aspects."""
    pairs = [
        (str(word), aspect)
        for aspect, spec in lexicon.load(lexicon.ASPECTS).items()
        for kind in ("words", "negative", "positive")
        for word in spec.get(kind) or ()
    ]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    return {aspect: spec["label"] for aspect, spec in lexicon.load(lexicon.ASPECTS).items()}


def aspects_in(text: str) -> tuple[str, ...]:
    """Aspect ids that `text` names or implies, in the order of the longest word found."""
    found: list[str] = []
    for word, aspect in _words():
        if word in text:
            text = text.replace(word, "　")
            if aspect not in found:
                found.append(aspect)
    return tuple(found)


_SIDES = (
    frozenset(("service", "attitude", "staff", "speed", "procedure")),
    frozenset(("price", "term")),
    frozenset(("environment",)),
    frozenset(("quality", "taste", "packaging", "delivery")),
)
"""Aspects that are said of the same thing: slow work is a fault of who does it, a high price is none."""


def speaks_of_another_side(text: str, aspects: Collection[str]) -> bool:
    """Whether `text` names a side of the business, and none that `aspects` are of: "药有点贵" to "对环境满意吗？"."""
    named = aspects_in(text)
    sides = [side for side in _SIDES if side & set(aspects)]
    return bool(named and sides) and not any(side & set(named) for side in sides) and all(any(one in side for side in _SIDES) for one in named)


def may_be_said_of_somebody(text: str) -> bool:
    """Whether a clause without a subject may go on about who was just named ("挺有耐心"), and not about a price ("有点贵")."""
    return set(aspects_in(text)) <= _SIDES[0]


@lru_cache(maxsize=1)
def _subjects() -> tuple[tuple[str, int], ...]:
    groups = lexicon.load(lexicon.SUBJECTS) or ()
    return tuple((str(word), number) for number, words in enumerate(groups) for word in words)


def subjects_in(text: str) -> frozenset[int]:
    """Whom or what `text` names (设计师, 工人), as numbers of the list's lines."""
    text = without_waiting(text)
    return frozenset(number for word, number in _subjects() if word in text)


def without_waiting(text: str) -> str:
    """Who is waited for or looked for is not spoken of: "等大夫等了俩小时"."""
    return _waited_for().sub("等", text)


@lru_cache(maxsize=1)
def _waited_for() -> re.Pattern[str]:
    return re.compile(f"[等找叫](?:了|着|个|位)?(?:{'|'.join(re.escape(word) for word, _ in _subjects()) or '(?!)'})")


def label(aspect: str) -> str:
    """The Chinese name of an aspect; the id itself when the lexicon has none."""
    return _labels().get(aspect, aspect)
