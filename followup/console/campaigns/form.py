"""What the wizard's forms send <-> parts of a definition's JSON. Pure; `campaigns.parse` says what is wrong with it.

Rows of a table (联系时间, 时段, 分层) are fields of the same names, one after another. A row in which nothing was written is no row;
one that is ticked in `drop` is taken out; every other one is kept as it was typed, right or wrong, so that nothing typed is lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from followup.campaigns.parse import CHANNELS, UNIT_NAMES, Problem

LONGEST = 200
MOST_ROWS = 40
_ROWS = {"rules": "联系时间", "windows": "时段", "strata": "分层", "conditions": "条件"}


class Fields(Protocol):
    """A MultiDict of text fields."""

    def getall(self, key: str, default: Any = ...) -> list[Any]: ...

    def keys(self) -> Iterable[str]: ...


def texts(form: Fields, name: str) -> list[str]:
    """Every value sent under a name, as clean text."""
    found = [value for value in form.getall(name, []) if isinstance(value, str)]
    return [" ".join(value.replace("\0", "").split())[:LONGEST] for value in found[:MOST_ROWS]]


def text(form: Fields, name: str) -> str:
    return next(iter(texts(form, name)), "")


def words(written: str) -> list[str]:
    """"甲、乙，丙" as a list."""
    return [word.strip() for word in re.split(r"[、，,;；|]+", written) if word.strip()]


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows of a form. `chosen`: the columns that always hold something, being chosen from a list."""

    form: Fields
    columns: Sequence[str]
    chosen: Sequence[str] = ()

    def rows(self) -> list[dict[str, str]]:
        """Those in which something is written and that are not to be dropped."""
        values = {name: texts(self.form, name) for name in self.columns}
        every = ({name: column[n] if n < len(column) else "" for name, column in values.items()} for n in range(len(values[self.columns[0]])))
        dropped = set(texts(self.form, "drop"))
        return [row for n, row in enumerate(every) if str(n) not in dropped and self._is_written(row)]

    def _is_written(self, row: Mapping[str, str]) -> bool:
        return any(value for name, value in row.items() if name not in self.chosen)


def talk_part(form: Fields, variables: Sequence[str]) -> dict[str, Any]:
    """Step 1: the script and what fills its variables."""
    return {"variables": {name: given for name in variables if (given := text(form, f"var_{name}"))}}


def every_variable(form: Fields) -> dict[str, Any]:
    """What was written for variables, whichever script they are of."""
    names = dict.fromkeys(name.removeprefix("var_") for name in form.keys() if name.startswith("var_"))
    return talk_part(form, list(names)[:MOST_ROWS])


def audience_part(form: Fields) -> dict[str, Any]:
    """Step 2, and the query of the live count."""
    rows = _Table(form, ("field", "values")).rows()
    imports = [int(one) if one.isascii() and one.isdigit() and len(one) < 16 else 0 for one in texts(form, "imports")]
    return {
        "audience": {
            "groups": texts(form, "groups"),
            "without_groups": texts(form, "without"),
            "conditions": [{"field": row["field"], "values": words(row["values"])} for row in rows],
            "imports": imports,
        }
    }


_RULE = (
    "rule", "date_field", "moment", "after_number", "after_unit", "latest_number", "deadline_number", "deadline_unit", "every",
    "times", "late",
)  # fmt: skip
_CHOSEN = ("moment", "after_unit", "deadline_unit", "late")
_UNITS = {unit.value: name for unit, name in UNIT_NAMES.items()}


def rules_part(form: Fields) -> dict[str, Any]:
    """Step 3: when. A rule without a name gets one by its time."""
    rules = [_rule(row) for row in _Table(form, _RULE, _CHOSEN).rows()]
    for number, rule in enumerate(rules):
        rule["id"] = rule["id"] or _name(rule, {one["id"] for one in rules[:number] + rules[number + 1 :]})
    return {"rules": rules}


def _name(rule: Mapping[str, Any], taken: Collection[str]) -> str:
    """3天, 8-15天, 当天傍晚; with a number behind it where the name is taken."""
    number, unit = rule["after"]["number"], _UNITS.get(rule["after"]["unit"], "")
    if rule["latest"]:
        name = f"{number}-{rule['latest']['number']}{unit}"
    elif rule["evening"] or str(number) == "0":
        name = ("当天傍晚" if str(number) == "0" else f"{number}{unit}傍晚") if rule["evening"] else "马上"
    else:
        name = f"{number}{unit}"
    names = (name[:16] + again for again in ("", *(f"（{n}）" for n in range(2, MOST_ROWS + 2))))
    return next(one for one in names if one not in taken)


def _rule(row: Mapping[str, str]) -> dict[str, Any]:
    after, evening = _amount(row["after_number"] or "0", row["after_unit"]), row["moment"] == "evening"
    return {
        "id": row["rule"],
        "date_field": row["date_field"],
        "after": {"number": 0, "unit": "hours"} if row["moment"] == "at_once" else after,
        "evening": evening,
        "latest": _amount(row["latest_number"], row["after_unit"]) if row["latest_number"] and row["moment"] != "at_once" else None,
        "deadline": _amount(row["deadline_number"], row["deadline_unit"]) if row["deadline_number"] else None,
        "every": row["every"] or "0",
        "times": row["times"] or "0",
        "late": row["late"],
    }


def moment_of(rule: Mapping[str, Any]) -> str:
    """at_once | evening | after: the three kinds of times a form offers."""
    if rule.get("evening"):
        return "evening"
    after = rule.get("after") or {}
    return "at_once" if not after.get("number") and after.get("unit") == "hours" else "after"


def _amount(number: str, unit: str) -> dict[str, Any]:
    return {"number": number, "unit": unit or "days"}


def hours_part(form: Fields) -> dict[str, Any]:
    """Step 4: the hours."""
    rows = _Table(form, ("begin", "end", "weekdays", "season_first", "season_last"), ("weekdays",)).rows()
    return {"hours": {"windows": [_window(row) for row in rows], "holidays": text(form, "holidays") == "1"}}


def _window(row: Mapping[str, str]) -> dict[str, Any]:
    season = {"first": row["season_first"], "last": row["season_last"]} if row["season_first"] or row["season_last"] else None
    weekdays = [int(day) for day in row["weekdays"] if day in "1234567"]
    return {"begin": row["begin"], "end": row["end"], "weekdays": weekdays, "season": season}


def strategy_part(form: Fields) -> dict[str, Any]:
    """Step 5: channels, reminders, sampling, how fast, from when to when."""
    chosen = sorted((order, channel) for channel in CHANNELS if (order := text(form, f"order_{channel}")))
    rows = _Table(form, ("stratum", "share", "stratum_groups")).rows()
    return {
        "channels": [channel for _, channel in chosen],
        "retry": {
            "times": text(form, "retry_times"),
            "interval_hours": text(form, "interval_hours"),
            "expires_hours": text(form, "expires_hours"),
            **_again(form, "not_delivered"),
            **_again(form, "unfinished"),
        },
        "sampling": {
            "strata": [
                {"name": row["stratum"], "groups": words(row["stratum_groups"]), "share": _share(row["share"])} for row in rows
            ],
            "top_up": text(form, "top_up") == "1",
        },
        "priority": text(form, "priority"),
        "per_minute": text(form, "per_minute"),
        "keep_days": text(form, "keep_days") or 0,
        "starts_on": text(form, "starts_on") or None,
        "ends_on": text(form, "ends_on") or None,
    }


def _again(form: Fields, reason: str) -> dict[str, dict[str, str]]:
    """A row of the table of reasons; nothing where the form has none."""
    if f"{reason}_times" not in form.keys():
        return {}
    return {reason: {"times": text(form, f"{reason}_times"), "interval_hours": text(form, f"{reason}_hours")}}


def _share(written: str) -> float | str:
    """"30" or "30%" as 0.3; what is no percentage stays as it was written, and is refused."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)\s*[%％]?", written)
    return round(float(found[1]) / 100, 6) if found else written


def beside(problems: Sequence[Problem]) -> dict[str, str]:
    """Path of a field -> what is wrong with it, to be shown beside the field."""
    found: dict[str, str] = {}
    for problem in problems:
        found.setdefault(problem.path, problem.message)
    return found


def told(problem: Problem) -> str:
    """The sentence, with the number of the row it is about."""
    parts = problem.path.split(".")
    for name, number in zip(parts, parts[1:], strict=False):
        if name in _ROWS and number.isdigit():
            return f"第 {int(number) + 1} 个{_ROWS[name]}：{problem.message}"
    return problem.message
