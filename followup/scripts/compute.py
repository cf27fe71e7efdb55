"""Results that follow from the answers by a documented rule, by name (`compute:` in a script)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Callable, Mapping

from followup.scripts.model import Question

Result = dict[str, Any]


def compensation_by_share(question: Question, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Result | None:
    """Fewer than half spoiled: the spoiled fruits' share of the sales price, in yuan (fruit_order, 63714 2.3).

    The price of one fruit is the price of the box divided by the fruits in it: the customer's own count
    where given, the order's otherwise. None when a figure is missing.
    """
    amount = values.get("spoiled_amount") or {}
    try:
        total = Decimal(str(amount.get("total") or variables[question.total]))
        price = Decimal(str(variables[question.price]))
        bad = Decimal(str(amount["bad"])) if amount.get("bad") is not None else total * Decimal(str(amount["ratio"]))
    except (KeyError, InvalidOperation):
        return None
    if total <= 0 or bad <= 0:
        return None
    yuan = (price * bad / total).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"bad": _plain(bad), "total": _plain(total), "amount": _plain(yuan)}


def yes_share(question: Question, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Result | None:
    """落实度: of the yes/no items answered, the share answered with yes, in percent (63714 服务满意度 2.1 ...).

    The document breaks off before its method (docs/decisions/0008); items that were passed do not count, and are counted.
    """
    answered = [values[i] for i in question.of if isinstance(values.get(i), bool)]
    if not answered:
        return None
    percent = _round(Decimal(sum(answered)) * 100 / len(answered))
    return {"percent": _plain(percent), "items": len(answered), "skipped": _passed(question, values)}


def score_share(question: Question, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Result | None:
    """满意度: the mean of the 1-10 scores given, in percent of 10 (63714 服务满意度 2.2 ...); see `yes_share`."""
    given = [Decimal(str(values[i])) for i in question.of if is_number(values.get(i))]
    if not given:
        return None
    percent = _round(sum(given) * 10 / len(given))
    return {"percent": _plain(percent), "items": len(given), "skipped": _passed(question, values)}


def score_change(question: Question, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Result | None:
    """The opinion given now beside the one before the matter was dealt with (after_service_satisfaction, 34329).

    {"first", "second", "change", "direction"}: `change` in points of a score, or in steps of 不满意 - 一般 - 满意;
    `direction` better | same | worse | unknown. Unknown, with `first` and `change` None: nothing was given before, or
    it cannot be held against the second (a score and a word). None when there is no second opinion.
    """
    second = values.get(question.of[0])
    first = variables.get(question.before)
    after = _level(second)
    if after is None:
        return None
    before = _level(first, like=second)
    if before is None:
        return {"first": None, "second": second, "change": None, "direction": "unknown"}
    change = after - before
    direction = "better" if change > 0 else "worse" if change < 0 else "same"
    return {"first": first, "second": second, "change": _plain(change), "direction": direction}


def is_number(value: Any) -> bool:
    """A number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_STEPS = {"非常不满意": 1, "不满意": 1, "不满": 1, "一般": 2, "满意": 3, "很满意": 3, "非常满意": 3}
_FIVE_STEPS = {"非常不满意": 1, "不满意": 2, "不满": 2, "一般": 3, "满意": 4, "很满意": 5, "非常满意": 5}
_ONLY_OF_FIVE = ("非常不满意", "满意", "非常满意")
"""Answers that only the five-step scale has: then its five steps are compared."""


def _level(value: Any, like: Any = None) -> Decimal | None:
    """A score as it is, a word by its step; None when it is neither, or not of the kind of `like`."""
    of = value if like is None else like
    if is_number(of):
        try:
            level = Decimal(str(value).strip().removesuffix("分"))
        except InvalidOperation:
            return None
        return level if level.is_finite() else None
    steps = _FIVE_STEPS if of in _ONLY_OF_FIVE else _STEPS
    step = steps.get(value.strip()) if isinstance(value, str) else None
    return Decimal(step) if step is not None else None


def _passed(question: Question, values: Mapping[str, Any]) -> int:
    """How many of the items were asked and passed without an answer."""
    return sum(1 for i in question.of if i in values and values[i] is None)


def _round(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


COMPUTATIONS: dict[str, Callable[[Question, Mapping[str, Any], Mapping[str, Any]], Result | None]] = {
    "compensation_by_share": compensation_by_share,
    "yes_share": yes_share,
    "score_share": score_share,
    "score_change": score_change,
}
