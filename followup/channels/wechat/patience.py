"""How long a request of WeChat's waits for its turn: a passive reply costs no quota, but the acknowledgement must not suffer. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT = 4.0
"""Seconds; WeChat itself waits five."""
PROMPT = 0.6
"""The same while nothing says that a turn ends soon."""
FAST = 1.0
"""A turn that ends within so many seconds lets the next requests wait."""
_NEVER = float("-inf")


class Patience:
    """Of one process.

    - While the last turn that ended was a fast one, requests wait for theirs as long as turns do end; one of them, the oldest,
      waits long although none does. After a slow one each waits PROMPT, until a fast one is seen.
    - Once somebody waited in vain, nobody waits at all until a turn ends, anybody's: turns are watched on when their requests have
      gone (`followup.web.wechat_turns`), so that no request must find out.
    """

    def __init__(self, wait: float = WAIT, prompt: float = PROMPT, clock: Callable[[], float] = time.monotonic) -> None:
        self.wait, self.prompt, self.clock = wait, prompt, clock
        self.fast = True
        self.in_vain = self.long_in_vain = False
        """Nothing has ended since somebody left after PROMPT, after WAIT."""
        self.ended_at = _NEVER
        self.scout: Waiting | None = None

    def waiting(self, *, last_chance: bool = False) -> Waiting:
        """One request, from now. `last_chance`: no message can follow later, so it waits long unless that was in vain."""
        return Waiting(self, last_chance)


class Waiting:
    """One request's: `left()` until it is 0 or the turn `ended()`, then `goes()`."""

    def __init__(self, patience: Patience, last_chance: bool) -> None:
        self._all, self._last_chance = patience, last_chance
        self.begun = patience.clock()
        self._expects = not (patience.long_in_vain if last_chance else patience.in_vain)

    def left(self) -> float:
        """Seconds that may still be waited; at most 0: it is answered now."""
        at = self._all.clock()
        if not self._expects:
            return 0.0
        longest = self.begun + self._all.wait - at
        if self._last_chance:
            return longest
        if not self._all.fast:
            return min(longest, self.begun + self._all.prompt - at)
        self._all.scout = self._all.scout or self
        if self._all.scout is self:
            return longest
        return min(longest, max(self.begun, self._all.ended_at) + self._all.prompt - at)

    def ended(self) -> None:
        """The turn has ended; also when the request has gone."""
        every, at = self._all, self._all.clock()
        every.ended_at, every.fast = at, at - self.begun <= FAST
        every.in_vain = every.long_in_vain = False

    def goes(self, *, in_vain: bool) -> None:
        """The request is answered. `in_vain`: without its turn, and not because that failed."""
        every = self._all
        if every.scout is self:
            every.scout = None
        if not in_vain or every.ended_at >= self.begun:  # others' turns do end
            return
        waited = every.clock() - self.begun
        every.in_vain |= waited >= min(every.prompt, every.wait)
        every.long_in_vain |= waited >= every.wait
