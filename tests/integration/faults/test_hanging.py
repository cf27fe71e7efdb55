"""A Rasa that takes a turn and says nothing for longer than a turn may take, and holds it after all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web

from followup import clock
from followup.reconcile.run import reconcile
from followup.store.database import Database
from followup.talk import rasa_client
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import Patience, TurnFailed
from tests.integration.talk.conftest import Line, make_case  # noqa: F401
from tests.integration.talk.fake_rasa import FakeRasa

LONG = bool(os.environ.get("FOLLOWUP_LONG_TESTS"))


@pytest_asyncio.fixture(params=[0.5, pytest.param(rasa_client.TURN_SECONDS, marks=pytest.mark.skipif(not LONG, reason="takes minutes: make test-long"))])
async def line(request: pytest.FixtureRequest, database: Database, make_case, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:  # noqa: F811
    """A talk with a Rasa that hangs for longer than a turn waits: the product's own minute, and in every run a shorter one."""
    monkeypatch.setattr(rasa_client, "TURN_SECONDS", request.param)
    runner = web.AppRunner((rasa := FakeRasa(database)).app())  # unlike the tests' server it goes on when the asker has gone
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with RasaClient(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
        yield Line(database, rasa, client, await make_case(), Patience())
        rasa.gate.set()
    await runner.cleanup()


@pytest.mark.timeout(900)
async def test_a_turn_that_rasa_hung_on_is_answered_once_with_what_it_stored_in_the_end(line: Line) -> None:
    line.rasa.gate.clear()
    await line.hears("第一句")
    with pytest.raises(TurnFailed, match="TimeoutError"):
        await line.drain()
    await line.hears("第二句")
    line.rasa.gate.set()
    await _nothing_is_held(line)
    await _held_to_the_end(line)
    assert line.rasa.texts.count("第一句") == 1
    await _answered_once(line)


@pytest.mark.timeout(900)
async def test_a_turn_that_is_asked_again_while_rasa_still_hangs_is_answered_once(line: Line) -> None:
    line.rasa.gate.clear()
    await line.hears("第一句")
    with pytest.raises(TurnFailed):
        await line.drain()
    await line.hears("第二句")
    again = asyncio.create_task(_held_to_the_end(line))
    async with asyncio.timeout(120):
        while len(line.rasa.asked) < 2:
            await asyncio.sleep(0.01)
    line.rasa.gate.set()
    await again
    await _nothing_is_held(line)
    await _answered_once(line)


async def _held_to_the_end(line: Line) -> None:
    """As a job is: again when the turn failed."""
    async with asyncio.timeout(300):
        while any(row.status == "received" for row in await line.rows("in")):
            with suppress(TurnFailed):
                await line.drain()


async def _nothing_is_held(line: Line) -> None:
    async with asyncio.timeout(120):
        while line.rasa.holding:
            await asyncio.sleep(0.01)


async def _answered_once(line: Line) -> None:
    assert await line.said() == ["答：第一句", "答：第二句"]
    assert {row.status for row in await line.rows("in")} == {"handled"}
    assert (await reconcile(line.database, clock.now(), grace=timedelta(0))).findings == ()
