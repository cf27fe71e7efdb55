"""Lines that are alike in one group, so that one decision labels many. Pure, greedy, and the same for the same lines.

Lines without a difference that the model sees come together first; of those the most frequent lead, and each other one joins
the leader that it resembles most, by the cosine of their runs of two and three characters. "满意" and "不满意" resemble each
other and mean the opposite: what differs in its denials never comes together.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from followup.training.examples_near import key

ALIKE = 0.58
"""Cosine from which a line joins a group."""
_DENIALS = re.compile(r"[不没沒别別无無未甭勿]|拒|莫")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of lines that are alike, those that lead first; the others from the first to the newest."""

    ids: tuple[int, ...]

    @property
    def leader(self) -> int:
        return self.ids[0]


def groups(lines: Iterable[tuple[int, str]], alike: float = ALIKE) -> list[Group]:
    """Groups of (id, text), the largest first; each id in exactly one."""
    same: dict[str, list[int]] = defaultdict(list)
    for number, text in sorted(lines):
        same[_key(text)].append(number)
    order = sorted(same, key=lambda one: (-len(same[one]), same[one][0]))
    found: list[list[str]] = []
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for one in order:
        vector = _vector(one)
        place = _most_alike(one, vector, found, postings, alike)
        if place is not None:
            found[place].append(one)
            continue
        for gram, weight in vector.items():
            postings[gram].append((len(found), weight))
        found.append([one])
    made = [Group(tuple(same[keys[0]] + sorted(number for other in keys[1:] for number in same[other]))) for keys in found]
    return sorted(made, key=lambda group: (-len(group.ids), group.leader))


def _key(text: str) -> str:
    """Numbers count as one: a score or a date makes no other meaning. What has no characters stays as it is written."""
    return _NUMBERS.sub("0", key(text)) or text.strip()


def _vector(text: str) -> dict[str, float]:
    """Runs of two and three characters with their weights, of length 1; longer runs weigh more."""
    counts: Counter[str] = Counter()
    marked = f"^{text}$"
    for size in (2, 3):
        for at in range(len(marked) - size + 1):
            counts[marked[at : at + size]] += size
    length = math.sqrt(sum(count * count for count in counts.values()))
    return {gram: count / length for gram, count in sorted(counts.items())}


def _most_alike(
    text: str, vector: dict[str, float], found: Sequence[list[str]], postings: dict[str, list[tuple[int, float]]], alike: float
) -> int | None:
    scores: dict[int, float] = defaultdict(float)
    for gram, weight in vector.items():
        for place, other in postings.get(gram, ()):
            scores[place] += weight * other
    denials = Counter(_DENIALS.findall(text))
    best = [
        (-round(score, 9), place)
        for place, score in scores.items()
        if score >= alike and Counter(_DENIALS.findall(found[place][0])) == denials
    ]
    return min(best)[1] if best else None
