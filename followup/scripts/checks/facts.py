"""What the checker knows of question types, values, variables and outcomes."""

from __future__ import annotations

from typing import Any, Mapping

from followup.scripts.model import STEP_TYPES

RawQuestion = Mapping[str, Any]
"""A question as it stands in the file, after its structure was found right."""

SCALE3 = ("很满意", "一般", "不满意")
SCALE5 = ("非常满意", "满意", "一般", "不满意", "非常不满意")
SATISFIED_NOT = ("不满意", "非常不满意")
FLAG_VALUES = (True,)  # a flag that was not heard is absent, not false
ANSWERED, SKIPPED, NOTHING = "answered", "skipped", "nothing"
RESERVED_IDS = (ANSWERED, SKIPPED, NOTHING, "answer", "consent", "identity", "resume", "callback", "offer", "end")

BUILT_IN_VARIABLES = (
    "customer", "title", "pronoun", "question", "callback", "time", "department", "due", "minutes", "about",
    "greeting", "wish", "care", "answer", "number",
)  # fmt: skip
COMPUTED_VARIABLES = ("bad", "total", "amount")

CLOSED_TYPES = ("choice", "scale3", "scale5", "score", "yes_no", "confirm")
PERSONAL_TYPES = ("phone", "address", "name", "date")

FIELDS: Mapping[str, Mapping[str, type]] = {
    "quantity_of": {"bad": float, "total": float, "ratio": float, "at_least_half": bool},
    "datetime": {"start": str, "end": str, "precision": str},
    "compute": {"bad": float, "total": float, "amount": float},
}
"""Parts of an answer that a condition may name as `question.part`."""

COMPUTATION_NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "compensation_by_share": (("price", "total"), ("spoiled_amount",)),
    "yes_share": ((), ()),
    "score_share": ((), ()),
}
"""Computation -> (keys of the step that name a variable, quantity_of questions that must come before)."""


def is_step(question: RawQuestion) -> bool:
    """True for `tell` and `compute`."""
    return question["type"] in STEP_TYPES


def option_values(question: RawQuestion) -> tuple[str, ...]:
    """The values of a choice question's options, in order."""
    return tuple(o if isinstance(o, str) else o["value"] for o in question.get("options", ()))


def named_values(question: RawQuestion) -> tuple[Any, ...] | None:
    """All values an answer can take; None when they are too many to list."""
    kind = question["type"]
    if kind == "choice":
        return option_values(question)
    return {"scale3": SCALE3, "scale5": SCALE5, "yes_no": (True, False), "confirm": (True, False)}.get(kind)


def bounds(question: RawQuestion) -> tuple[float | None, float | None]:
    """Lowest and highest value of a `number` or `score`; a score is 1-10 unless said otherwise."""
    low, high = (1, 10) if question["type"] == "score" else (None, None)
    return question.get("low", low), question.get("high", high)


def probes(question: RawQuestion) -> bool:
    """Whether some answer makes the talk ask for the reason."""
    return bool(question.get("probe_if", question["type"] in ("scale3", "scale5")))


def as_list(value: Any) -> list[Any]:
    """A list, a single value as a list of one, nothing as an empty list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
