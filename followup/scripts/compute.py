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
    if total <= 0:
        return None
    yuan = (price * bad / total).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"bad": _plain(bad), "total": _plain(total), "amount": _plain(yuan)}


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


COMPUTATIONS: dict[str, Callable[[Question, Mapping[str, Any], Mapping[str, Any]], Result | None]] = {
    "compensation_by_share": compensation_by_share,
}
