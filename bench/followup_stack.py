"""Our side: the whole stack as it runs in production, talked to like a browser does, and at Rasa's own door."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from sqlalchemy import insert

from bench.customer import Customer
from bench.measure import memory_of
from followup import clock
from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.models import Message
from followup.supervise.stack import Stack
from followup.talk.inbox import Trigger
from followup.talk.links import create_link

SCRIPT = "auto_loan_satisfaction"
REPLIES = ("方便", "朋友介绍的", "价格还可以", "期限挺合适的", "服务很好,谢谢", "没有了")
_WARM_UP = 2


@dataclass
class Ours:
    """Seconds of turns at the gateway and at Rasa, MB of each process, seconds of the starts."""

    gateway: list[float] = field(default_factory=list)
    rasa: list[float] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    rasa_start: float = 0.0
    """From Rasa's start until it answers."""
    start: float = 0.0
    """From `followup up` to the first words a customer reads; the model is trained, the database is new."""


async def run(talks: int, *, gateway: bool = True, rasa: bool = True) -> Ours:
    """Hold `talks` talks one after the other in each way; the first two warm everything up and do not count."""
    ours = Ours()
    began = time.monotonic()
    async with Stack.temporary(durable=True) as stack:
        assert stack.web_url is not None
        async with Customer.opening(stack.web_url, await link(stack.database_url)):
            ours.start = time.monotonic() - began
        ours.rasa_start = stack.seconds_to_ready("rasa")
        for number in range(talks + _WARM_UP if gateway else 0):
            seconds = await _at_the_gateway(stack)
            ours.gateway += seconds if number >= _WARM_UP else []
        for number in range(talks + _WARM_UP if rasa else 0):
            seconds = await _at_rasa(stack)
            ours.rasa += seconds if number >= _WARM_UP else []
        ours.memory = {name: memory_of(pid) for name, pid in stack.pids().items()}
    return ours


async def _at_the_gateway(stack: Stack) -> list[float]:
    """One talk by the public interface: from the POST to the event of the reply's first line."""
    assert stack.web_url is not None
    async with Customer.opening(stack.web_url, await link(stack.database_url)) as customer:
        return [await customer.say(text) for text in REPLIES]


async def _at_rasa(stack: Stack) -> list[float]:
    """One talk by Rasa's REST channel: our actions, records and tracker take part, inbox and outbox do not."""
    database = Database(stack.database_url, pool_size=1)
    taken = []
    try:
        case_id = await new_case(database)
        async with aiohttp.ClientSession() as http:
            for number, text in enumerate((Trigger.START.value, *REPLIES)):
                direction = "in" if number else "system"
                body = {"sender": case_id, "message": text, "metadata": await _metadata(database, case_id, text, direction)}
                began = time.perf_counter()
                async with http.post(f"{stack.rasa_url}/webhooks/rest/webhook", json=body) as response:
                    said = await response.json()
                taken.append(time.perf_counter() - began)
                if not said:
                    raise SystemExit(f"Rasa said nothing to {text!r}")
    finally:
        await database.close()
    return taken[1:]


async def _metadata(database: Database, case_id: str, text: str, direction: str) -> dict[str, object]:
    """What the worker says with a message; the row is there already, and nobody waits for it."""
    async with database.session() as session:
        values = {"case_id": case_id, "direction": direction, "channel": "bench", "text": text, "status": "handled"}
        row = insert(Message).values(**values, channel_message_id=str(time.time_ns()), created_at=clock.now())
        message_id = (await session.execute(row.returning(Message.id))).scalar_one()
    at = clock.now().astimezone(SHANGHAI).isoformat()
    return {"case_id": case_id, "message_id": message_id, "received_at": at, "direction": direction}


async def new_case(database: Database) -> str:
    """A demo case of SCRIPT."""
    script = load.load_script(SCRIPT)
    async with database.session() as session:
        revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
        contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
        return await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)


async def link(database_url: str) -> str:
    """A new case's token."""
    database = Database(database_url, pool_size=1)
    try:
        case = await new_case(database)
        async with database.session() as session:
            return await create_link(session, case, valid_for=timedelta(hours=1))
    finally:
        await database.close()


def main(talks: int, *, gateway: bool = True, rasa: bool = True) -> Ours:
    return asyncio.run(run(talks, gateway=gateway, rasa=rasa))
