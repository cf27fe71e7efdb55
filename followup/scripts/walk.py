"""Step through a script: which question is next, and what its conditions mean."""

from __future__ import annotations

from typing import Any, Collection, Mapping

from followup.scripts.model import Condition, Question, Script

NOTHING = "无"
"""Value of an open question to which the customer has nothing to say."""

Values = Mapping[str, Any]
"""question id or flag -> value; a question that was passed without an answer is present with None."""


def holds(condition: Condition, values: Values) -> bool:
    """Whether every entry of an `ask_if` / `if` holds.

    A key is a question, a flag or `question.field`; the wanted value may be a list of values,
    `answered` (something was said) or `skipped` (was asked, nothing was said).
    """
    return all(_matches(wanted, key, values) for key, wanted in condition.items())


def _matches(wanted: Any, key: str, values: Values) -> bool:
    name, _, part = key.partition(".")
    value = values.get(name)
    if part:
        value = value.get(part) if isinstance(value, Mapping) else None
    if wanted == "answered":
        return value not in (None, NOTHING)
    if wanted == "skipped":
        return name in values and value in (None, NOTHING)
    wishes = wanted if isinstance(wanted, list) else [wanted]
    # Of a choice with several answers, one that is wanted is enough.
    return any(one in wishes for one in value) if isinstance(value, list) else value in wishes


def next_question(script: Script, values: Values, told: Collection[str] = ()) -> Question | None:
    """The first step that is open and whose condition holds; None at the end of the script.

    `told` are the ids of `tell` and `compute` steps already said.
    """
    for question in script.questions:
        if question.id in values or question.id in told:
            continue
        if holds(question.ask_if, values):
            return question
    return None


def shown(value: Any) -> str:
    """A value as it is written in a script file."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
