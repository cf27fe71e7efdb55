"""The memory of each process while something runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from bench.measure import memory_of


@dataclass
class Watch:
    """Samples of (seconds, turns so far, MB by process); `turns` says how many there were."""

    pids: Callable[[], Mapping[str, int]]
    turns: Callable[[], int] = lambda: 0
    samples: list[tuple[float, int, dict[str, float]]] = field(default_factory=list)

    def take(self, since: float) -> None:
        with suppress(psutil.NoSuchProcess):
            memory = {name: memory_of(pid) for name, pid in self.pids().items()}
            self.samples.append((time.monotonic() - since, self.turns(), memory))

    async def run(self, every: float) -> None:
        """Until cancelled; one sample at the end."""
        since = time.monotonic()
        try:
            while True:
                self.take(since)
                await asyncio.sleep(every)
        finally:
            self.take(since)

    def table(self, most: int = 12) -> str:
        """Markdown, at most so many samples, the first and the last among them."""
        step = max(1, -(-(len(self.samples) - 1) // (most - 1)))
        shown = [*self.samples[:-1:step], *self.samples[-1:]]
        names = sorted({name for _, _, memory in shown for name in memory})
        lines = [f"| minutes | turns | {' | '.join(f'{name} (MB)' for name in names)} |", f"|{'---:|' * (2 + len(names))}"]
        for seconds, turns, memory in shown:
            lines.append(f"| {seconds / 60:.1f} | {turns:,} | {' | '.join(f'{memory.get(name, 0):.0f}' for name in names)} |")
        return "\n".join(lines)
