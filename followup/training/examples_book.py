"""All examples as trainers see them: the files and the open changes over them, and what may be added to them. Pure.

    book = Book(lines, changes, frozen)      lines: (text, intent) of the files; changes in their order
    book.check(text, intent)                 why it may not be added; empty: it may
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from followup.console.transcripts.masking import Mask
from followup.training.changes import Change, plain
from followup.training.examples_near import Frozen, Index, Near, key

LONGEST = 200
_MASKED = re.compile(r"[*＊]{1,}|［[^］]*］")
"""What masking leaves behind is no customer's wording."""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    intent: str
    changed: bool
    """It stands there by an open change."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to say of a sentence while it is typed. `refused` is a key of labels.yml, `example_errors`."""

    refused: str
    same_elsewhere: list[Near]
    near_elsewhere: list[Near]
    near_here: list[Near]


def clean(text: str) -> str:
    """As it would stand in a file: without marks of entities, without spaces around it."""
    return plain(text.replace("\0", "").strip())


def overlay(lines: Iterable[tuple[str, str]], changes: Sequence[Change]) -> dict[tuple[str, str], bool]:
    """(text, intent) -> whether a change put it there; what `followup.training.changes.apply` would leave in the files."""
    found = {(text, intent): False for text, intent in lines}
    for change in changes:
        old = (plain(change.text), change.intent)
        match change.kind:
            case "add":
                found.setdefault(old, True)
            case "delete":
                found.pop(old, None)
            case "move" | "edit":
                new = (plain(change.new_text or change.text), change.new_intent or change.intent)
                if new == old:
                    continue
                was = found.pop(old, None)
                if was is not None or new[1] != old[1]:
                    found.setdefault(new, True)
    return found


class Book:
    def __init__(
        self, lines: Iterable[tuple[str, str]], changes: Sequence[Change], frozen: Frozen, key_of: Callable[[str], str] = key
    ) -> None:
        self._lines = overlay(lines, changes)
        self.frozen = frozen
        self._key_of = key_of

    @cached_property
    def index(self) -> Index:
        return Index(self._lines, self._key_of)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Intent -> how many examples it has."""
        return dict(sorted(Counter(intent for _, intent in self._lines).items()))

    @property
    def total(self) -> int:
        return len(self._lines)

    def has(self, text: str, intent: str) -> bool:
        return (text, intent) in self._lines

    def examples(self, intent: str = "", search: str = "") -> list[Example]:
        """Those of an intent (all when empty) that hold `search`; what was changed lately first."""
        wanted = search.lower()
        found = [
            Example(text, theirs, changed)
            for (text, theirs), changed in self._lines.items()
            if (not intent or theirs == intent) and wanted in text.lower()
        ]
        return sorted(found, key=lambda one: not one.changed)

    def check(self, text: str, intent: str, mask: Mask | None = None, *, instead_of: tuple[str, str] | None = None) -> str:
        """Why this example may not be kept, a key of `example_errors`; empty when it may.

        `mask`: of the talk it came from, so that the customer's own name is found. `instead_of`: the example that it replaces.
        """
        if not text or not text.strip():
            return "empty"
        if len(text) > LONGEST:
            return "too_long"
        if len(text.splitlines()) > 1:
            return "several_lines"
        if intent not in self.counts:
            return "unknown_intent"
        if _MASKED.search(text) or (mask or Mask())(text) != text or Mask()(text) != text:
            return "personal"
        if self.frozen.forbids(text, intent):
            return "frozen"
        others = [one for one in self.index.same(text) if one != instead_of]
        if any(theirs != intent for _, theirs in others):
            return "conflict"
        if (text, intent) in others:
            return "there_already"
        return ""

    def look(self, text: str, intent: str, mask: Mask | None = None, *, instead_of: tuple[str, str] | None = None) -> Found:
        """Everything near to a sentence, shown while it is typed."""
        near = [one for one in self.index.near(text) if (one.text, one.intent) != instead_of] if text else []
        elsewhere = [one for one in near if one.intent != intent]
        return Found(
            refused=self.check(text, intent, mask, instead_of=instead_of) if text else "",
            same_elsewhere=[one for one in elsewhere if one.likeness == 1],
            near_elsewhere=[one for one in elsewhere if one.likeness < 1],
            near_here=[one for one in near if one.intent == intent],
        )
