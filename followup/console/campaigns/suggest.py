"""What a new campaign begins with: the script's own time, the firm's name, everything else as the documents advise. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from followup.campaigns.definition import Amount, Definition, Rule, Unit
from followup.campaigns.parse import UNIT_NAMES, as_json
from followup.scripts.model import Script

DATE_ENDINGS = ("日期", "时间")


def definition(content: Mapping[str, Any], script: Script, columns: Sequence[str], company: str) -> dict[str, Any]:
    """The JSON of a draft. `columns`: of the customer list; `company`: the firm's name, where it is set."""
    given = {"company": company, "agent": str(script.variables.get("agent", {}).get("demo", ""))}
    variables = {name: value for name, value in given.items() if value and name in script.variables}
    return as_json(Definition(script.id, (rule(content, columns),), variables=variables))


def rule(content: Mapping[str, Any], columns: Sequence[str]) -> Rule:
    """The script's own time; without one the campaign's start."""
    schedule = content["script"].get("schedule") or {}
    unit = next((unit for unit in Unit if unit.value in schedule), None)
    if unit is None:
        return Rule("启动后", "")
    amount = Amount(int(schedule[unit.value]), unit)
    return Rule(f"{amount.number}{UNIT_NAMES[unit]}", column_for(str(schedule["after"]), columns), amount)


def column_for(event: str, columns: Sequence[str]) -> str:
    """The column that holds the date of an event: 签收 → 签收日期; what it would be called where there is none yet."""
    for name in (event, *(event + end for end in DATE_ENDINGS)):
        if name in columns:
            return name
    dated = [name for name in columns if name.endswith(DATE_ENDINGS)]
    return next((name for name in dated if event in name), event + DATE_ENDINGS[0])
