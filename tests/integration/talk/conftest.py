"""A database, a fake Rasa, and cases to talk in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest_asyncio
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from followup.store import records
from followup.store.database import Database
from followup.store.models import Message
from followup.talk.inbox import Accepted, accept
from followup.talk.rasa_client import RasaClient
from followup.talk.turn import Patience, drain

from .fake_rasa import FakeRasa

APOLOGY = "您的消息我们收到了，会有同事跟进。"
MakeCase = Callable[[], Awaitable[str]]


@dataclass
class Line:
    """One case, its inbox and its outbox, in one word each."""

    database: Database
    rasa: FakeRasa
    client: RasaClient
    case_id: str
    patience: Patience = Patience(tries=3, time=timedelta(0))

    async def hears(self, words: str, key: str | None = None, channel: str = "web") -> Accepted:
        async with self.database.session() as session:
            return await accept(session, self.case_id, channel, key or words, words)

    async def drain(self) -> int:
        return await drain(self.database, self.client, self.case_id, apology=APOLOGY, patience=self.patience)

    async def rows(self, direction: str) -> list[Message]:
        async with self.database.session() as session:
            return list(
                await session.scalars(
                    select(Message)
                    .where(Message.case_id == self.case_id, Message.direction == direction)
                    .order_by(Message.id)
                )
            )

    async def said(self) -> list[str]:
        """What the bot said, without its second sentence."""
        return [row.text for row in await self.rows("out") if row.text != "满意吗？"]


@pytest_asyncio.fixture
async def make_case(database: Database) -> MakeCase:
    async def make() -> str:
        async with database.session() as session:
            contact = await records.create_contact(session, name="王强", title="先生", phone="13800000001")
            revision = await records.save_revision(session, "tea", "1", {"id": "tea"})
            return await records.create_case(session, contact, revision)

    return make


@pytest_asyncio.fixture
async def rasa(database: Database) -> FakeRasa:
    return FakeRasa(database)


@pytest_asyncio.fixture
async def rasa_url(rasa: FakeRasa) -> AsyncIterator[str]:
    async with TestServer(rasa.app()) as server:
        yield str(server.make_url("")).rstrip("/")
        rasa.gate.set()  # nothing may hold the server's end up


@pytest_asyncio.fixture
async def client(rasa_url: str) -> AsyncIterator[RasaClient]:
    async with RasaClient(rasa_url) as client:
        yield client


@pytest_asyncio.fixture
async def line(database: Database, rasa: FakeRasa, client: RasaClient, make_case: MakeCase) -> Line:
    return Line(database, rasa, client, await make_case())
