"""Who is told at once: of a message that may or may not have gone, of a call-back made twice in vain, of a campaign that was paused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from followup import clock
from followup.campaigns.run import run_campaigns
from followup.channels import Refused, Unclear
from followup.talk.jobs import Services, make_app

from .conftest import World, invite
from .test_callbacks import THREE, booked

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def worker(world: World, told: Told, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a task of the worker by its name, at the world's time."""
    monkeypatch.delenv("FOLLOWUP_NOW", raising=False)

    async def tell(key: str, **details: object) -> None:
        told.append((key, details))

    services = Services(world.database, None, "", None, notifiers=world.providers, invite=invite, tell=tell)  # type: ignore[arg-type]
    tasks = make_app(world.database.url, services).tasks

    async def run(name: str, **given: object) -> None:
        clock.stand_at(world.at)
        await tasks[name].func(**given)

    return run


async def test_a_provider_that_gave_no_answer_is_told_of_once(world: World, worker: Any, told: Told) -> None:
    await world.customers(3)
    world.providers["sms"].answers = [Unclear("no answer"), Unclear("no answer")]
    await world.campaign()
    await worker("run_campaigns", timestamp=0)
    await worker("send_deliveries")
    assert told == [("unknown_deliveries", {"count": 2})]
    for _ in range(3):
        world.at += timedelta(minutes=20)
        await worker("run_campaigns", timestamp=0)
        await worker("look_into_queue", timestamp=0)
    assert len(told) == 1


async def test_what_a_killed_worker_left_is_told_of_once(world: World, worker: Any, told: Told) -> None:
    await world.customers(1)
    await world.campaign()
    await run_campaigns(world.database, world.at, 1)
    await world.execute("UPDATE deliveries SET status = 'sending', sending_at = :at", at=world.at)
    for _ in range(3):
        world.at += timedelta(minutes=11)
        await worker("run_campaigns", timestamp=0)
    assert told == [("unknown_deliveries", {"count": 1})]


async def test_a_call_back_made_twice_in_vain_is_told_of_once(world: World, worker: Any, told: Told) -> None:
    await booked(world)
    world.at = THREE
    for day in range(5):
        assert told == ([] if day < 3 else [("callback_failed", {"count": 1})])
        await worker("watch_clock", timestamp=0)
        await worker("send_deliveries")
        world.at += timedelta(days=1)
    assert len(world.providers["sms"].sent) == 2


async def test_a_campaign_paused_by_the_provider_is_told_of_once(world: World, worker: Any, told: Told) -> None:
    await world.customers(3)
    world.providers["sms"].answers = [Refused("isv.AMOUNT_NOT_ENOUGH", kind="ours") for _ in range(3)]
    await world.campaign()
    await worker("run_campaigns", timestamp=0)
    await worker("send_deliveries")
    await worker("send_deliveries")
    assert [key for key, _ in told] == ["campaign_paused"]
