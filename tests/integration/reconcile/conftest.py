"""A database in which everything fits together: a talk with all that a talk leaves, and a campaign under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from followup import clock
from followup.cli.reconcile import reconcile as command
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, SetOutcome, StopContact, StoreAnswer, TakeNote
from followup.reconcile.run import Report, reconcile
from followup.store import records
from followup.store.database import Database
from followup.talk.inbox import Trigger, accept, accept_trigger
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import Patience, drain
from tests.integration.campaigns.conftest import World
from tests.integration.talk.conftest import APOLOGY
from tests.integration.talk.fake_rasa import ANSWER_EMPTY, FakeRasa


@dataclass
class Sound:
    """The database, the talk that was held, and one that ended with an opt-out."""

    database: Database
    case_id: str
    stopped: str

    async def report(self, *, grace: float = 0) -> Report:
        return await reconcile(self.database, clock.now(), grace=timedelta(seconds=grace))

    async def found(self) -> list[str]:
        return [finding.key for finding in (await self.report()).findings]


@pytest_asyncio.fixture
async def sound(database: Database) -> AsyncIterator[Sound]:
    async with TestServer((rasa := FakeRasa(database)).app()) as server, RasaClient(str(server.make_url("")).rstrip("/")) as client:

        async def hold(case_id: str) -> None:
            await drain(database, client, case_id, apology=APOLOGY, patience=Patience(tries=1, time=timedelta(0)))

        case_id = await _case(database, "13800000001")
        for words, effects in _TALK:
            async with database.session() as session:
                direction = "system" if words == Trigger.START else "in"
                accepted = await accept(session, case_id, "web", words, words, direction=direction)
            async with database.session() as session:
                await records.apply(session, case_id, accepted.message_id, effects, clock.now())
            await hold(case_id)
        rasa.always = ANSWER_EMPTY
        async with database.session() as session:
            await accept(session, case_id, "web", "unheard", "还在吗")
        await hold(case_id)  # given up, with an apology and a note
        rasa.always = None
        stopped = await _case(database, "13800000002")
        async with database.session() as session:
            accepted = await accept(session, stopped, "web", "stop", "别再联系我")
        async with database.session() as session:
            effects = [StopContact("别再联系我"), SetOutcome(Outcome.DO_NOT_CONTACT)]
            await records.apply(session, stopped, accepted.message_id, effects, clock.now())
        await hold(stopped)
        async with database.session() as session:
            await accept_trigger(session, stopped, Trigger.SILENCE, "silence-1")
        await hold(stopped)
    world = World(database)
    await world.customers(3)
    await world.campaign()
    await world.minute()
    yield Sound(database, case_id, stopped)


_TALK = (
    (Trigger.START, []),
    ("价格有点贵", [StoreAnswer("price", "不满意", "价格有点贵", "said"), RaiseTicket("price", "dissatisfaction", 3, "客服部", "价格有点贵")]),
    ("算了，一般吧", [StoreAnswer("price", "一般", "算了，一般吧", "said"), TakeNote("remark", "算了")]),
    ("明天下午再说", [BookCallback(clock.now() + timedelta(days=1), "busy", "明天下午"), SetOutcome(Outcome.APPOINTED)]),
)


async def _case(database: Database, phone: str) -> str:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", title="先生", phone=phone)
        revision = await records.save_revision(session, "tea", "1", {"id": "tea"})
        return await records.create_case(session, contact, revision)


@pytest.fixture
def run_command(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[tuple[int, str]]]:
    """`followup reconcile` against the test's database: exit code and what it printed."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    async def run(*options: str) -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, command, list(options))
        return done.exit_code, done.output

    return run
