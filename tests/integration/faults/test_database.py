"""PostgreSQL restarted, away, slow and full, under a product that is being talked to; afterwards everything fits together.

The server is the test's own. The page does what the real one does: what was not acknowledged is sent again with the same id. The worker is
begun again when it ends, as the keeper does.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from followup import clock
from followup.reconcile.run import reconcile
from followup.settings import Settings
from followup.store.database import Database
from followup.store.migrate import upgrade
from followup.supervise import postgres
from followup.talk.jobs import Services, make_app, rescue
from followup.talk.rasa_client import RasaClient
from followup.talk.recovery import Recovery
from followup.web import app as web_app
from tests.integration.talk.conftest import APOLOGY
from tests.integration.talk.fake_rasa import FakeRasa
from tests.integration.web.web_talk import Talk, make_talk

WORDS = ("第一句", "第二句", "第三句", "第四句")
PATIENCE_SECONDS = 300


@dataclass
class Server:
    """A PostgreSQL of the test's own."""

    home: Path
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    durable: bool = False

    def start(self) -> None:
        """Nothing when it runs. Another `durable` counts from the next start on."""
        self.url, begun = postgres.start(self.home, durable=self.durable)
        self.process = begun or self.process

    def stop(self) -> None:
        assert self.process is not None
        postgres.stop(self.process)

    def crash(self) -> None:
        """It goes down as by a fault of its own, writing nothing more; what was not on the disk is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    home = Path(tempfile.mkdtemp(prefix="fu-pg-", dir="/tmp"))
    server = Server(home)
    server.start()
    upgrade(server.url)
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@dataclass
class Shop:
    """The web application and a worker that is kept, before a Rasa that answers; `talk` is what the customer is in."""

    server: Server
    database: Database
    rasa: FakeRasa
    client: TestClient
    talk: Talk
    refused: list[int] = field(default_factory=list)
    """What the page was answered instead of 202."""

    async def says(self, words: str) -> None:
        """Until it is acknowledged."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await self.client.post("/chat/messages", json={"client_msg_id": f"key-{WORDS.index(words)}-000", "text": words})
                if answer.status == 202:
                    return
                self.refused.append(answer.status)
                await asyncio.sleep(0.05)

    async def is_refused(self) -> None:
        """Until the page was told to try again."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.refused:
                await asyncio.sleep(0.02)

    async def all_is_answered(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [row.text for row in await self.talk.rows("out") if row.text != "满意吗？"] != [f"答：{words}" for words in WORDS]:
                await asyncio.sleep(0.05)
        assert [row.status for row in await self.talk.rows("in")] == ["handled"] * len(WORDS)
        assert len(await self.talk.rows("out")) == 2 * len(WORDS)
        assert set(self.refused) <= {503}, "an answer that says it is to be tried again, and nothing else"
        report = await reconcile(self.database, clock.now(), grace=timedelta(0))
        assert report.findings == ()

    async def asks(self, done: Callable[[psycopg.AsyncCursor[Any]], Any], query: str, **values: Any) -> None:
        """Until the query gives what is waited for."""
        async with asyncio.timeout(PATIENCE_SECONDS), await psycopg.AsyncConnection.connect(self.server.url, autocommit=True) as connection:
            while not done(await (await connection.execute(query, values)).fetchall()):
                await asyncio.sleep(0.02)

    async def execute(self, *statements: str) -> None:
        async with await psycopg.AsyncConnection.connect(self.server.url, autocommit=True) as connection:
            for statement in statements:
                await connection.execute(statement)


@pytest.fixture
def durable_server(server: Server) -> Iterator[Server]:
    """One that waits for its disk, as in production."""
    server.stop()
    server.durable = True
    server.start()
    yield server
    server.stop()
    server.durable = True
    server.start()


@pytest_asyncio.fixture
async def shop(server: Server, tmp_path: Path) -> AsyncIterator[Shop]:
    await asyncio.to_thread(server.start)
    database = Database(server.url, pool_size=5)
    # As Rasa's own: what it stores is durable with the end of the turn.
    stored = Database(server.url, pool_size=5, awaits_disk=False)
    talk, rasa = await make_talk(database), FakeRasa(stored)
    app = web_app.make_app(Settings(home=tmp_path, database_url=server.url, secret="t" * 40))
    async with TestServer(rasa.app()) as standin, TestClient(TestServer(app)) as client:
        url = str(standin.make_url("")).rstrip("/")
        assert (await client.post(f"/c/{talk.token}/start", allow_redirects=False)).status == 303
        async with database.session() as session:  # the opening itself is not looked at here
            await session.execute(_NO_OPENING)
        kept = asyncio.create_task(_keep(server.url, database, url))
        yield Shop(server, database, rasa, client, talk)
        rasa.gate.set()
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)
        await asyncio.to_thread(server.start)  # whatever the test left
        await stored.close()
        with psycopg.connect(_beside(server.url), autocommit=True) as connection:
            connection.execute("ALTER DATABASE followup ALLOW_CONNECTIONS true")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("DROP FUNCTION IF EXISTS full_disk CASCADE")
        await database.close()


async def _keep(url: str, database: Database, rasa_url: str) -> None:
    while True:
        try:
            async with RasaClient(rasa_url) as rasa:
                app = make_app(url, Services(database, rasa, APOLOGY, Recovery(database, {"Rasa": rasa.ready})))
                async with app.open_async():
                    await rescue(app, database)
                    await app.run_worker_async(
                        queues=["turns"], concurrency=2, install_signal_handlers=False, fetch_job_polling_interval=0.1, delete_jobs="successful",
                    )  # fmt: skip
        except Exception:
            await asyncio.sleep(0.1)


_NO_OPENING = text(
    """
    WITH gone AS (DELETE FROM messages WHERE direction = 'system' RETURNING case_id)
    DELETE FROM procrastinate_jobs USING gone WHERE args ->> 'case_id' = case_id
    """
)


@pytest.mark.timeout(900)
async def test_a_database_that_is_restarted_in_a_turn_loses_no_message(shop: Shop) -> None:
    await shop.says(WORDS[0])
    shop.rasa.gate.clear()
    await shop.says(WORDS[1])
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not shop.rasa.holding:
            await asyncio.sleep(0.02)
    await asyncio.to_thread(shop.server.stop)
    shop.rasa.gate.set()  # Rasa cannot store its turn
    waiting = asyncio.create_task(shop.says(WORDS[2]))
    await shop.is_refused()
    await asyncio.to_thread(shop.server.start)
    await waiting
    await shop.says(WORDS[3])
    await shop.all_is_answered()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("answered", [0, 1, 2, 3])
async def test_a_database_that_crashes_keeps_what_was_acknowledged(durable_server: Server, shop: Shop, answered: int) -> None:
    """After some of the lines were answered, the next one just acknowledged."""
    for words in WORDS[:answered]:
        await shop.says(words)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await shop.talk.rows("out")) < 2 * answered:
            await asyncio.sleep(0.01)
    await shop.says(WORDS[answered])
    await asyncio.to_thread(durable_server.crash)
    await asyncio.to_thread(durable_server.start)
    for words in WORDS[answered + 1 :]:
        await shop.says(words)
    await shop.all_is_answered()


@pytest.mark.timeout(900)
async def test_a_database_that_lets_nobody_in_is_waited_for(shop: Shop) -> None:
    for words in WORDS[:2]:
        await shop.says(words)
    name = shop.database.engine.url.database
    async with await psycopg.AsyncConnection.connect(_beside(shop.server.url), autocommit=True) as connection:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        waiting = asyncio.create_task(shop.says(WORDS[2]))
        await shop.is_refused()
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await waiting
    await shop.says(WORDS[3])
    await shop.all_is_answered()


@pytest.mark.timeout(900)
async def test_a_database_that_stands_still_is_waited_for(shop: Shop) -> None:
    await shop.says(WORDS[0])
    async with await psycopg.AsyncConnection.connect(shop.server.url) as holder:
        await holder.execute("LOCK TABLE messages, events IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(shop.says(words)) for words in WORDS[1:2]]
        await shop.asks(lambda rows: rows[0][0] > 0, "SELECT count(*) FROM pg_locks WHERE NOT granted")
        await holder.rollback()
    await asyncio.gather(*waiting)
    for words in WORDS[2:]:
        await shop.says(words)
    await shop.all_is_answered()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("table", ["messages", "events", "procrastinate_jobs"])
async def test_a_full_disk_loses_nothing_once_there_is_room_again(shop: Shop, table: str) -> None:
    """The error that PostgreSQL gives when a table cannot grow, given by a trigger: for each table that a turn writes to."""
    await shop.says(WORDS[0])
    await shop.execute(_FULL, f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION full_disk()")
    waiting = asyncio.create_task(shop.says(WORDS[1]))
    if table == "events":  # accepted, and its turn fails
        await shop.asks(lambda rows: rows[0][0] > 0, "SELECT count(*) FROM messages WHERE tries > 0")
    else:
        await shop.is_refused()
    await shop.execute("DROP FUNCTION full_disk CASCADE")
    await waiting
    for words in WORDS[2:]:
        await shop.says(words)
    await shop.all_is_answered()


_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""


def _beside(url: str) -> str:
    return url.replace("/followup?", "/postgres?")
