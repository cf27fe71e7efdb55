"""The score sheet: its criteria, and the reading of a filled one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TOTAL = 100
_ID = re.compile(r"[a-z][a-z_]*")


class SheetError(ValueError):
    """sheet.yml cannot be used. The message is Chinese and says where."""


class BadScore(ValueError):
    """A score is missing or out of bounds. `criterion` says which."""

    def __init__(self, criterion: Criterion) -> None:
        super().__init__(criterion.id)
        self.criterion = criterion


@dataclass(frozen=True, slots=True)
class Criterion:
    id: str
    name: str
    points: int
    """The most that can be given."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    criteria: tuple[Criterion, ...]
    comfort: tuple[str, ...] = ()
    upset: tuple[str, ...] = ()
    slow_seconds: int = 120


def read_sheet(raw: Any) -> Sheet:
    """The sheet of the file's content. Raises SheetError: a criterion without id, name or points, or the sum is not 100."""
    rows = raw.get("criteria") if isinstance(raw, dict) else None
    if not isinstance(rows, list) or not rows:
        raise SheetError("评分表 sheet.yml 里没有 criteria。")
    criteria = tuple(_criterion(row, number) for number, row in enumerate(rows, start=1))
    ids = [one.id for one in criteria]
    if twice := next((one for one in ids if ids.count(one) > 1), ""):
        raise SheetError(f"评分表 sheet.yml 里，id“{twice}”出现了两次。")
    if (total := sum(one.points for one in criteria)) != TOTAL:
        raise SheetError(f"评分表 sheet.yml 里，各项满分相加是 {total}，应当是 {TOTAL}。")
    return Sheet(criteria, _texts(raw, "comfort"), _texts(raw, "upset"), int(raw.get("slow_seconds", 120)))


@cache
def sheet() -> Sheet:
    """The console's sheet."""
    return read_sheet(YAML(typ="safe").load(Path(__file__).with_name("sheet.yml").read_text(encoding="utf-8")))


def kept(criteria: Sequence[Criterion]) -> list[dict[str, Any]]:
    """What a filled sheet keeps of its criteria."""
    return [{"id": one.id, "name": one.name, "points": one.points} for one in criteria]


def criteria_of(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Criterion, ...]:
    """The criteria of a filled sheet as they stood then; today's, with their descriptions, while it is empty."""
    if stored is None:
        return sheet().criteria
    today = {one.id: one.description for one in sheet().criteria}
    return tuple(Criterion(one["id"], one["name"], one["points"], today.get(one["id"], "")) for one in stored)


def read_scores(criteria: Sequence[Criterion], form: Mapping[str, str]) -> dict[str, int]:
    """Criterion -> points out of the form's fields `score_<id>`. Raises BadScore."""
    scores = {}
    for one in criteria:
        text = form.get(f"score_{one.id}", "").strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= one.points):
            raise BadScore(one)
        scores[one.id] = int(text)
    return scores


def _criterion(row: Any, number: int) -> Criterion:
    fields = row if isinstance(row, dict) else {}
    points, name = fields.get("points"), str(fields.get("name") or "")
    if not _ID.fullmatch(str(fields.get("id") or "")) or not name or type(points) is not int or points <= 0:
        raise SheetError(f"评分表 sheet.yml 的第 {number} 项要有 id（小写字母）、name 和 points（大于 0 的整数）。")
    return Criterion(fields["id"], name, points, str(fields.get("description") or ""))


def _texts(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(one) for one in raw.get(name) or ())
