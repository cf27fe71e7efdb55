"""Step through a script: which question is next, and what its conditions mean."""

from __future__ import annotations

import re
from typing import Any, Collection, Mapping

from followup.scripts.model import Condition, Question, Script

NOTHING = "无"
"""Value of an open question to which the customer has nothing to say."""

_NO_ANSWER = (None, NOTHING, "")
"""Passed, nothing to say, or an empty cell of the customer's data."""

Values = Mapping[str, Any]
"""question id, flag or variable -> value; a question that was passed without an answer is present with None."""

_COMPARISON = re.compile(r"^(<=|>=|<|>)\s*(\S+)$")


def holds(condition: Condition, values: Values) -> bool:
    """Whether an `ask_if` / `if` holds: every entry of it, or of one of them where it is a list."""
    if not isinstance(condition, Mapping):
        return any(holds(one, values) for one in condition)
    return all(_entry_holds(wanted, key, values) for key, wanted in condition.items())


def _entry_holds(wanted: Any, key: str, values: Values) -> bool:
    if (unwanted := negated(wanted)) is not None:
        return not _entry_holds(unwanted, key, values)
    name, _, part = key.partition(".")
    value = values.get(name)
    if part:
        value = value.get(part) if isinstance(value, Mapping) else None
    if wanted == "answered":
        return value not in _NO_ANSWER
    if wanted == "skipped":
        return name in values and value in _NO_ANSWER
    return matches(wanted, value)


def matches(wanted: Any, value: Any) -> bool:
    """Whether a value is the wanted one: equal, one of a list, or on the right side of `>= 2007-07-09` / `< 5`.

    Of several answers to a multiple choice one is enough.
    """
    if isinstance(value, list):
        return any(matches(wanted, one) for one in value)
    if isinstance(wanted, (list, tuple)):
        return any(matches(one, value) for one in wanted)
    parts = comparison(wanted)
    if parts is None:
        return value == wanted or _same_number(wanted, value)
    return value not in (None, "") and _compare(parts[0], value, parts[1])


def negated(wanted: Any) -> Any:
    """X of `{not: X}`: everything but X, an unanswered question or a flag that was not heard included; None otherwise."""
    return wanted["not"] if isinstance(wanted, Mapping) else None


def comparison(wanted: Any) -> tuple[str, str] | None:
    """(operator, bound) of `>= 2007-07-09`; None for what is a plain value."""
    match = _COMPARISON.match(wanted) if isinstance(wanted, str) else None
    return (match[1], match[2]) if match else None


def _same_number(wanted: Any, value: Any) -> bool:
    """A variable out of a table holds its number as text."""
    if isinstance(wanted, (bool, str)) or not isinstance(wanted, (int, float)) or not isinstance(value, str):
        return False
    return value.strip() == str(wanted)


def _compare(operator: str, value: Any, bound: str) -> bool:
    """Numbers as numbers, ISO dates as dates; what is neither does not match."""
    try:
        left, right = float(value), float(bound)
    except (TypeError, ValueError):
        if not (re.match(r"\d{4}-\d\d-\d\d", str(value)) and re.match(r"\d{4}-\d\d-\d\d", bound)):
            return False
        left, right = str(value)[:10], bound
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def next_question(
    script: Script, values: Values, told: Collection[str] = (), variables: Values = {}
) -> Question | None:
    """The first step that is open and whose condition holds; None at the end of the script.

    `told` are the ids of `tell` and `compute` steps already said; conditions see `variables` too.
    """
    for question in script.questions:
        if question.id in values or question.id in told:
            continue
        if holds(question.ask_if, {**variables, **values}):
            return question
    return None


def shown(value: Any) -> str:
    """A value as it is written in a script file."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
