"""Walk every way a talk can take through a script: what can be reached, how much is asked at most."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Iterator, Mapping

from followup.scripts.checks import facts
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.walk import holds

MOST_STATES = 4000
READING_SPEED = 7  # Chinese characters a second, silent reading
ANSWER_SECONDS = {"open": 20, "quantity_of": 12, "datetime": 12, "address": 25, "phone": 12, "name": 8}
OTHER_ANSWER_SECONDS = 6


@dataclass(frozen=True)
class Ways:
    """`complete` is False when there are too many ways to try; the other figures then mean nothing."""

    reachable: frozenset[str]
    most_questions: int
    longest_seconds: float
    complete: bool = True


def walk_all(questions: list[RawQuestion]) -> Ways:
    """Try every combination of answers that conditions tell apart."""
    wanted = _wanted(questions)
    # State -> (most questions asked, longest time) on any way that leads to it.
    states: dict[str, tuple[dict[str, Any], int, float]] = {"": ({}, 0, 0.0)}
    reachable = set()
    for index, question in enumerate(questions):
        still_needed = {name for name, users in wanted.items() if max(users) > index}
        after: dict[str, tuple[dict[str, Any], int, float]] = {}
        for values, count, seconds in states.values():
            if not holds(question.get("ask_if", {}), values):
                _merge(after, values, count, seconds, still_needed)
                continue
            reachable.add(question["id"])
            more = 0 if facts.is_step(question) else 1
            for outcome in _outcomes(question, wanted):
                _merge(after, {**values, **outcome}, count + more, seconds + _seconds(question), still_needed)
        if len(after) > MOST_STATES:
            return Ways(frozenset(q["id"] for q in questions), 0, 0, complete=False)
        states = after
    return Ways(
        frozenset(reachable),
        max(count for _, count, _ in states.values()),
        max(seconds for _, _, seconds in states.values()),
    )


def _merge(states: dict, values: Mapping[str, Any], count: int, seconds: float, needed: set[str]) -> None:
    kept = {name: value for name, value in values.items() if name in needed}
    key = repr(sorted(kept.items(), key=lambda pair: pair[0]))
    _, other_count, other_seconds = states.get(key, (kept, 0, 0.0))
    states[key] = (kept, max(count, other_count), max(seconds, other_seconds))


def _wanted(questions: list[RawQuestion]) -> dict[str, dict[int, list[Any]]]:
    """Question or flag -> position of each question whose condition looks at it -> (part, wanted values)."""
    wanted: dict[str, dict[int, list[Any]]] = {}
    for index, question in enumerate(questions):
        for key, value in question.get("ask_if", {}).items():
            name, _, part = key.partition(".")
            wanted.setdefault(name, {}).setdefault(index, []).extend((part, v) for v in facts.as_list(value))
    return wanted


def _outcomes(question: RawQuestion, wanted: Mapping[str, Mapping[int, list[Any]]]) -> Iterator[dict[str, Any]]:
    """What the values can be after this question, as far as later conditions can tell."""
    name = question["id"]
    answers: list[dict[str, Any]] = [{}]
    if name in wanted and question["type"] != "tell":
        looked_at = [pair for pairs in wanted[name].values() for pair in pairs]
        answers = [{name: value} for value in [*_values(question, looked_at), None]]
    flags = [flag for flag in question.get("listen_for", {}) if flag in wanted]
    for answer in answers:
        for heard in product((True, False), repeat=len(flags)):
            # As in the talk: a flag is set when it was heard, and stays.
            yield {**answer, **{flag: True for flag, was in zip(flags, heard) if was}}


def _values(question: RawQuestion, looked_at: list[tuple[str, Any]]) -> list[Any]:
    fields = facts.FIELDS.get(question["type"])
    if fields:
        parts = {part: {value for p, value in looked_at if p == part} for part, _ in looked_at if part}
        choices = [
            [*values, *({True, False} if fields.get(part) is bool else {None})] for part, values in parts.items()
        ]
        return [dict(zip(parts, combination)) for combination in product(*choices)]
    named = facts.named_values(question)
    if named is not None:
        values: list[Any] = [*named, *(["其他"] if question.get("other") else [])]
        return [*([value] for value in values), values] if question.get("multiple") else values
    return [*{value for _, value in looked_at if value not in (facts.ANSWERED, facts.SKIPPED)}, "随便什么"]


def _seconds(question: RawQuestion) -> float:
    """A rough guess: reading the sentence, then answering."""
    reading = len(question.get("ask", "") or question.get("say", "")) / READING_SPEED
    if facts.is_step(question):
        return reading
    return reading + ANSWER_SECONDS.get(question["type"], OTHER_ANSWER_SECONDS)
