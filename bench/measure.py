"""What the bench measured, as a table of ratios: one row a figure, one column a system."""

from __future__ import annotations

import importlib.metadata as metadata
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from packaging.requirements import Requirement

_MEGA = 1024 * 1024
OURS, STOCK, DIET = "Followup", "stock Rasa", "DIET + rules"
SYSTEMS = (OURS, STOCK, DIET)


@dataclass
class Results:
    """`rows`: label -> system -> figure; smaller is better. `notes`: what a reader must know."""

    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, label: str, system: str, figure: float) -> None:
        self.rows.setdefault(label, {})[system] = figure

    def times(self, label: str, system: str, seconds: Sequence[float]) -> None:
        """Two rows, in milliseconds: p50 and p95."""
        self.put(f"{label}, p50 (ms)", system, 1000 * statistics.median(seconds))
        self.put(f"{label}, p95 (ms)", system, 1000 * statistics.quantiles(seconds, n=20, method="inclusive")[-1])

    def ratios(self) -> list[tuple[str, dict[str, float]]]:
        """label, other system -> its figure in multiples of ours; rows that both have."""
        return [
            (label, {name: row[name] / row[OURS] for name in SYSTEMS[1:] if name in row})
            for label, row in self.rows.items()
            if row.get(OURS) and len(row) > 1
        ]

    def table(self) -> str:
        """Markdown: the figures, and the other systems' as multiples of ours."""
        ratios = dict(self.ratios())
        lines = [
            f"| | {' | '.join(SYSTEMS)} | {' | '.join(f'{name} ÷ ours' for name in SYSTEMS[1:])} |",
            f"|---|{'---:|' * (2 * len(SYSTEMS) - 1)}",
        ]
        for label, row in self.rows.items():
            figures = [_figure(row[name]) if name in row else "–" for name in SYSTEMS]
            times = [f"{ratios[label][name]:.2f}" if name in ratios.get(label, {}) else "–" for name in SYSTEMS[1:]]
            lines.append(f"| {label} | {' | '.join([*figures, *times])} |")
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)])


def memory_of(pid: int) -> float:
    """MB of a process and all below it; what several processes share counts once, in shares (PSS)."""
    root = psutil.Process(pid)
    return sum(_own(process) for process in [root, *root.children(recursive=True)]) / _MEGA


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def install_sizes() -> Mapping[str, float]:
    """MB on disk: all packages of this environment, and those that Rasa alone requires (the versions are ours)."""
    sizes = {_name(one.metadata["Name"]): _size(one) for one in metadata.distributions()}
    return {OURS: sum(sizes.values()), STOCK: sum(sizes.get(name, 0.0) for name in _required("rasa"))}


def _required(name: str) -> set[str]:
    """A distribution and all that it needs here, without extras that nobody asked for."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = _name(waiting.pop())
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for line in needs:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                # On Linux TensorFlow comes as its smaller build (pyproject.toml), for both.
                waiting.append("tensorflow-cpu" if need.name == "tensorflow" else need.name)
    return found


def _size(one: metadata.Distribution) -> float:
    """MB of the files that a package's record names, compiled ones included."""
    paths = {Path(str(one.locate_file(file))) for file in one.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file()) / _MEGA


def _name(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _figure(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"
