"""Which examples a sentence resembles, and whether it is too near to a frozen test sentence. Pure.

The frozen sets (tests/nlu) measure what was never trained on; so the rule stands here once, for the workbench and for the tests.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from followup.nlu.normalise import normalise

UNAVOIDABLE = 4
"""Replies of up to so many characters ("没有了") have no second wording: they may stand in both."""
SIMILAR = 0.9
"""Edit similarity above which a frozen sentence counts as trained on."""
COMPARED_FROM = 6
"""Characters from which a line may not even resemble a trained one."""
LIKE = 0.75
"""Edit similarity from which an example is shown as nearly the same."""


def key(text: str) -> str:
    """What two lines share when the model sees no difference, apart from spaces and punctuation."""
    return re.sub(r"[^\w]+", "", normalise(text))


def distance(left: str, right: str) -> int:
    """Insertions, deletions and replacements between two texts."""
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (char != other))
    return row[-1]


def resembles(left: str, right: str, similar: float = SIMILAR) -> bool:
    """Whether the edit similarity of two keys is above `similar`."""
    allowed = (1 - similar) * max(len(left), len(right)) - 1e-9
    if abs(len(left) - len(right)) >= allowed or len(set(left) - set(right)) >= allowed:
        return False
    if max((Counter(left) - Counter(right)).total(), (Counter(right) - Counter(left)).total()) >= allowed:
        return False
    return distance(left, right) < allowed


@dataclass(frozen=True, slots=True)
class Near:
    """An example that a sentence resembles; `likeness` 1: nobody sees a difference."""

    text: str
    intent: str
    likeness: float


class Index:
    """Sentences by their keys."""

    def __init__(self, lines: Iterable[tuple[str, str]], key_of: Callable[[str], str] = key) -> None:
        """`lines`: (text, intent)."""
        self._by_length: dict[int, list[tuple[str, frozenset[str], str, str]]] = defaultdict(list)
        self._exact: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for text, intent in lines:
            one = key_of(text)
            self._by_length[len(one)].append((one, frozenset(one), text, intent))
            self._exact[one].append((text, intent))

    def same(self, text: str) -> list[tuple[str, str]]:
        """(text, intent) of what the model cannot tell from `text`; for what has no characters, the very same text."""
        asked = key(text)
        return [one for one in self._exact.get(asked, ()) if asked or one[0] == text]

    def near(self, text: str, like: float = LIKE, most: int = 8) -> list[Near]:
        """Examples that resemble it, the most alike first."""
        asked = key(text)
        if not asked:
            return []
        letters, reach = frozenset(asked), int(len(asked) * (1 / like - 1)) + 1
        found = []
        for length in range(max(1, len(asked) - reach), len(asked) + reach + 1):
            allowed = (1 - like) * max(len(asked), length)
            for other, others, line, intent in self._by_length.get(length, ()):
                if other == asked:
                    found.append(Near(line, intent, 1.0))
                elif len(letters - others) < allowed and resembles(asked, other, like):
                    found.append(Near(line, intent, 1 - distance(asked, other) / max(len(asked), length)))
        return sorted(found, key=lambda one: (-one.likeness, one.intent, one.text))[:most]

    def votes(self, text: str, most: int = 9) -> list[tuple[str, float]]:
        """(intent, share) by the examples that share most pairs of neighbouring characters: a guess without the model."""
        wanted = key(text)
        asked, characters = _pairs(wanted), frozenset(wanted)
        if not asked:
            return []
        best: list[tuple[float, str]] = []
        for lines in self._by_length.values():
            for other, letters, _, intent in lines:
                if len(letters & characters) < min(2, len(other)):
                    continue
                theirs = _pairs(other)
                shared = len(asked & theirs)
                if shared:
                    best.append((2 * shared / (len(asked) + len(theirs)), intent))
        best.sort(key=lambda one: (-one[0], one[1]))
        weights: Counter[str] = Counter()
        for weight, intent in best[:15]:
            weights[intent] += weight**2  # type: ignore[assignment] - weights are shares
        whole = sum(weights.values()) or 1
        return [(intent, weight / whole) for intent, weight in sorted(weights.items(), key=lambda one: (-one[1], one[0]))][:most]


class Frozen(Index):
    """The test sentences. Which one is too near is not told: examples shall not be bent around it."""

    def forbids(self, text: str, intent: str) -> bool:
        """Whether training on `text` as `intent` would spoil a measurement."""
        asked = key(text)
        same = self.same(text)
        if len(asked) <= UNAVOIDABLE:
            return bool(asked) and any(theirs != intent for _, theirs in same)
        if same:
            return True
        reach = int(len(asked) * (1 - SIMILAR)) + 2
        lengths = range(max(COMPARED_FROM, len(asked) - reach), len(asked) + reach + 1)
        return any(resembles(other, asked) for length in lengths for other, *_ in self._by_length.get(length, ()))


def _pairs(text: str) -> frozenset[str]:
    return frozenset({text[at : at + 2] for at in range(max(1, len(text) - 1))}) if text else frozenset()
