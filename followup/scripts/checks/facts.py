"""What the checker knows of question types, values, variables and outcomes."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from followup.scripts.model import STEP_TYPES
from followup.scripts.walk import NOTHING as NOTHING_TO_SAY
from followup.scripts.walk import shown

RawQuestion = Mapping[str, Any]
"""A question as it stands in the file, after its structure was found right."""

SCALE3 = ("很满意", "一般", "不满意")
SCALE5 = ("非常满意", "满意", "一般", "不满意", "非常不满意")
SATISFIED_NOT = ("不满意", "非常不满意")
FLAG_VALUES = (True,)  # a flag that was not heard is absent, not false
ANSWERED, SKIPPED, NOTHING = "answered", "skipped", "nothing"
RESERVED_IDS = (ANSWERED, SKIPPED, NOTHING, "answer", "consent", "identity", "resume", "callback", "offer", "end")

BUILT_IN_VARIABLES = (
    "customer", "title", "pronoun", "colleague", "question", "callback", "time", "department", "due", "minutes", "questions", "about",
    "greeting", "wish", "care", "number",
)  # fmt: skip
CUSTOMER_VARIABLES = ("customer", "title")
"""Built-in variables a condition may look at."""
ANSWER_VARIABLE = "answer"
"""The answer as it is read back: known only where one was just given (`acknowledge`, `ends`)."""

CLOSED_TYPES = ("choice", "scale3", "scale5", "score", "yes_no", "confirm")
PERSONAL_TYPES = ("phone", "address", "name", "date")

FIELDS: Mapping[str, Mapping[str, type]] = {
    "quantity_of": {"bad": float, "total": float, "ratio": float, "at_least_half": bool},
    "datetime": {"start": str, "end": str, "precision": str},
    "compute": {"bad": float, "total": float, "amount": float, "percent": float, "items": float,
                "skipped": float, "change": float, "direction": str},
}
"""Parts of an answer that a condition may name as `question.part`."""
DIRECTIONS = ("better", "same", "worse", "unknown")
"""What became of a score (`score_change`: `question.direction`)."""
PRECISIONS = ("minute", "hour", "day_part", "day", "week", "month")
"""How exactly a customer names a time (`datetime`: `question.precision`)."""

GIVES: Mapping[str, tuple[str, ...]] = {
    "compensation_by_share": ("bad", "total", "amount"),
    "yes_share": ("percent", "items"),
    "score_share": ("percent", "items"),
    "score_change": ("first", "second"),
}
"""Computation -> variables its sentence may use."""
COMPUTED_VARIABLES = tuple(dict.fromkeys(name for names in GIVES.values() for name in names))

SHARE_OF: Mapping[str, tuple[str, ...]] = {
    "yes_share": ("yes_no", "confirm"),
    "score_share": ("score",),
    "score_change": ("scale3", "scale5", "score"),
}
"""Computation -> types of the questions it is made of (`of`)."""

COMPUTATION_NEEDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "compensation_by_share": (("price", "total"), ("spoiled_amount",)),
    "yes_share": ((), ()),
    "score_share": ((), ()),
    "score_change": (("before",), ()),
}
"""Computation -> (keys of the step that name a variable, quantity_of questions that must come before)."""


CUSTOMER_LED_FLAGS = ("matter_unknown", "reach", "stop")
"""Flags that a talk sets by itself when the customer starts it (`starts: customer`; followup.dialogue.inbound)."""


def flags_of_talk(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Flags that are there without a question that listens for them."""
    return CUSTOMER_LED_FLAGS if data.get("starts") == "customer" else ()


def from_outside(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What conditions may look at besides answers: the customer's data, and the flags the talk sets."""
    return {**data["variables"], **{flag: {"demo": True} for flag in flags_of_talk(data)}}


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


def ending(question: RawQuestion, value: Any) -> Mapping[str, Any] | None:
    """What `ends` says for this answer (None or 无: the question was passed), as the talk looks it up."""
    ends = question.get("ends", {})
    kind = SKIPPED if value in (None, NOTHING_TO_SAY) else ANSWERED
    return ends.get(shown(value)) or ends.get(kind)


def flags(questions: Sequence[RawQuestion]) -> set[str]:
    """Flags that these questions listen for."""
    return {flag for question in questions for flag in question.get("listen_for", {})}


def as_list(value: Any) -> list[Any]:
    """A list, a single value as a list of one, nothing as an empty list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
