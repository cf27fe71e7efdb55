"""What is allowed, but not what the documents advise: told before a campaign starts, in Chinese. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from followup.campaigns.definition import Definition, Unit
from followup.campaigns.parse import UNIT_NAMES, Problem

LEAST_SHARE = 0.3
"""Of ordinary customers (58741)."""
KEY_GROUPS = frozenset({"VIP", "重点客户", "车队", "曾投诉", "事故车", "大修"})
"""Key customers are all contacted (58741: VIP, fleet, earlier complaint, accident, big repair)."""
_NOON = (time(12), time(13))
_BEST = ((time(10), time(11, 30)), (time(15), time(17, 30)))


def advice(made: Definition, schedule: Mapping[str, Any] | None = None) -> list[Problem]:
    """`schedule`: what the script itself suggests (`schedule:` of the script file)."""
    found = [*_sampling(made), *_hours(made)]
    if schedule:
        found += _own_schedule(made, schedule)
    return found


def _sampling(made: Definition) -> list[Problem]:
    found = []
    for number, stratum in enumerate(made.sampling.strata):
        path = f"sampling.strata.{number}.share"
        if KEY_GROUPS & set(stratum.groups) and stratum.share < 1:
            found.append(Problem(path, f"“{stratum.name}”里有重点客户，按规定应当全部回访，现在只抽 {stratum.share:.0%}。"))
        elif stratum.share < LEAST_SHARE:
            found.append(Problem(path, f"“{stratum.name}”只抽 {stratum.share:.0%}，按规定普通客户不应少于 {LEAST_SHARE:.0%}。"))
    if made.sampling.strata and all(stratum.groups for stratum in made.sampling.strata):
        found.append(Problem("sampling.strata", "不在这些分组里的客户一个也不会联系；要联系，请加一层不限分组的。"))
    return found


def _hours(made: Definition) -> list[Problem]:
    found = []
    if any(window.begin < _NOON[1] and window.end > _NOON[0] for window in made.hours.windows):
        found.append(Problem("hours.windows", "有时段在中午 12:00–13:00，客户多半在吃饭或午休。"))
    if any(window.end > time(19) for window in made.hours.windows):
        found.append(Problem("hours.windows", "有时段在 19:00 以后，资料要求这时不再打扰客户。"))
    if not any(window.begin < end and window.end > begin for window in made.hours.windows for begin, end in _BEST):
        found.append(Problem("hours.windows", "没有一个时段在最合适的 10:00–11:30 或 15:00–17:30。"))
    if made.hours.holidays:
        found.append(Problem("hours.holidays", "节假日也会联系客户。"))
    return found


def _own_schedule(made: Definition, schedule: Mapping[str, Any]) -> list[Problem]:
    unit = next((unit for unit in Unit if unit.value in schedule), None)
    if unit is None:
        return []
    number = schedule[unit.value]
    if any(rule.after.unit is unit and rule.after.number == number for rule in made.rules):
        return []
    return [Problem("rules", f"这份话术是为“{schedule.get('after', '')}”后 {number} {UNIT_NAMES[unit]}写的，现在没有这个时间的联系。")]
