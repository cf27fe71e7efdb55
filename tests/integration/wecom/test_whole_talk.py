"""A whole talk over the fake 微信客服 with the worker's own jobs, while callbacks are lost, doubled, late and overtaken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from followup.channels.wecom.jobs import add_tasks
from followup.channels.wecom.read import Wecom
from followup.store.models import Message
from followup.talk.apology import load_apology
from followup.talk.jobs import CLOCK_QUEUE, Services, make_app
from followup.talk.rasa_client import RasaClient
from followup.talk.recovery import Recovery
from tests.fakes.wecom import Weather
from tests.integration.wechat.talking import TalkingRasa
from tests.integration.wechat.world import next_second
from tests.integration.wecom.conftest import SECRET, Firm, begin_with

SAID = ["方便", "朋友介绍的", "满意", "满意", "满意", "满意", "满意", "没有了", "没有了", "再见"]


@asynccontextmanager
async def working(firm: Firm) -> AsyncIterator[TalkingRasa]:
    """The worker, with the product's dialogue behind Rasa's interface."""
    rasa = TalkingRasa(firm.database)
    async with TestServer(rasa.app()) as talker, RasaClient(str(talker.make_url(""))) as client:
        jobs = make_app(firm.database.url, Services(firm.database, client, load_apology(), Recovery(firm.database, {})))
        add_tasks(jobs, Wecom((firm.account,), begin_with(firm.database), SECRET), firm.sender, CLOCK_QUEUE)
        async with jobs.open_async():
            work = jobs.run_worker_async(queues=["turns", "wecom"], concurrency=4, install_signal_handlers=False, fetch_job_polling_interval=0.2)
            worker = asyncio.create_task(work)
            try:
                yield rasa
            finally:
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)


async def quiet(firm: Firm, heard: int) -> None:
    """Until so many messages were heard, something was said, and everything is answered.

    In this order: a message heard after a look at what waits would not have been seen to wait.
    """
    for _ in range(1200):
        if firm.screen() and len(await firm.heard()) >= heard and not await waiting(firm) and not await firm.jobs("send_wecom"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError([(row.direction, row.text, row.status, row.error) for row in await firm.rows()])


async def waiting(firm: Firm) -> bool:
    async with firm.database.session() as session:
        found = select(Message.id).where(Message.status.in_(("received", "queued", "sending")))
        return await session.scalar(found.limit(1)) is not None


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_whole_talk_with_each_answer_once(firm, talk, seed):
    dice = random.Random(seed)
    async with working(firm) as rasa:
        # The welcome is not made to wait: it has 20 seconds, and a slow machine needs them.
        await firm.fake.enters("wmOne", await firm.talk_link(talk))
        await quiet(firm, 0)
        firm.fake.weather = Weather(times=lambda: dice.choice((1, 2, 3)), delay=lambda: dice.random() * 0.2, page=2)
        for number, said in enumerate(SAID, 1):
            await next_second()
            menu = {label: key for key, label in firm.fake.phone("wmOne").seen[-1].get("choices") or []}
            await firm.fake.says("wmOne", said, menu_id=menu.get(said, ""))
            await quiet(firm, number)
        assert await firm.heard() == SAID
        assert (await rasa.trials[talk.case_id].result()).outcome is not None and rasa.asked_again == rasa.overlaps == 0
    screen = firm.fake.phone("wmOne").seen
    assert firm.fake.rules_broken == [] and {code for path, _, code in firm.fake.calls if "send" in path} == {0}
    assert {state for state, _ in await firm.states()} == {"sent"}
    shown = "\n".join(line["text"] for line in screen if line["from"] == "firm")
    outbox = [row.text for row in await firm.rows(direction="out")]
    for text in set(outbox):
        assert shown.count(text) == "\n".join(outbox).count(text) or len(text) < 12, text
    in_a_row = most = 0
    for line in screen:
        in_a_row = 0 if line["from"] == "me" else in_a_row + 1
        most = max(most, in_a_row)
    assert most <= 2 and screen[0]["how"] == "event"


async def test_what_is_written_while_callbacks_are_lost_is_answered_with_the_next(firm, talk):
    async with working(firm):
        await firm.fake.enters("wmOne", await firm.talk_link(talk))
        await quiet(firm, 0)
        firm.fake.weather = Weather(lose=lambda: True)
        await firm.fake.says("wmOne", "方便")
        firm.fake.weather = Weather()
        await firm.fake.says("wmOne", "朋友介绍的")
        await quiet(firm, 2)
    assert await firm.heard() == ["方便", "朋友介绍的"] and firm.fake.rules_broken == []
