"""How long a request of WeChat's waits for its turn: a passive reply costs no quota, but the acknowledgement must not suffer. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT = 4.0
"""Seconds; WeChat itself waits five."""
PROMPT = 0.6
"""The same while no turn ends."""
REST = 30.0
"""Seconds after a long wait in vain in which nobody waits long."""
_NEVER = float("-inf")


class Patience:
    """Of one process. Past PROMPT a request waits only while turns end, its own or others'; one request at a time waits
    long although none does, to find out. When that was in vain, nobody does so for a while.

    So while Rasa is away, one acknowledgement in half a minute is late and all others are prompt.
    """

    def __init__(self, wait: float = WAIT, prompt: float = PROMPT, clock: Callable[[], float] = time.monotonic) -> None:
        self.wait, self.prompt, self.clock = wait, prompt, clock
        self.scout: Waiting | None = None
        self.rests_until = self.ended_at = _NEVER

    @contextmanager
    def waiting(self, *, last_chance: bool = False) -> Iterator[Waiting]:
        """For one request. `last_chance`: no message can follow later, so each waits long unless that was in vain lately."""
        waiting = Waiting(self, last_chance)
        try:
            yield waiting
        finally:
            waiting.close()


class Waiting:
    """One request's."""

    def __init__(self, patience: Patience, last_chance: bool) -> None:
        self._all, self._last_chance = patience, last_chance
        self._begun = patience.clock()
        self._ended = False

    def left(self) -> float:
        """Seconds that may still be waited."""
        at = self._all.clock()
        if self._all.scout is None and at >= self._all.rests_until:
            self._all.scout = self
        longest = self._begun + self._all.wait - at
        if self._waits_long(at):
            return longest
        return min(longest, max(self._begun, self._all.ended_at) + self._all.prompt - at)

    def ended(self) -> None:
        """The turn has ended in time."""
        self._ended = True
        self._all.ended_at, self._all.rests_until = self._all.clock(), _NEVER

    def close(self) -> None:
        at = self._all.clock()
        if not self._ended and self._waits_long(at):
            self._all.rests_until = at + REST
        if self._all.scout is self:
            self._all.scout = None

    def _waits_long(self, at: float) -> bool:
        return self._all.scout is self or (self._last_chance and at >= self._all.rests_until)
