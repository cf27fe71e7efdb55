"""Which side of the business a remark is about: words of data/lexicon/aspects.yml."""

from __future__ import annotations

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


def label(aspect: str) -> str:
    """The Chinese name of an aspect; the id itself when the lexicon has none."""
    return _labels().get(aspect, aspect)
