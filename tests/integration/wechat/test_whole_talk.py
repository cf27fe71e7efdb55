"""A whole talk over the fake WeChat, in each mode, while messages are lost, doubled, late and overtaken."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from followup.channels.wechat.account import Account
from followup.channels.wechat.jobs import add_tasks
from followup.channels.wechat.patience import Patience
from followup.channels.wechat.receive import PURPOSE
from followup.channels.wechat.send import Sender
from followup.settings import Settings
from followup.store.database import Database
from followup.store.models import Message
from followup.talk import links
from followup.talk.apology import load_apology
from followup.talk.jobs import CLOCK_QUEUE, Services, make_app
from followup.talk.rasa_client import RasaClient
from followup.talk.recovery import Recovery
from followup.web import app as web_app
from followup.web.wechat import PATIENCE
from tests.fakes.wechat import FakeWechat, Weather
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.conftest import rows
from tests.integration.wechat.talking import TalkingRasa

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MODES = {
    "plain": Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32),
    "compatible": Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, aes_key=KEY, mode="compatible"),
    "sealed": Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, aes_key=KEY, mode="aes"),
    "subscription": Account("shop", "wxba5fad812f8e6fb9", "subscription", "AAAAA", secret="s" * 32, aes_key=KEY, mode="aes"),
    "passive only": Account("shop", "wxba5fad812f8e6fb9", "subscription", "AAAAA"),
}
SAID = ["方便", "朋友介绍的", "满意", "满意", "满意", "满意", "满意", "没有了", "没有了", "再见"]


@dataclass
class World:
    database: Database
    fake: FakeWechat
    rasa: TalkingRasa
    case_id: str
    scene: str

    @property
    def screen(self) -> list[dict[str, object]]:
        return self.fake.phone("oUser1").seen

    async def quiet(self) -> None:
        """Until everything that was said is answered and nothing waits to be sent."""
        for _ in range(400):
            async with self.database.session() as session:
                waits = await session.scalar(select(Message.id).where(Message.status.in_(("received", "queued", "sending"))).limit(1))
            if waits is None:
                return
            await asyncio.sleep(0.05)
        raise AssertionError([(row.direction, row.text, row.status, row.error) for row in await rows(self.database)])


@asynccontextmanager
async def world(database: Database, home: Path, account: Account, weather: Weather, *, slow: float = 0.0, wait: float = 1.0) -> AsyncIterator[World]:
    rasa, fake = TalkingRasa(database, slow=slow), FakeWechat(account, weather=weather, wait=2.0)
    async with TestServer(fake.app()) as platform, TestServer(rasa.app()) as talker:
        account = replace(account, api=str(platform.make_url("")).rstrip("/"))
        app = web_app.make_app(Settings(home=home, database_url=database.url, secret="t" * 40, wechat=(account,)))
        app[PATIENCE] = Patience(wait, 0.2)
        async with TestServer(app) as server, RasaClient(str(talker.make_url(""))) as client:
            fake.callback = str(server.make_url("/wechat/shop"))
            jobs = make_app(database.url, Services(database, client, load_apology(), Recovery(database, {})))
            sender = Sender(database, (account,))
            add_tasks(jobs, sender, CLOCK_QUEUE)
            talk = await make_talk(database)
            async with database.session() as session:
                token = await links.create_link(session, talk.case_id, valid_for=timedelta(days=7), purpose=PURPOSE)
            async with jobs.open_async():
                worker = asyncio.create_task(jobs.run_worker_async(queues=["turns", "wechat"], concurrency=4, install_signal_handlers=False, fetch_job_polling_interval=0.2))
                try:
                    yield World(database, fake, rasa, talk.case_id, f"c_{token}")
                finally:
                    worker.cancel()
                    await asyncio.gather(worker, return_exceptions=True)
                    await sender.close()
                    await fake.close()


def some(share: float, seed: int) -> Callable[[], bool]:
    dice = random.Random(seed)
    return lambda: dice.random() < share


async def hold(world: World) -> None:
    """The whole talk: scan, answers (by tapping where there is a menu), to the end."""
    await world.fake.event("oUser1", "SCAN", world.scene)
    await world.quiet()
    for said in SAID:
        menu = dict((label, number) for number, label in (world.screen[-1].get("choices") or []))
        await world.fake.says("oUser1", said, menu_id=menu.get(said, ""))
        await world.quiet()


def check(world: World, outbox: list[Message]) -> None:
    """Each line is on the screen once; at most two messages a turn; the platform had nothing to complain about."""
    assert world.fake.rules_broken == []
    assert [code for *_, code in world.fake.calls if code in (45015, 45047)] == []
    assert all(row.status == "sent" for row in outbox)
    shown = "\n".join(str(line["text"]) for line in world.screen if line["from"] == "firm")
    for text in {row.text for row in outbox}:
        assert shown.count(text) == sum(row.text == text for row in outbox) or len(text) < 12, text
    in_a_row = most = 0
    for line in world.screen:
        in_a_row = 0 if line["from"] == "me" else in_a_row + 1
        most = max(most, in_a_row)
    assert most <= 2
    assert world.rasa.asked_again == world.rasa.overlaps == 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_whole_talk_with_each_answer_once(database, tmp_path, mode):
    weather = Weather(lose=some(0.2, 1), double=some(0.4, 2))
    async with world(database, tmp_path, MODES[mode], weather) as here:
        await hold(here)
        heard = [row.text for row in await rows(database, direction="in")]
        assert heard == SAID
        check(here, await rows(database, direction="out"))
        how = {line["how"] for line in here.screen if line["from"] == "firm"}
        assert how == {"passive"} if mode == "passive only" else "passive" in how
        assert ("custom" in how) == (mode != "passive only" and mode != "subscription")
        assert len(here.rasa.trials) == 1 and (await here.rasa.trials[here.case_id].result()).outcome is not None


async def test_turns_that_take_too_long_are_answered_later_and_acknowledged_at_once(database, tmp_path):
    async with world(database, tmp_path, MODES["sealed"], Weather(double=some(0.5, 3)), slow=0.5, wait=0.3) as here:
        await hold(here)
        check(here, await rows(database, direction="out"))
        assert {line["how"] for line in here.screen if line["from"] == "firm"} == {"custom"}
        assert max(seconds for _, seconds in here.fake.answers) < 1.0


async def test_messages_that_overtake_each_other_are_each_taken_once(database, tmp_path):
    dice = random.Random(4)
    weather = Weather(delay=lambda: dice.random() * 0.3, double=some(0.5, 5))
    async with world(database, tmp_path, MODES["sealed"], weather) as here:
        await here.fake.event("oUser1", "SCAN", here.scene)
        await asyncio.gather(*(here.fake.says("oUser1", said) for said in ("方便", "满意", "还可以", "有点贵", "没有了")))
        await here.quiet()
        assert sorted(row.text for row in await rows(database, direction="in")) == sorted(("方便", "满意", "还可以", "有点贵", "没有了"))
        assert here.fake.rules_broken == [] and all(row.status == "sent" for row in await rows(database, direction="out"))


async def test_while_rasa_is_down_what_is_said_is_acknowledged_at_once_and_answered_when_it_is_back(database, tmp_path):
    async with world(database, tmp_path, MODES["sealed"], Weather(), wait=4.0) as here:
        await here.fake.event("oUser1", "SCAN", here.scene)
        await here.quiet()
        here.rasa.always = "answer 500"
        begun = time.monotonic()
        await here.fake.says("oUser1", "方便")
        assert time.monotonic() - begun < 1.5
        here.rasa.always = None
        await here.quiet()
        assert all(row.status == "sent" for row in await rows(database, direction="out"))
