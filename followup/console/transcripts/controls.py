"""How a wrongly read answer is put right: which form its question needs, and what the form said. Pure.

The values are those that `followup.reading` would have read, so that figures and computed results take them alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from followup.reading import Asked, Heard, read
from followup.reading.scale import SCALE3, SCALE5
from followup.scripts.model import Question
from followup.scripts.walk import NOTHING

OTHER = "__other__"
NOTHING_SAID = "__none__"
_LONGEST = 2000
_PERSONAL_TYPES = ("phone", "address", "name")
_SCALES: dict[str, tuple[str, ...]] = {"scale3": SCALE3, "scale5": SCALE5}


class BadValue(ValueError):
    """The form's value cannot be. `key` names the sentence in labels.yml, group correction_errors."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Control:
    """The form for one answer."""

    kind: str
    """choice | many | yes_no | number | quantity | time | date | text; none: it cannot be corrected by hand"""
    options: tuple[str, ...] = ()
    other: bool = False
    low: float | None = None
    high: float | None = None
    type: str = "open"
    total: int | float | None = None
    """Known whole of a quantity."""

    @property
    def personal(self) -> bool:
        """Whether the answer itself is personal data."""
        return self.type in _PERSONAL_TYPES


def control_of(question: Question | None, value: Any, total: Any = None) -> Control:
    """The form for the question; without a question (an old or foreign script) one that suits the value.

    `total` is the whole of a quantity, where the order tells it.
    """
    if question is None:
        return _by_value(value)
    kind = question.type
    if kind in _SCALES:
        return Control("choice", _SCALES[kind], type=kind)
    if kind == "choice":
        options = tuple(option.value for option in question.options)
        return Control("many" if question.multiple else "choice", options, question.other, type=kind)
    if kind in ("yes_no", "confirm"):
        return Control("yes_no", type=kind)
    if kind in ("score", "number"):
        return Control("number", low=question.low, high=question.high, type=kind)
    if kind == "quantity_of":
        return Control("quantity", type=kind, total=_number_or_none(total))
    simple = {"datetime": "time", "date": "date", "compute": "none", "tell": "none"}
    return Control(simple.get(kind, "text"), type=kind)


def value_of(control: Control, form: Mapping[str, str], several: Sequence[str] = ()) -> Any:
    """The answer that the form gives; None for 未回答. `several`: the ticked options. Raises BadValue."""
    chosen = form.get("value", "").strip()
    if chosen == NOTHING_SAID or form.get("none"):
        return None
    if control.kind == "choice":
        return _option(control, chosen, form)
    if control.kind == "many":
        return _options(control, several, form)
    if control.kind == "yes_no":
        if chosen not in ("true", "false"):
            raise BadValue("bad_option")
        return chosen == "true"
    if control.kind == "number":
        return _number(control, chosen)
    if control.kind == "quantity":
        return _quantity(control, form)
    if control.kind == "time":
        return _time(chosen)
    if control.kind == "date":
        return _date(chosen)
    if control.kind == "text":
        return _text(control, chosen)
    raise BadValue("bad_option")


def _by_value(value: Any) -> Control:
    if isinstance(value, bool):
        return Control("yes_no", type="yes_no")
    if isinstance(value, (int, float)):
        return Control("number", type="number")
    if isinstance(value, (dict, list)):
        return Control("none")
    return Control("text")


def _option(control: Control, chosen: str, form: Mapping[str, str]) -> str:
    if control.other and chosen == OTHER:
        return _words(form.get("other", ""))
    if chosen not in control.options:
        raise BadValue("bad_option")
    return chosen


def _options(control: Control, several: Sequence[str], form: Mapping[str, str]) -> list[str]:
    if any(one not in (*control.options, OTHER) for one in several):
        raise BadValue("bad_option")
    found = [one for one in control.options if one in several]
    if control.other and OTHER in several:
        found.append(_words(form.get("other", "")))
    return found


def _number(control: Control, text: str) -> int | float:
    value = _number_or_none(text)
    if value is None:
        raise BadValue("bad_number")
    if (control.low is not None and value < control.low) or (control.high is not None and value > control.high):
        raise BadValue("out_of_bounds")
    return value


def _quantity(control: Control, form: Mapping[str, str]) -> dict[str, Any]:
    """{"bad", "total", "ratio", "at_least_half"} as `reading.quantity` gives it; exactly half counts as half."""
    bad, total = _number_or_none(form.get("bad", "")), _number_or_none(form.get("total", ""))
    if total is None and not form.get("total", "").strip():
        total = control.total
    if bad is None or bad < 0 or (total is None and form.get("total", "").strip()) or (total is not None and not bad <= total > 0):
        raise BadValue("bad_quantity")
    ratio = round(bad / total, 4) if total else (0.0 if bad == 0 else None)
    half = bad * 2 >= total if total else (False if bad == 0 else None)
    return {"bad": bad, "total": total, "ratio": ratio, "at_least_half": half}


def _time(text: str) -> dict[str, str]:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue("bad_time") from None
    if at.tzinfo is not None or len(text) < 16:
        raise BadValue("bad_time")
    start = at.isoformat(timespec="seconds")
    return {"start": start, "end": start, "precision": "minute"}


def _date(text: str) -> str:
    whole = text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else f"2000-{text}" if re.fullmatch(r"\d\d-\d\d", text) else ""
    try:
        date.fromisoformat(whole)
    except ValueError:
        raise BadValue("bad_date") from None
    return text


def _text(control: Control, text: str) -> str:
    if control.type == "phone":
        reading = read(Asked("phone"), Heard(text))
        if reading is None:
            raise BadValue("bad_phone")
        return reading.value
    return NOTHING if text in ("没有", NOTHING) and control.type == "open" else _words(text)


def _words(text: str) -> str:
    text = text.strip()[:_LONGEST]
    if not text:
        raise BadValue("no_text")
    return text


def _number_or_none(value: Any) -> int | float | None:
    """A finite number of a form or a table; None for anything else."""
    if not re.fullmatch(r"-?\d{1,12}(?:\.\d{1,6})?", str(value).strip(), re.ASCII):
        return None
    number = float(str(value))
    return int(number) if number.is_integer() else number
