"""A database in which everything fits together: a talk with all that a talk leaves, and a campaign under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from followup import clock
from followup.cli.reconcile import reconcile as command
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, SetOutcome, StopContact, StoreAnswer, TakeNote
from followup.reconcile.run import Report, checked
from followup.store import records
from followup.store.database import Database
from followup.talk.inbox import Trigger, accept, accept_trigger
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import Patience, drain
from tests.conftest import new_database
from tests.integration.campaigns.conftest import World
from tests.integration.talk.conftest import APOLOGY
from tests.integration.talk.fake_rasa import ANSWER_EMPTY, FakeRasa


@pytest.fixture(scope="module")
def sound_database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """Made once: a test damages it in a transaction that it rolls back."""
    with new_database(postgres_url, template_database) as (_, url):
        asyncio.run(_fill(url))
        yield url


async def _fill(url: str) -> None:
    database = Database(url, pool_size=4)
    async with TestServer((rasa := FakeRasa(database)).app()) as server, RasaClient(str(server.make_url("")).rstrip("/")) as client:
        await _talks(database, rasa, client)
    world = World(database)
    await world.customers(3)
    await world.campaign()
    await world.minute()
    await database.close()


async def _talks(database: Database, rasa: FakeRasa, client: RasaClient) -> None:
    async def hold(case_id: str) -> None:
        await drain(database, client, case_id, apology=APOLOGY, patience=Patience(tries=1, time=timedelta(0)))

    case_id = await _case(database, "13900000001")
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
    stopped = await _case(database, "13900000002")
    async with database.session() as session:
        accepted = await accept(session, stopped, "web", "stop", "别再联系我")
    async with database.session() as session:
        effects = [StopContact("别再联系我"), SetOutcome(Outcome.DO_NOT_CONTACT)]
        await records.apply(session, stopped, accepted.message_id, effects, clock.now())
    await hold(stopped)
    async with database.session() as session:
        await accept_trigger(session, stopped, Trigger.SILENCE, "silence-1")
    await hold(stopped)


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


@dataclass
class Sound:
    """One transaction over the sound database."""

    connection: AsyncConnection

    async def report(self, *, grace: float = 0) -> Report:
        return await checked(self.connection, clock.now(), timedelta(seconds=grace))

    async def found(self) -> list[str]:
        return [finding.key for finding in (await self.report()).findings]

    async def do(self, *statements: str) -> None:
        """Damage. Each statement must touch something; the schema's guards do not look."""
        await self.connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            done = await self.connection.execute(text(statement))
            assert done.rowcount, statement


@pytest_asyncio.fixture
async def sound(sound_database_url: str) -> AsyncIterator[Sound]:
    database = Database(sound_database_url, pool_size=1)
    async with database.engine.connect() as connection:
        yield Sound(connection)
        await connection.rollback()
    await database.close()


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[tuple[int, str]]]:
    """`followup reconcile`: exit code and what it printed."""

    async def run(database: Database, *options: str) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", database.url)
        done = await asyncio.to_thread(CliRunner().invoke, command, list(options))
        return done.exit_code, done.output

    return run
