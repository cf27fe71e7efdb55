"""What may stay of a talk after its customer was erased: what the figures count and nobody is known by. Pure.

What stays and what goes, table by table: docs/decisions/0009-erasing-a-customer.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from followup.reading.scale import SCALE3, SCALE5
from followup.scripts import load
from followup.scripts.model import Question

GONE = "［已删除］"
"""Stands where a text was, so that a reader knows that there was one."""
_KEPT_VARIABLES = (
    *("company", "agent", "brand", "branch", "station", "consultant", "clerk", "product", "model", "business"),
    *("channel", "case_kind", "first_score"),
)
"""The firm's own side, and what was bought: what figures are grouped by."""
_LARGEST_NUMBER = 99_999
"""A number of more digits could be a telephone's, an account's or an order's."""
_COUNTED = ("scale3", "scale5", "score", "quantity_of", "compute", "yes_no", "confirm")


class Questions:
    """The questions of a script's revision, by the ids that answers carry."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        try:
            self._by_id = {question.id: question for question in load.build_revision(content).questions}
        except (KeyError, TypeError):  # a revision of another form: nothing is known of its questions
            self._by_id = {}

    def left_of(self, question_id: str, value: Any) -> Any:
        """What stays of the answer. A probe (`price.reason`) is an open question of its own."""
        return left_of_answer(self._by_id.get(question_id), value)


def left_of_answer(question: Question | None, value: Any) -> Any:
    """What stays of an answer: grades, yes and no, chosen options, small numbers. Texts become GONE, the rest None."""
    if value is None or isinstance(value, bool):
        return value
    kind = question.type if question else ""
    if isinstance(value, (int, float)):
        return value if kind in _COUNTED or (kind == "number" and abs(value) <= _LARGEST_NUMBER) else None
    options = _options(question)
    if isinstance(value, str):
        return value if value in options else GONE
    if isinstance(value, Sequence):
        return [one if one in options else GONE for one in value]
    if isinstance(value, Mapping) and kind in _COUNTED:
        return {key: one for key, one in value.items() if not isinstance(one, str) or one in _WORDS}
    return None


def left_of_variables(variables: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """What stays of a talk's variables; nothing that holds one of the customer's `known` names and numbers."""
    kept = {key: variables[key] for key in _KEPT_VARIABLES if key in variables}
    return {key: value for key, value in kept.items() if not any(one in str(value) for one in known)}


_WORDS = {*SCALE3, *SCALE5, "better", "same", "worse", "unknown"}


def _options(question: Question | None) -> set[str]:
    if question is None:
        return {*SCALE3, *SCALE5}
    if question.type in ("scale3", "scale5"):
        return {*SCALE3, *SCALE5}
    return {option.value for option in question.options} if question.type == "choice" else set()
