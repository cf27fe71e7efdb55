"""By which version of its script a customer of a campaign talks: the one in force, or one of two that are compared 话术对比.

A customer's side is drawn from the campaign's seed and the customer's number, as the lots are, so that anybody can draw it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.scripts import load
from followup.scripts.model import Script
from followup.store import records
from followup.store.campaign_models import Campaign
from followup.store.models import ScriptRevision
from followup.store.script_models import ScriptComparison

FIRST, SECOND = "first", "second"


def place(seed: int, number: int, contact_id: int) -> float:
    """Where the customer stands between 0 and 1 in the campaign's comparison of that number, whoever else takes part."""
    drawn = hashlib.blake2b(f"{seed}:{number}:{contact_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") / 2**64


def side_of(seed: int, number: int, share: float, contact_id: int) -> str:
    """`share` of all customers talk by the second version."""
    return SECOND if place(seed, number, contact_id) < share else FIRST


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the script, and what is written on the cases that are held by it."""

    script: Script
    revision_id: int
    comparison_id: int | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """What the customers of a campaign talk by now. With a `draw` (seed, number, share) there are two."""

    every: Sequence[Version]
    draw: tuple[int, int, float] | None = None

    def of(self, contact_id: int) -> Version:
        if self.draw is None:
            return self.every[0]
        return self.every[1] if side_of(*self.draw, contact_id) == SECOND else self.every[0]


async def versions(session: AsyncSession, campaign: Campaign, script: Script, content: Mapping[str, Any]) -> Versions:
    """`script`, `content`: as they are in force now. Both sides of a comparison stay as they were when it began."""
    newest = select(ScriptComparison).where(ScriptComparison.campaign_id == campaign.id, ScriptComparison.script_id == campaign.script_id)
    # Whoever ends the comparison waits until this round has written by which side its customers talk.
    found = await session.scalar(newest.order_by(ScriptComparison.number.desc()).limit(1).with_for_update())
    if found is None or found.chosen == FIRST:
        return Versions([Version(script, await records.save_revision(session, script.id, str(script.version), content))])
    second = Version(await _script(session, found.second_revision_id), found.second_revision_id)
    if found.chosen == SECOND:
        return Versions([second])
    if found.first_revision_id is None:
        found.first_revision_id = await records.save_revision(session, script.id, str(script.version), content)
        await session.flush()
    first = Version(await _script(session, found.first_revision_id), found.first_revision_id, found.id, FIRST)
    second = Version(second.script, second.revision_id, found.id, SECOND)
    return Versions([first, second], (campaign.seed, found.number, found.share))


async def _script(session: AsyncSession, revision_id: int) -> Script:
    return load.build_revision((await session.get_one(ScriptRevision, revision_id)).content)
