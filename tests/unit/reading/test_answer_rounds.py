"""Scores, quantities and choices as customers give them, from answer_rounds.txt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from followup.reading import Asked, Heard, Option, read

CASES = Path(__file__).with_name("answer_rounds.txt")
FLOOR = 0.98
"""Share of lines that must be understood; what each round reached at first sight stands in the table."""


def _cases() -> list[tuple[str, str, Any, tuple[Option, ...]]]:
    found: list[tuple[str, str, Any, tuple[Option, ...]]] = []
    options: tuple[Option, ...] = ()
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            named = (part.split(": ") for part in line[1:-1].split("; "))
            options = tuple(Option(value, tuple(say.split(", "))) for value, say in named)
            continue
        kind, words, expected = line.split(" | ")
        found.append((kind, words, expected if expected in ("none", "any") else json.loads(expected), options))
    return found


def _told(kind: str, words: str, expected: Any, options: tuple[Option, ...]) -> Any:
    if kind == "score":
        reading = read(Asked("score"), Heard(words))
        return reading.value if reading else "none"
    if kind == "quantity":
        reading = read(Asked("quantity_of"), Heard(words))
        return [reading.value[key] for key in ("bad", "total", "at_least_half")] if reading else "none"
    reading = read(Asked("choice", options=options, multiple=isinstance(expected, list)), Heard(words))
    if reading is None:
        return "none"
    return "any" if reading.how == "choice:any" else reading.value


def test_nearly_every_answer_of_the_rounds_is_understood() -> None:
    told = [(kind, words, _told(kind, words, expected, options), expected) for kind, words, expected, options in _cases()]
    missed = [line for line in told if line[2] != line[3]]
    assert len(told) >= 260
    assert 1 - len(missed) / len(told) >= FLOOR, missed
