"""Figures of a run: times of turns, memory of processes."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

_MEGA = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """One system's figures: seconds for each turn, MB (proportional set size) for each process, seconds to start."""

    name: str
    turns: Sequence[float]
    memory: dict[str, float]
    start: float

    @property
    def p50(self) -> float:
        """Milliseconds."""
        return 1000 * statistics.median(self.turns)

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return 1000 * statistics.quantiles(self.turns, n=20, method="inclusive")[-1]

    @property
    def total_memory(self) -> float:
        """MB."""
        return sum(self.memory.values())


def memory_of(pid: int) -> float:
    """MB of a process and all below it; what several processes share counts once, in shares (PSS)."""
    root = psutil.Process(pid)
    return sum(_own(process) for process in [root, *root.children(recursive=True)]) / _MEGA


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def table(ours: Figures, stock: Figures) -> str:
    """A table in Markdown: both systems, and ours as a multiple of the stock one."""
    rows: list[tuple[str, float, float]] = [
        ("turn, p50 (ms)", ours.p50, stock.p50),
        ("turn, p95 (ms)", ours.p95, stock.p95),
        ("memory of Rasa (MB)", ours.memory["rasa"], stock.memory["rasa"]),
        ("memory of everything (MB)", ours.total_memory, stock.total_memory),
        ("start of Rasa (s)", ours.start, stock.start),
    ]
    lines = [f"| | {ours.name} | {stock.name} | ratio |", "|---|---:|---:|---:|"]
    lines += [f"| {label} | {a:.1f} | {b:.1f} | {a / b:.2f} |" for label, a, b in rows]
    lines += ["", f"{len(ours.turns)} and {len(stock.turns)} turns, one after the other.", ""]
    return "\n".join(lines + list(_processes([ours, stock])))


def _processes(systems: Iterable[Figures]) -> Iterable[str]:
    yield "| process | memory (MB) |"
    yield "|---|---:|"
    for system in systems:
        for name, megabytes in sorted(system.memory.items(), key=lambda item: -item[1]):
            yield f"| {system.name}: {name} | {megabytes:.0f} |"
