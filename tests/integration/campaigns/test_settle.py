"""Several processes settle the same minute: nobody waits for a colleague's rows, and what was passed over comes the next minute."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from followup.campaigns.settle import close_who_came, sweep_cancelled

from .conftest import World


async def test_an_entry_that_a_colleague_has_in_hand_is_closed_the_next_minute(world: World) -> None:
    await world.customers(3)
    await world.campaign()
    await world.minute()
    await world.execute("UPDATE cases SET status = 'open', opened_at = :at", at=world.at)
    async with world.database.session() as colleague:
        await colleague.execute(text("SELECT id FROM campaign_entries ORDER BY id DESC LIMIT 1 FOR UPDATE"))
        async with asyncio.timeout(60), world.database.session() as session:
            assert await close_who_came(session, world.at) == 2
    async with world.database.session() as session:
        assert await close_who_came(session, world.at) == 1
        assert await close_who_came(session, world.at) == 0


async def test_what_is_left_of_a_cancelled_campaign_is_swept_around_a_colleague(world: World) -> None:
    await world.customers(3)
    world.at = world.at.replace(hour=12)  # outside the hours: they wait
    await world.campaign()
    await world.minute()
    await world.execute("UPDATE campaigns SET status = 'cancelled', ended_at = :at", at=world.at)
    async with world.database.session() as colleague:
        await colleague.execute(text("SELECT id FROM campaign_entries ORDER BY id LIMIT 1 FOR UPDATE"))
        async with asyncio.timeout(60), world.database.session() as session:
            assert await sweep_cancelled(session, world.at) == 2
    async with world.database.session() as session:
        assert await sweep_cancelled(session, world.at) == 1
    assert await world.stages() == {"cancelled": 3}
