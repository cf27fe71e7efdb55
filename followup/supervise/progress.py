"""What an operator sees while the product starts: one line for each step, and what is going on meanwhile."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_TICK_SECONDS = 0.5
_ERASE = "\r\x1b[K"


class Progress:
    """Steps may overlap. In a terminal a last line shows what is still under way, and for how long."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._live = out.isatty()
        self._active: dict[str, float] = {}
        self._ticker: asyncio.Task[None] | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step; it is reported as done with its seconds when the block ends without an error."""
        began = time.monotonic()
        self._active[title] = began
        if not self._live:
            self.line(f"  {title}……")
        self._draw()
        try:
            yield
        except BaseException:
            del self._active[title]
            self.line(f"✗ {title}")
            raise
        del self._active[title]
        self.line(f"✓ {title}（{time.monotonic() - began:.1f} 秒）")

    def line(self, text: str) -> None:
        """A line that stays."""
        if self._live:
            self._out.write(_ERASE)
        self._out.write(text + "\n")
        self._draw()
        self._out.flush()

    async def __aenter__(self) -> "Progress":
        if self._live:
            self._ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self._draw()

    def _draw(self) -> None:
        if not self._live or not self._active:
            return
        title, began = next(iter(self._active.items()))
        more = f"，另有 {len(self._active) - 1} 项" if len(self._active) > 1 else ""
        self._out.write(f"{_ERASE}  {title}…… {time.monotonic() - began:.0f} 秒{more}")
        self._out.flush()
