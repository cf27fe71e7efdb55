"""How fast one talk may send, and how many talks may begin. Against a stuck key or a script, not against people: nobody types 20 lines at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.database import Database
from followup.web.shared_limits import SharedBucket


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class TalkLimiter:
    """A token bucket for each talk, in this process's memory."""

    def __init__(
        self, *, burst: int = 20, per_second: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._swept = clock()

    def wait_for(self, talk: str) -> int:
        """0 when the talk may send now (and that is counted), else the whole seconds to wait."""
        now = self._clock()
        self._sweep(now)
        bucket = self._buckets.setdefault(talk, _Bucket(self._burst, now))
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) / self._per_second))

    def standing_wait(self, talk: str) -> int:
        """The same, and nothing is counted."""
        bucket = self._buckets.get(talk)
        if bucket is None:
            return 0
        tokens = min(self._burst, bucket.tokens + (self._clock() - bucket.at) * self._per_second)
        return 0 if tokens >= 1 else max(1, math.ceil((1 - tokens) / self._per_second))

    def _sweep(self, now: float) -> None:
        """Forget the talks whose bucket is full again."""
        full_after = self._burst / self._per_second
        if now - self._swept < full_after:
            return
        self._swept = now
        self._buckets = {talk: b for talk, b in self._buckets.items() if now - b.at < full_after}


class EnquiryLimiter:
    """How many new talks one address, and everybody together, may begin. Kept in memory only, as are the addresses."""

    def __init__(self, one: TalkLimiter | None = None, everybody: TalkLimiter | None = None) -> None:
        # Whole offices and mobile networks share one address, so the first ones are free.
        self._one = one or TalkLimiter(burst=10, per_second=1 / 60)
        self._everybody = everybody or TalkLimiter(burst=200, per_second=2.0)

    def wait_for(self, address: str) -> int:
        """0 when a talk may begin now (and that is counted), else the whole seconds to wait."""
        return self._one.wait_for(address) or self._everybody.wait_for("everybody")


class CodeLimiter:
    """How often codes may be tried, at all web processes together. Only failures count for an address, as mobile networks put
    thousands behind one."""

    def __init__(self, secret: str, one: SharedBucket | None = None, everybody: SharedBucket | None = None, code: SharedBucket | None = None) -> None:
        self._secret = secret
        # 24^8 codes: with all that everybody may try, and 100,000 codes standing, a hit takes about two weeks of trying.
        self.one = one or SharedBucket("code-address", burst=10, per_second=1 / 60)
        self.everybody = everybody or SharedBucket("code-everybody", burst=500, per_second=1.0)
        self.code = code or SharedBucket("code", burst=20, per_second=1 / 60)

    async def wait_for(self, database: Database, address: str, code: str) -> int:
        """0 when this address may try this code now, else the whole seconds to wait.

        The try counts before it is known how it ends, so that a thousand at once are not let through; `succeeded` gives it back.
        """
        async with database.session() as session:
            if wait := await self.one.wait_for(session, self._secret, _network(address)):
                return wait
            if wait := await self.everybody.wait_for(session, self._secret, ""):
                return wait
            return await self.code.wait_for(session, self._secret, code)

    async def succeeded(self, session: AsyncSession, address: str) -> None:
        await self.one.give_back(session, self._secret, _network(address))
        await self.everybody.give_back(session, self._secret, "")


def _network(address: str) -> str:
    """One customer's line has many addresses of IPv6, all with the same first half."""
    return ":".join(address.split(":")[:4]) if address.count(":") > 1 else address
