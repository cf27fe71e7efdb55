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

    The document's own method breaks off after the questions; items without an answer do not count.
    """
    answered = [values[i] for i in question.of if isinstance(values.get(i), bool)]
    if not answered:
        return None
    return {"percent": _plain(_round(Decimal(sum(answered)) * 100 / len(answered))), "items": len(answered)}


def score_share(question: Question, values: Mapping[str, Any], variables: Mapping[str, Any]) -> Result | None:
    """满意度: the mean of the 1-10 scores given, in percent of 10 (63714 服务满意度 2.2 ...); see `yes_share`."""
    given = [Decimal(str(values[i])) for i in question.of if isinstance(values.get(i), (int, float))]
    if not given:
        return None
    return {"percent": _plain(_round(sum(given) * 10 / len(given))), "items": len(given)}


def _round(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"), ROUND_HALF_UP)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


COMPUTATIONS: dict[str, Callable[[Question, Mapping[str, Any], Mapping[str, Any]], Result | None]] = {
    "compensation_by_share": compensation_by_share,
    "yes_share": yes_share,
    "score_share": score_share,
}
