"""SIGKILL at a thousand points of the product's processes, at random over some days of a shop; what then must hold: faults/shop.py.

FOLLOWUP_KILLS and FOLLOWUP_SEED choose how many, and which. Each point once: tests/integration/faults/test_named_points.py.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from followup import clock
from followup.store.database import Database, libpq_url
from tests.integration.faults.nursery import nursery
from tests.integration.faults.shop import NOW, OUTSIDE, Days, Shop, Step, wrong

KILLS = int(os.environ.get("FOLLOWUP_KILLS", "1000"))
SEED = int(os.environ.get("FOLLOWUP_SEED", "1"))
LIVES, RARE = 0.2, 0.4
"""How often a process is let live, and how often it dies where the fewest have died; else at any of its points."""


@pytest.mark.timeout(3 * 3600)
async def test_a_thousand_deaths_leave_nothing_lost_or_doubled(database_url: str, report: list[str]) -> None:
    clock.stand_at(NOW)
    database, chance, began = Database(database_url, pool_size=2), random.Random(SEED), time.monotonic()
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        connection.execute(OUTSIDE)
    lengths: Counter[str] = Counter()

    def aim(step: Step) -> dict[str, Any]:
        match chance.random():
            case drawn if drawn < LIVES:
                return {}
            case drawn if drawn < LIVES + RARE:
                fewest = min(days.killed[name] for name in days.passed)
                return {"spared": sorted(name for name in days.passed if days.killed[name] > fewest)}
        return {"nth": chance.randint(1, lengths[step.name])}

    found: list[str] = []
    with nursery(database_url) as nursed:
        days, shop = Days(nursed), Shop(database, 1)
        await shop.open()
        await days.play(shop, lambda step: {"fork": False})
        lengths.update(days.longest)
        was = await shop.left()
        assert await wrong(shop, was) == []
        shops = 1
        while days.killed.total() < KILLS:
            shops += 1
            shop = Shop(database, shops)
            await shop.open()
            await days.play(shop, aim)
            found += [f"shop {shops}: {what}" for what in await wrong(shop, was)]
            print(f"{days.killed.total()} kills, {len(found)} findings", *found[-1:], flush=True)  # with -s: how far it is
    report.append(
        f"{days.killed.total()} kills at {len(days.killed)} points in {shops - 1} shops, {time.monotonic() - began:.0f} s, seed {SEED};"
        f" findings: {len(found)}\n" + "\n".join(f"| `{name}` | {count} |" for name, count in sorted(days.killed.items()))
    )
    assert found == [], "\n".join(found)
    assert set(days.killed) == set(days.passed)
    await database.close()
