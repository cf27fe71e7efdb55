"""Walk every way a talk can take through a script: what can be reached, how much is asked at most."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Iterator, Mapping

from followup.scripts.checks import facts
from followup.scripts.checks.conditions import all_of
from followup.scripts.checks.facts import RawQuestion
from followup.scripts.walk import comparison, holds, negated

MOST_STATES = 4000
READING_SPEED = 7  # Chinese characters a second, silent reading
ANSWER_SECONDS = {"open": 20, "quantity_of": 12, "datetime": 12, "address": 25, "phone": 12, "name": 8}
OTHER_ANSWER_SECONDS = 6
OTHERWISE = "别的"
"""Stands for whatever else is said or written."""


@dataclass(frozen=True)
class Ways:
    """`complete` is False when there are too many ways to try; the other figures then mean nothing."""

    reachable: frozenset[str]
    most_questions: int
    longest_seconds: float
    complete: bool = True
    passed: frozenset[str] = frozenset()
    """Questions whose condition does not hold on some way that has not ended."""


def walk_all(questions: list[RawQuestion], variables: Mapping[str, Mapping[str, Any]] = {}) -> Ways:
    """Try every combination of answers, and of the customer's data, that conditions tell apart.

    An answer that ends the talk (`ends`) ends the way.
    """
    wanted = _wanted(questions)
    # State -> (most questions asked, longest time) on any way that leads to it.
    states: dict[str, tuple[dict[str, Any], int, float]] = {}
    for values in _customers(wanted, variables):
        _merge(states, values, 0, 0.0, set(wanted))
    ended: dict[str, tuple[dict[str, Any], int, float]] = {}
    reachable, passed = set(), set()
    for index, question in enumerate(questions):
        still_needed = {name for name, users in wanted.items() if max(users) > index}
        after: dict[str, tuple[dict[str, Any], int, float]] = {}
        for values, count, seconds in states.values():
            if not holds(question.get("ask_if", {}), values):
                passed.add(question["id"])
                _merge(after, values, count, seconds, still_needed)
                continue
            reachable.add(question["id"])
            more = 0 if facts.is_step(question) else 1
            for outcome in _outcomes(question, wanted):
                over = facts.ending(question, outcome.get(question["id"])) is not None
                way, needed = (ended, set()) if over else (after, still_needed)
                _merge(way, {**values, **outcome}, count + more, seconds + _seconds(question), needed)
        if len(after) > MOST_STATES:
            everything = frozenset(q["id"] for q in questions)
            return Ways(everything, 0, 0, complete=False, passed=everything)
        states = after
    ways = [*states.values(), *ended.values()]
    most, longest = max(count for _, count, _ in ways), max(seconds for _, _, seconds in ways)
    return Ways(frozenset(reachable), most, longest, passed=frozenset(passed))


def _customers(
    wanted: Mapping[str, Mapping[int, list[Any]]], variables: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The data that customers may come with, as far as conditions can tell."""
    names = [name for name in wanted if name in variables or name in facts.CUSTOMER_VARIABLES]
    choices = []
    for name in names:
        looked_at = [value for pairs in wanted[name].values() for _, value in pairs]
        demo = variables.get(name, {}).get("demo", "")
        empty = [""] if facts.SKIPPED in looked_at or facts.ANSWERED in looked_at else []
        choices.append(list(dict.fromkeys([demo, *_examples(looked_at), OTHERWISE, *empty])))
    for combination in islice(product(*choices), MOST_STATES):
        yield dict(zip(names, combination))


def _examples(looked_at: list[Any]) -> list[Any]:
    """Each plain value, and for a comparison a value on, before and behind its bound."""
    found: list[Any] = []
    for value in looked_at:
        parts = comparison(value)
        if parts is None:
            found.append(value)
        else:
            found.extend(_around(parts[1]))
    return found


def _around(bound: str) -> list[Any]:
    try:
        return [float(bound) - 1, float(bound), float(bound) + 1]
    except ValueError:
        return ["1900-01-01", bound, "2999-12-31"]


def _merge(states: dict, values: Mapping[str, Any], count: int, seconds: float, needed: set[str]) -> None:
    kept = {name: value for name, value in values.items() if name in needed}
    key = repr(sorted(kept.items(), key=lambda pair: pair[0]))
    _, other_count, other_seconds = states.get(key, (kept, 0, 0.0))
    states[key] = (kept, max(count, other_count), max(seconds, other_seconds))


def _wanted(questions: list[RawQuestion]) -> dict[str, dict[int, list[Any]]]:
    """Question or flag -> position of each question whose condition looks at it -> (part, wanted values)."""
    wanted: dict[str, dict[int, list[Any]]] = {}
    for index, question in enumerate(questions):
        for condition in all_of(question.get("ask_if", {})):
            for key, value in condition.items():
                name, _, part = key.partition(".")
                looked_at = value if negated(value) is None else negated(value)
                wanted.setdefault(name, {}).setdefault(index, []).extend((part, v) for v in facts.as_list(looked_at))
    return wanted


def _outcomes(question: RawQuestion, wanted: Mapping[str, Mapping[int, list[Any]]]) -> Iterator[dict[str, Any]]:
    """What the values can be after this question, as far as later conditions can tell."""
    name = question["id"]
    answers: list[dict[str, Any]] = [{}]
    if (name in wanted or "ends" in question) and question["type"] != "tell":
        looked_at = [pair for pairs in wanted.get(name, {}).values() for pair in pairs]
        answers = [{name: value} for value in [*_values(question, looked_at), None]]
    flags = [flag for flag in question.get("listen_for", {}) if flag in wanted]
    for answer in answers:
        for heard in product((True, False), repeat=len(flags)):
            # As in the talk: a flag is set when it was heard, and stays.
            yield {**answer, **{flag: True for flag, was in zip(flags, heard) if was}}


def _values(question: RawQuestion, looked_at: list[tuple[str, Any]]) -> list[Any]:
    fields = facts.FIELDS.get(question["type"])
    if fields:
        parts = {part: [value for p, value in looked_at if p == part] for part, _ in looked_at if part}
        choices = [
            [True, False] if fields.get(part) is bool else [*_examples(values), None] for part, values in parts.items()
        ]
        return [dict(zip(parts, combination)) for combination in product(*choices)]
    named = facts.named_values(question)
    if named is not None:
        values: list[Any] = [*named, *([OTHERWISE] if question.get("other") else [])]
        return [*([value] for value in values), values] if question.get("multiple") else values
    plain = [value for _, value in looked_at if value not in (facts.ANSWERED, facts.SKIPPED)]
    plain += [int(value) for value in question.get("ends", {}) if value.isdigit()]
    if question["type"] in ("number", "score"):
        low, high = facts.bounds(question)
        numbers = [value for value in _examples(plain) if isinstance(value, (int, float))]
        numbers += [bound for bound in (low, high) if bound is not None]
        inside = [n for n in dict.fromkeys(numbers) if (low is None or n >= low) and (high is None or n <= high)]
        return inside or [OTHERWISE]
    return list(dict.fromkeys([*_examples(plain), OTHERWISE]))


def _seconds(question: RawQuestion) -> float:
    """A rough guess: reading the sentence, then answering."""
    reading = len(question.get("ask", "") or question.get("say", "")) / READING_SPEED
    if facts.is_step(question):
        return reading
    return reading + ANSWER_SECONDS.get(question["type"], OTHER_ANSWER_SECONDS)
