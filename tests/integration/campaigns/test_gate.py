"""The gate when several processes stand at it."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from followup.campaigns import gate
from followup.campaigns.dispatch import dispatch
from followup.campaigns.enrol import enrol

from .conftest import World


async def test_what_a_colleague_queued_while_we_waited_for_the_customer_counts(world: World) -> None:
    (person,) = await world.customers(1)
    campaign = await world.campaign()
    async with world.database.session() as session:
        await enrol(session, campaign, world.at)

    async def standing() -> gate.Standing:
        async with world.database.session() as session:
            return (await gate.standings(session, [person], world.at.date(), wait=True))[person]

    async with world.database.session() as session:
        assert (await dispatch(session, campaign, world.at, 1)).queued == 1
        waiting = asyncio.create_task(standing())
        await _until_somebody_waits(world)
    assert (await waiting).contacted_today == 1


async def _until_somebody_waits(world: World) -> None:
    blocked = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    while True:
        async with world.database.session() as session:
            if await session.scalar(blocked):
                return
