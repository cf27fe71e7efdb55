"""How many messages of a channel go in a minute, whichever campaigns and workers they are of; and which go first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from sqlalchemy import text

from followup.campaigns.run import run_campaigns
from followup.campaigns.send import send_batch
from followup.store.database import Database

from .conftest import Provider, World, invite


@pytest_asyncio.fixture
async def other_worker(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=2)
    yield database
    await database.close()


async def sent_by(world: World) -> Counter[int]:
    """Campaign -> messages that went."""
    async with world.database.session() as session:
        rows = await session.execute(
            text("SELECT campaign_id FROM deliveries JOIN campaign_entries AS e ON e.id = entry_id WHERE status = 'accepted'")
        )
        return Counter(rows.scalars())


async def a_minute_of_both(world: World, other: Database, per_minute: dict[str, int]) -> None:
    """Two workers empty the queue side by side, as far as they may."""

    async def works(database: Database) -> None:
        while (await send_batch(database, world.providers, invite, world.at, daily_cap=2, per_minute=per_minute, limit=3)).more:
            pass

    await asyncio.gather(works(world.database), works(other))


async def test_two_campaigns_and_two_workers_keep_to_the_channels_limit_and_the_more_important_campaign_goes_first(
    world: World, other_worker: Database
) -> None:
    await world.customers(12)
    later = await world.campaign(priority=8)
    first = await world.campaign(priority=2)
    await run_campaigns(world.database, world.at, 2)
    assert await world.stages() == {"queued": 24}
    seen = []
    for _ in range(5):
        await a_minute_of_both(world, other_worker, {"sms": 5})
        counts = await sent_by(world)
        seen.append((counts[first], counts[later]))
        world.at += timedelta(seconds=30)
        await a_minute_of_both(world, other_worker, {"sms": 5})  # half a minute later there is no room yet
        assert await sent_by(world) == counts
        world.at += timedelta(seconds=30)
    assert seen == [(5, 0), (10, 0), (12, 3), (12, 8), (12, 12)]
    assert len({one.delivery_id for one in world.providers["sms"].sent}) == len(world.providers["sms"].sent) == 24


async def test_a_channel_without_room_holds_no_other_channel_up(world: World) -> None:
    await world.customers(4)
    await world.customers(4, start=10, agreed=("email",), email="a@example.com")
    await world.campaign(channels=("sms", "email"))
    world.per_minute = {"sms": 1}
    await run_campaigns(world.database, world.at, 1)
    for _ in range(8):
        await world.send_queued(limit=2)
    assert (len(world.providers["sms"].sent), len(world.providers["email"].sent)) == (1, 4)


async def test_what_waits_for_room_is_judged_again_before_it_goes(world: World) -> None:
    customers = await world.customers(2)
    await world.campaign()
    world.per_minute = {"sms": 1}
    await world.minute()
    await world.execute("INSERT INTO do_not_contact (contact_id) VALUES (:id)", id=customers[1])
    await world.later(minutes=1)
    await world.later(minutes=1)
    assert (len(world.providers["sms"].sent), await world.reasons()) == (1, {"do_not_contact": 1})


async def test_a_provider_that_takes_long_is_asked_for_several_customers_at_once(world: World) -> None:
    await world.customers(4)
    await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    together, all_there = [], asyncio.Event()

    class Waits(Provider):
        async def send(self, invitation):  # type: ignore[no-untyped-def]
            together.append(invitation)
            if len(together) == 4:
                all_there.set()
            await all_there.wait()
            return await super().send(invitation)

    done = await send_batch(world.database, {"sms": Waits()}, invite, world.at)
    assert list(done.became.values()) == ["accepted"] * 4


async def test_one_whose_handing_over_breaks_holds_the_others_of_its_batch_up_in_nothing(world: World) -> None:
    await world.customers(3)
    await world.campaign()
    world.providers["sms"].answers = [RuntimeError("a bug")]
    await world.minute()
    assert await world.stages() == {"unknown": 1, "sent": 2}
