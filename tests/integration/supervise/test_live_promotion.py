"""The real Rasa: customers go on writing through a promotion and a rollback, and notice nothing but the new understanding."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from followup.nlu.model import IntentModel
from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.models import Message, RasaEvent
from followup.store.training_models import ModelServer, ModelVersion
from followup.supervise.model import code_hash
from followup.supervise.stack import Stack
from followup.talk.inbox import Trigger, accept, accept_trigger
from followup.training import deploy
from followup.training.versions import digest_of
from tests.integration.faults.talk import new_talk

EVERY = 0.3
THANKS = "谢谢"
REPLIES = ("方便", THANKS, "朋友介绍的", "价格还可以", "期限挺合适的", THANKS, "服务很好", "没有了")
MODEL_FILE = "intent_model.joblib"


def taught_otherwise(archive: bytes) -> bytes:
    """A model that takes every thanks for a greeting, and is else the same."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            if Path(member.name).name == MODEL_FILE:
                content = _swapped(content)
                member.size = len(content)
            new.addfile(member, io.BytesIO(content) if member.isfile() else None)
    return out.getvalue()


def _swapped(content: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL_FILE)
        path.write_bytes(content)
        model = IntentModel.load(path)
        names = {"thank": "greet", "greet": "thank"}
        model.machine.intents = np.array([names.get(str(name), str(name)) for name in model.machine.intents])
        model.save(path)
        return path.read_bytes()


async def version_of(database: Database, content: bytes, report: dict[str, object] | None = None) -> int:
    async with database.session() as session:
        row = ModelVersion(
            state="ready", code_hash=code_hash(PROJECT_DIR), digest=digest_of(content), archive=content, size=len(content), report=report
        )
        session.add(row)
        await session.flush()
        return row.id


class Customers:
    """Somebody writes every 0.3 seconds, whether the bot has answered or not; talk after talk, three at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.talks: list[str] = []
        self.sent = 0
        self.enough = asyncio.Event()

    async def write(self) -> None:
        open_talks: list[tuple[str, list[str]]] = []
        while not self.enough.is_set():
            if len(open_talks) < 3:
                open_talks.append((await self.begin(), list(REPLIES)))
            case_id, left = open_talks.pop(0)
            await self.say(case_id, left.pop(0))
            if left:
                open_talks.append((case_id, left))
            await asyncio.sleep(EVERY)

    async def begin(self) -> str:
        case_id, _ = await new_talk(self._database)
        async with self._database.session() as session:
            await accept_trigger(session, case_id, Trigger.START, "start")
        self.talks.append(case_id)
        return case_id

    async def say(self, case_id: str, words: str) -> int:
        async with self._database.session() as session:
            self.sent += 1
            return (await accept(session, case_id, "web", secrets.token_hex(8), words)).message_id

    async def heard_as(self, words: str) -> str | None:
        """What a new talk takes these words for."""
        message_id = await self.say(await self.begin(), words)
        await self.all_answered()
        async with self._database.session() as session:
            return (await session.get_one(Message, message_id)).intent

    async def all_answered(self) -> None:
        waiting = select(func.count()).where(Message.case_id.in_(self.talks), Message.status == "received")
        async with asyncio.timeout(60):
            while True:
                async with self._database.session() as session:
                    if not await session.scalar(waiting):
                        return
                await asyncio.sleep(0.05)


async def followed(database: Database, deployment: int) -> ModelServer:
    """Until the stack has dealt with it."""
    async with asyncio.timeout(180):
        while True:
            async with database.session() as session:
                server = await session.scalar(select(ModelServer).where(ModelServer.deployment_id == deployment))
            if server is not None and server.state != "starting":
                return server
            await asyncio.sleep(0.1)


async def test_nobody_notices_a_promotion_and_a_rollback(running_stack: Stack) -> None:
    database = Database(running_stack.database_url)
    try:
        before = running_stack.model
        assert before is not None
        first = await version_of(database, before.read_bytes())
        second = await version_of(database, taught_otherwise(before.read_bytes()), {"compared_with": first})
        customers = Customers(database)
        assert await customers.heard_as(THANKS) == "thank"
        writing = asyncio.create_task(customers.write())
        began = time.monotonic()
        async with database.session() as session:
            promotion = await deploy.promote(session, None, second)
        server = await followed(database, promotion)
        promoted = time.monotonic() - began
        assert (server.state, server.version_id) == ("live", second), server.error
        assert await customers.heard_as(THANKS) == "greet"
        began = time.monotonic()
        async with database.session() as session:
            back = await deploy.rollback(session, None, "试完了")
        server = await followed(database, back)
        rolled_back = time.monotonic() - began
        assert (server.state, server.version_id) == ("live", first), server.error
        assert await customers.heard_as(THANKS) == "thank"
        customers.enough.set()
        await writing
        await customers.all_answered()
        await every_turn_was_held_once(database, customers)
        assert running_stack.model is not None and running_stack.model.read_bytes() == before.read_bytes()
        print(f"{customers.sent} messages; promoted in {promoted:.1f} s, rolled back in {rolled_back:.1f} s")
    finally:
        await database.close()


async def every_turn_was_held_once(database: Database, customers: Customers) -> None:
    async with database.session() as session:
        rows = list(await session.scalars(select(Message).where(Message.case_id.in_(customers.talks))))
        heard = await session.scalars(
            select(RasaEvent.data).where(RasaEvent.sender_id.in_(customers.talks), RasaEvent.type_name == "user")
        )
        asked = [json.loads(data)["metadata"]["message_id"] for data in heard]
    wanted = [row for row in rows if row.direction != "out"]
    assert [(row.text, row.status, row.tries, row.error) for row in wanted if (row.status, row.tries) != ("handled", 0)] == []
    assert sorted(asked) == sorted(row.id for row in wanted)
    answers = [row.channel_message_id for row in rows if row.direction == "out"]
    assert len(answers) == len(set(answers))
