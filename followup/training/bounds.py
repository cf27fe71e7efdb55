"""data/training.yml: what is kept, how much worse a candidate may be, and what it must understand before it takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

FILE = "data/training.yml"
_NICEST = 19


class BoundsError(ValueError):
    """The file cannot be used. The message is Chinese and names the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Beyond any of these a candidate is blocked. Shares are between 0 and 1."""

    accuracy_drop: float = 0.005
    macro_recall_drop: float = 0.01
    intent_recall_drop: float = 0.1
    intent_precision_drop: float = 0.15
    intent_min_lines: int = 10
    corrected_drop: float = 0.02
    calibration_error_rise: float = 0.02
    slower: float = 1.5
    """Times the time of one line."""
    broken_talks: int = 0
    never_lose: tuple[str, ...] = ()
    """Intents of which no line may be lost that the live model understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRules:
    """The whole file."""

    bounds: Bounds = Bounds()
    keep_versions: int = 10
    keep_live_days: int = 90
    keep_old_minutes: int = 10
    """How long the Rasa that was live before stays up, so that going back takes no start; 0: it ends at once."""
    months_of_corrections: int = 1
    nice: int = 19
    """How far a training steps back for everything else on the machine, 0 to 19; 19: it takes idle time only."""
    probe: Mapping[str, str] = field(default_factory=dict)
    """Line -> the intent it must have, by its full name."""


def load_rules(project: Path) -> TrainingRules:
    """Read and check the file; without one the defaults hold. Raises BoundsError."""
    path = project / FILE
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text("utf-8")) if path.exists() else {}
    except (YAMLError, UnicodeDecodeError) as error:
        raise BoundsError(f"{FILE} 读不出来：{error}") from None
    raw = raw or {}
    if not isinstance(raw, dict):
        raise BoundsError(f"{FILE} 里应当是“名称: 值”的列表。")
    given = dict(raw)
    bounds = given.pop("bounds", None) or {}
    probe = given.pop("probe", None) or {}
    if not isinstance(probe, dict) or not all(isinstance(each, str) for pair in probe.items() for each in pair):
        raise BoundsError(f"{FILE} 的 probe 应当写成“一句话: 意图”。")
    numbers = _numbers(given, TrainingRules, whole=True)
    if numbers.get("nice", 0) > _NICEST:
        raise BoundsError(f"{FILE} 里“nice”的值“{numbers['nice']}”不对，应当是 0 到 {_NICEST} 之间的整数。")
    return TrainingRules(bounds=_bounds(bounds), probe=probe, **numbers)


def _bounds(raw: Any) -> Bounds:
    if not isinstance(raw, dict):
        raise BoundsError(f"{FILE} 的 bounds 应当是“名称: 值”的列表。")
    given = dict(raw)
    never = given.pop("never_lose", None) or []
    if not isinstance(never, list) or not all(isinstance(each, str) for each in never):
        raise BoundsError(f"{FILE} 的 never_lose 应当是意图的列表。")
    return Bounds(never_lose=tuple(never), **_numbers(given, Bounds))


def _numbers(given: dict[str, Any], kind: type, whole: bool = False) -> dict[str, Any]:
    known = {one.name for one in fields(kind)}
    for name, value in given.items():
        if name not in known:
            raise BoundsError(f"{FILE} 里的“{name}”不认识，可能写错了。")
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or value < 0:
            raise BoundsError(f"{FILE} 里“{name}”的值“{value}”不对，应当是不小于 0 的{'整数' if whole else '数'}。")
    return given
