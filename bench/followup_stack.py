"""Our side: the whole stack as it runs in production, talked to like a browser does."""

import asyncio
import time
from datetime import timedelta

from bench.customer import Customer
from bench.measure import Figures, memory_of
from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.supervise.stack import Stack
from followup.talk.links import create_link

SCRIPT = "auto_loan_satisfaction"
REPLIES = ("方便", "朋友介绍的", "价格还可以", "期限挺合适的", "服务很好,谢谢", "没有了")
_WARM_UP = 2


async def run(talks: int) -> Figures:
    """Hold `talks` talks one after the other; the first two warm everything up and do not count."""
    turns: list[float] = []
    async with Stack.temporary() as stack:
        for number in range(talks + _WARM_UP):
            assert stack.web_url is not None
            async with Customer.opening(stack.web_url, await _link(stack.database_url)) as customer:
                seconds = [await customer.say(text) for text in REPLIES]
            if number >= _WARM_UP:
                turns += seconds
        memory = {name: memory_of(pid) for name, pid in stack.pids().items()}
        start = stack.seconds_to_ready("rasa")
    return Figures("Followup", turns, memory, start)


async def _link(database_url: str) -> str:
    script = load.load_script(SCRIPT)
    database = Database(database_url, pool_size=1)
    try:
        async with database.session() as session:
            revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
            contact = await records.create_contact(session, name="张", title="女士", is_demo=True)
            case = await records.create_case(session, contact, revision, script.demo_variables(), is_demo=True)
            return await create_link(session, case, valid_for=timedelta(hours=1))
    finally:
        await database.close()


def main(talks: int) -> Figures:
    began = time.monotonic()
    print("Followup: starting the stack ...", flush=True)
    figures = asyncio.run(run(talks))
    print(f"Followup: {len(figures.turns)} turns measured, {time.monotonic() - began:.0f} s in all", flush=True)
    return figures
