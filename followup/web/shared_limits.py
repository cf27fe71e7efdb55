"""How fast somebody may go on, counted in PostgreSQL: the same for all web processes."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

FORGOTTEN_AFTER = timedelta(hours=2)
"""Longer than any of our buckets takes to be full again."""


@dataclass(frozen=True, slots=True)
class SharedBucket:
    """A token bucket for each of `who`, of this name: `burst` at once, then `per_second`."""

    name: str
    burst: int
    per_second: float

    async def wait_for(self, session: AsyncSession, secret: str, who: str) -> int:
        """0 when they may go on now (and that is counted), else the whole seconds to wait."""
        values = {"key": self._key(secret, who), "burst": float(self.burst), "rate": self.per_second}
        if await session.scalar(_TAKE, values) is not None:
            return 0
        tokens = await session.scalar(_LOOK, values)
        return max(1, math.ceil((1 - (tokens or 0)) / self.per_second))

    async def give_back(self, session: AsyncSession, secret: str, who: str) -> None:
        """What was counted should not have been."""
        await session.execute(_GIVE_BACK, {"key": self._key(secret, who), "burst": float(self.burst)})

    def _key(self, secret: str, who: str) -> str:
        # Keyed: what addresses were here cannot be read off the table.
        return hmac.new(secret.encode(), f"{self.name}:{who}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


async def forget_full(session: AsyncSession) -> None:
    """Buckets that nobody used for long are full, and need not be known."""
    await session.execute(_FORGET, {"after": FORGOTTEN_AFTER})


# The database's clock, as that of several machines differs.
_NOW_IN_IT = "least(:burst, bucket.tokens + greatest(0, extract(epoch FROM clock_timestamp() - bucket.at)) * :rate)"
_TAKE = text(
    f"""
    INSERT INTO rate_buckets AS bucket (key, tokens, at) VALUES (:key, :burst - 1, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET tokens = {_NOW_IN_IT} - 1, at = clock_timestamp() WHERE {_NOW_IN_IT} >= 1
    RETURNING tokens
    """
)
_LOOK = text(f"SELECT {_NOW_IN_IT} FROM rate_buckets AS bucket WHERE key = :key")
_GIVE_BACK = text("UPDATE rate_buckets SET tokens = least(:burst, tokens + 1) WHERE key = :key")
_FORGET = text("DELETE FROM rate_buckets WHERE at < clock_timestamp() - CAST(:after AS interval)")
