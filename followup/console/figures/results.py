"""What counts come to, as tables: shares, means, rates, each number with the list behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

FEW = 5
"""Below it shares say nothing: counts only."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its list, or a text without."""

    number: int | None = None
    link: str = ""
    share: float | None = None
    """Percent with one decimal; None where there is nothing to divide by, or too little."""
    text: str = ""

    @property
    def shown_share(self) -> str:
        return "" if self.share is None else f"{self.share:g}%"


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    cells: tuple[Cell, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`chart`: how it is drawn; empty for not at all."""

    id: str
    title: str
    hint: str
    columns: tuple[str, ...]
    """The first is that of the names."""
    lines: tuple[Line, ...]
    chart: str = ""
    note: str = ""

    @property
    def empty(self) -> bool:
        return not any(cell.number for line in self.lines for cell in line.cells)


def share(part: int, whole: int) -> float | None:
    """Percent, half up; None of less than FEW."""
    return int(part * 1000 / whole + 0.5) / 10 if whole >= FEW else None


def counted(number: int, link: str, whole: int | None = None) -> Cell:
    return Cell(number, link, None if whole is None else share(number, whole))


def mean(points: Iterable[tuple[float, int]]) -> Decimal | None:
    """The mean of (value, how often) with two decimals, half up; None of nothing."""
    pairs = [(Decimal(str(value)), count) for value, count in points]
    total = sum(count for _, count in pairs)
    if not total:
        return None
    return (sum((value * count for value, count in pairs), Decimal()) / total).quantize(Decimal("0.01"), ROUND_HALF_UP)


def rate(part: Decimal | float | int, whole: Decimal | float | int) -> str:
    """`66.7%`, or a dash of nothing."""
    if not whole:
        return "—"
    percent = (Decimal(str(part)) * 100 / Decimal(str(whole))).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{percent.normalize():f}%" if percent != percent.to_integral() else f"{percent:.0f}%"


def scores_of(values: Mapping[Any, int]) -> list[tuple[float, int]]:
    """The scores among the values of an answer: what is text or passed is none."""
    found = []
    for value, count in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if number == number and abs(number) != float("inf"):
            found.append((number, count))
    return found


def chosen(values: Mapping[Any, int], option: str) -> int:
    """How many chose the option, alone or among several."""
    return sum(count for key, count in values.items() if key == option or (isinstance(key, tuple) and option in key))


def others(values: Mapping[Any, int], known: Sequence[str], *without: str) -> dict[str, int]:
    """What was said besides the options, most frequent first."""
    found: dict[str, int] = {}
    for key, count in values.items():
        for one in key if isinstance(key, tuple) else (key,):
            if one not in known and one not in without:
                found[one] = found.get(one, 0) + count
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
