"""What the intent model sees of a text: character n-grams with boundary marks, words, concepts, and the verdict in it.

Concepts (concepts.yml, and the aspects of data/lexicon) are groups of words that mean alike; they let a word that was
rare in the examples borrow from its neighbours. Both are counted with their order: "不" before "满意" is not "满意"
before "不".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Iterator, Mapping

from ruamel.yaml import YAML

from followup.nlu.lexicon import Lexicon
from followup.nlu.normalise import normalise
from followup.nlu.segment import words
from followup.reading.polarity import level

START, END = "\u2402", "\u2403"
"""Boundary marks: "不" as a whole reply is not the "不" inside "不错"."""

EMPTY = "\u2400"
"""Stands for a text without anything to read."""

NGRAMS = (1, 2)
"""Lengths of the character n-grams. Longer ones were measured: they cost time and lose a point."""

_CONCEPTS = Path(__file__).with_name("concepts.yml")


def marked(text: str) -> str:
    """The normalised text between boundary marks."""
    return f"{START}{normalise(text) or EMPTY}{END}"


@dataclass(frozen=True)
class Concepts:
    """Words and their concepts. Kept inside a trained model, so that editing a word list cannot break it."""

    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, lexicon: Lexicon | None = None) -> Concepts:
        """concepts.yml, with the lexicon's praising and blaming words where there is one."""
        with _CONCEPTS.open(encoding="utf-8") as stream:
            groups: dict[str, str] = YAML(typ="safe", pure=True).load(stream)
        pairs = [(str(word), concept) for concept, line in groups.items() for word in str(line).split()]
        for aspect in lexicon.aspects if lexicon else ():
            pairs += [(word, "thing") for word in aspect.words]
            pairs += [(word, "negative") for word in aspect.negative]
            pairs += [(word, "positive") for word in aspect.positive]
        words: dict[str, dict[str, None]] = {}
        for word, concept in pairs:
            words.setdefault(word, {})[concept] = None
        return cls({word: tuple(names) for word, names in words.items()})

    @cached_property
    def _lengths(self) -> dict[str, tuple[int, ...]]:
        """First character of words -> their lengths, longest first."""
        lengths: dict[str, set[int]] = {}
        for word in self.words:
            lengths.setdefault(word[0], set()).add(len(word))
        return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def tokens(self, text: str) -> list[str]:
        """Everything the model counts of one marked text."""
        grams = [text[i : i + n] for n in NGRAMS for i in range(len(text) - n + 1)]
        inside = text.strip(START + END)
        return grams + [f"w:{word}" for word in words(inside)] + self.found(text) + _verdict(inside)

    def found(self, text: str) -> list[str]:
        """Concepts of a text, in order, and each pair of neighbours (`negation>positive`)."""
        groups = list(self._groups(text))
        return [name for group in groups for name in group] + list(_pairs(groups))

    def _groups(self, text: str) -> Iterator[tuple[str, ...]]:
        """The concepts of each listed word, the longest first; by dictionary, since a pattern of all words is slow."""
        place = 0
        while place < len(text):
            for length in self._lengths.get(text[place], ()):
                found = self.words.get(text[place : place + length])
                if found is not None:
                    yield found
                    place += length
                    break
            else:
                place += 1


def _verdict(text: str) -> list[str]:
    """Praise, blame or neither, as the answer reading hears it ("没什么不满意的" is praise)."""
    verdict = level(text)
    if verdict is None:
        return ["verdict"]
    sign = "+" if verdict[0] > 0 else "-" if verdict[0] < 0 else "0"
    return [f"verdict{sign}", f"verdict{sign}{verdict[1]}"]


def _pairs(groups: list[tuple[str, ...]]) -> Iterator[str]:
    edges = [("^",), *groups, ("$",)]
    for left, right in zip(edges, edges[1:]):
        yield from (f"{a}>{b}" for a in left for b in right)
