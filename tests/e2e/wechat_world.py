"""Talks over the fake WeChat with the real Rasa, actions and PostgreSQL: the run's stack, and our web and worker before it."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from argon2 import PasswordHasher
from sqlalchemy import text

from followup.channels.wechat.account import Account
from followup.console import accounts
from followup.store.database import Database
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial, TrialResult
from tests.e2e.conftest import Addresses
from tests.fakes.wechat import Weather
from tests.integration.console.conftest import PASSWORD, Browser
from tests.integration.wechat.world import World, running

SCRIPT = "auto_loan_satisfaction"
MONDAY = "2026-11-23T10:00:00"


class Talk:
    """`world` with what staff and a browser do in it."""

    def __init__(self, world: World, trial: Trial) -> None:
        self.world, self.trial = world, trial
        self.case_id = trial.case_id

    async def result(self) -> TrialResult:
        return await self.trial.result()

    async def answers(self) -> dict[str, object]:
        return {question: answer["value"] for question, answer in (await self.result()).answers.items()}

    @asynccontextmanager
    async def staff(self, role: str = "agent") -> AsyncIterator[Browser]:
        """A colleague, logged in to the console."""
        name = f"w{self.case_id[:8]}"
        async with self.world.database.session() as session:
            user, _ = await accounts.create(session, name, role, PASSWORD)
        async with self.browser() as client:
            browser = Browser(client, user.id)
            assert (await browser.login(name)).status == 303
            yield browser

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[TestClient]:
        """Nobody's yet. Closing the client itself would close the server too."""
        client = TestClient(self.world.server)
        try:
            yield client
        finally:
            await client.session.close()


@asynccontextmanager
async def talking(
    addresses: Addresses, home: Path, account: Account, monkeypatch: pytest.MonkeyPatch, weather: Weather | None = None,
    *, voice: str = "wechat",
) -> AsyncIterator[Talk]:  # fmt: skip
    """A demo case of the script, whose customer has a WeChat of their own. On a Monday at ten: nobody is disturbed at night."""
    if os.environ.get("FOLLOWUP_TRY_HOME"):
        pytest.skip("a worker that runs already would take the jobs")
    monkeypatch.setenv("FOLLOWUP_NOW", MONDAY)
    monkeypatch.setenv("FOLLOWUP_NOW_RUNS", str(time.time()))
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    database = Database(addresses.database_url, pool_size=8)
    try:
        async with database.session() as session:  # the talks before this one were held without a worker
            await session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'todo'"))
            await session.execute(text("DELETE FROM wechat_tokens"))  # each test has a platform of its own
        async with RasaClient(addresses.rasa_url) as rasa:
            trial = await Trial.open(database, rasa, SCRIPT, {"voice": voice})
            async with running(database, addresses.rasa_url, home, account, weather or Weather()) as world:
                world.openid = f"o{trial.case_id}"
                yield Talk(world, trial)
    finally:
        await database.close()
