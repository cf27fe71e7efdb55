"""What two texts differ in, line by line, and both authors' changes put together where they do not touch each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 2
"""Lines shown around a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """`sign`: `+`, `-`, a blank, or `…` for what is left out. Numbers count from 1; 0 where the side has no such line."""

    sign: str
    old: int
    new: int
    text: str


def diff(old: str, new: str) -> list[Line]:
    """The changes with some lines around them; empty when the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    found: list[Line] = []
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if found or group[0][1] or group[0][3]:
            found.append(Line("…", 0, 0, ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += (Line(" ", i1 + n + 1, j1 + n + 1, before[i1 + n]) for n in range(i2 - i1))
            else:
                found += (Line("-", n + 1, 0, before[n]) for n in range(i1, i2))
                found += (Line("+", 0, n + 1, after[n]) for n in range(j1, j2))
    return found


def merge(base: str, mine: str, theirs: str) -> str | None:
    """`mine` with what `theirs` changed of `base`. None when both changed the same lines, or lines that touch."""
    lines = base.splitlines(keepends=True)
    changes = sorted([*_changes(lines, mine), *_changes(lines, theirs)])
    merged, at = [], 0
    for number, change in enumerate(changes):
        begin, end, put = change
        if number and change == changes[number - 1]:
            continue  # both did the same
        if number and begin <= changes[number - 1][1]:
            return None
        merged += [*lines[at:begin], *put]
        at = end
    return "".join([*merged, *lines[at:]])


def _changes(base: Sequence[str], text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """(first line, line after the last, what stands there instead)"""
    new = text.splitlines(keepends=True)
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, base, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield i1, i2, tuple(new[j1:j2])
