"""Whether two shares differ by more than chance: the two-proportion test, and how far apart they may really be. Pure.

`k` of `n` on each side. Where the normal approximation does not hold (an expected count below five) Fisher's exact test is
taken instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()
_LEAST_EXPECTED = 5
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Share:
    """`k` of `n`, 0 <= k <= n."""

    k: int
    n: int

    @property
    def rate(self) -> float | None:
        return self.k / self.n if self.n else None


def p_value(a: Share, b: Share) -> float:
    """How often two sides without any real difference come out at least so far apart; two-sided, 0 to 1. 1 where a side is empty."""
    if not a.n or not b.n:
        return 1.0
    k, n = a.k + b.k, a.n + b.n
    expected = min(k, n - k) * min(a.n, b.n) / n
    if expected < _LEAST_EXPECTED:
        return _fisher(a, b)
    pooled = k / n
    error = math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))
    return 2 * (1 - _NORMAL.cdf(abs(a.k / a.n - b.k / b.n) / error))


def _fisher(a: Share, b: Share) -> float:
    """The sum over all tables with the same margins that are no likelier than this one."""
    k, n = a.k + b.k, a.n + b.n

    def log_of(x: int) -> float:
        return _choose(a.n, x) + _choose(b.n, k - x) - _choose(n, k)

    here = log_of(a.k)
    every = (log_of(x) for x in range(max(0, k - b.n), min(a.n, k) + 1))
    return min(1.0, math.fsum(math.exp(one) for one in every if one <= here + 1e-9))


def _choose(n: int, k: int) -> float:
    """The logarithm of n over k."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def difference(a: Share, b: Share, confidence: float = 0.95) -> tuple[float, float]:
    """Between which differences (b minus a, -1 to 1) the true one lies, by Newcombe from the intervals of Wilson; both sides hold somebody."""
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    (low_a, high_a), (low_b, high_b) = _wilson(a, z), _wilson(b, z)
    rate_a, rate_b = a.k / a.n, b.k / b.n
    middle = rate_b - rate_a
    low = middle - math.hypot(rate_b - low_b, high_a - rate_a)
    high = middle + math.hypot(high_b - rate_b, rate_a - low_a)
    return low, high


def _wilson(share: Share, z: float) -> tuple[float, float]:
    rate, n = share.k / share.n, share.n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def detectable(a: Share, b: Share, limit: float) -> float:
    """The smallest true difference (0 to 1) that so many customers show at that limit four times out of five; both sides hold somebody."""
    pooled = (a.k + b.k) / (a.n + b.n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))
    return min(1.0, (_NORMAL.inv_cdf(1 - limit / 2) + _NORMAL.inv_cdf(POWER)) * error)


def drawn_as_set(first: int, second: int, share: float) -> bool:
    """Whether so many on each side can come of a draw with that share (once in a thousand it looks as if it could not)."""
    n = first + second
    if not n:
        return True
    error = math.sqrt(n * share * (1 - share))
    return abs(second - n * share) <= 3.29 * error + 0.5
