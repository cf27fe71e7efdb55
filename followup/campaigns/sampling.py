"""Who is drawn 抽样: by strata, with a seed, so that an auditor can draw the same customers again (58741). Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from followup.campaigns.definition import Stratum


@dataclass(frozen=True, slots=True)
class Member:
    contact_id: int
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class StratumDraw:
    """One stratum of a draw. Population and wanted count the earlier draws in; chosen and reserve do not."""

    name: str
    share: float
    population: int
    wanted: int
    chosen: tuple[int, ...]
    """Contact ids, in the order of their lots."""
    reserve: tuple[int, ...]
    """The others, in the same order: a top-up takes the first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What earlier draws of the campaign hold of a stratum."""

    population: int = 0
    drawn: int = 0


def lot(seed: int, contact_id: int) -> int:
    """The customer's lot: 64 bits from seed and id alone, whoever else takes part."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{contact_id}".encode(), digest_size=8).digest(), "big")


def spread(seed: int, contact_id: int) -> float:
    """Where in a span of days the customer's day lies, 0 to 1. Independent of the lot."""
    return lot(seed ^ 0x5EED, contact_id) / 2**64


def stratum_of(strata: Sequence[Stratum], groups: frozenset[str]) -> Stratum | None:
    """The first stratum the customer belongs to; None: in none of them."""
    return next((s for s in strata if not s.groups or groups & set(s.groups)), None)


def draw(
    seed: int, strata: Sequence[Stratum], members: Sequence[Member], before: Mapping[str, Counts] | None = None
) -> tuple[StratumDraw, ...]:
    """Draw from `members`, who took part in no draw yet; what is drawn stays drawn when others come later.

    Of a stratum at least its share is drawn, counted over all draws and rounded up, the smallest lots first.
    The order of `members` does not matter.
    """
    by_stratum: dict[str, list[int]] = {stratum.name: [] for stratum in strata}
    for member in members:
        if (stratum := stratum_of(strata, member.groups)) is not None:
            by_stratum[stratum.name].append(member.contact_id)
    drawn = []
    for stratum in strata:
        earlier = (before or {}).get(stratum.name, Counts())
        ids = sorted(by_stratum[stratum.name], key=lambda contact_id: (lot(seed, contact_id), contact_id))
        population = earlier.population + len(ids)
        wanted = _share_of(stratum.share, population)
        new = min(max(wanted - earlier.drawn, 0), len(ids))
        drawn.append(StratumDraw(stratum.name, stratum.share, population, wanted, tuple(ids[:new]), tuple(ids[new:])))
    return tuple(drawn)


def _share_of(share: float, population: int) -> int:
    # Rounded first: 0.3 * 10 is a little more than 3 in binary.
    return math.ceil(round(share * population, 6))
