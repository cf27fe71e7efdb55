"""A whole talk over the fake WeChat, in each mode, while messages are lost, doubled, late and overtaken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from followup.channels.wechat.account import Account
from followup.store.database import Database
from tests.fakes.wechat import Weather
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.conftest import rows
from tests.integration.wechat.talking import TalkingRasa
from tests.integration.wechat.world import MODES, World, next_second, nothing_is_wrong, running, some

SAID = ["方便", "朋友介绍的", "满意", "满意", "满意", "满意", "满意", "没有了", "没有了", "再见"]


@asynccontextmanager
async def world(
    database: Database, home: Path, account: Account, weather: Weather, *, slow: float = 0.0, wait: float = 1.0
) -> AsyncIterator[tuple[World, TalkingRasa]]:
    rasa = TalkingRasa(database, slow=slow)
    async with TestServer(rasa.app()) as talker:
        async with running(database, str(talker.make_url("")), home, account, weather, wait=wait) as here:
            yield here, rasa
            assert rasa.asked_again == rasa.overlaps == 0


async def hold(world: World, database: Database) -> None:
    """The whole talk: scan, answers (by tapping where there is a menu), to the end."""
    await world.scan((await make_talk(database)).case_id)
    for said in SAID:
        await world.says(said)


@pytest.mark.parametrize("mode", MODES)
async def test_a_whole_talk_with_each_answer_once(database, tmp_path, mode):
    weather = Weather(lose=some(0.2, 1), double=some(0.4, 2))
    async with world(database, tmp_path, MODES[mode], weather) as (here, rasa):
        await hold(here, database)
        heard = [row.text for row in await rows(database, direction="in")]
        assert heard == SAID
        await nothing_is_wrong(here)
        how = {line["how"] for line in here.screen if line["from"] == "firm"}
        assert how == {"passive"} if mode == "passive only" else "passive" in how
        if mode != "subscription":  # there a message goes only where a turn was slow; elsewhere choices always go by one
            assert ("custom" in how) == (mode != "passive only")
        assert len(rasa.trials) == 1 and (await rasa.trials[here.case_id].result()).outcome is not None


async def test_a_turn_that_takes_too_long_is_acknowledged_before_it_ends_and_answered_later(database, tmp_path):
    async with world(database, tmp_path, MODES["sealed"], Weather(double=some(0.5, 3)), wait=0.3) as (here, rasa):
        await here.scan((await make_talk(database)).case_id)
        for said in SAID:
            await next_second()
            rasa.gate.clear()
            before = len(here.fake.answers)
            await here.fake.says(here.openid, said)  # comes back although no turn can end
            assert {status for status, _ in here.fake.answers[before:]} == {200}
            rasa.gate.set()
            await here.quiet()
        await nothing_is_wrong(here)
        assert {line["how"] for line in here.screen[2:] if line["from"] == "firm"} == {"custom"}


async def test_messages_that_overtake_each_other_are_each_taken_once(database, tmp_path):
    dice = random.Random(4)
    weather = Weather(delay=lambda: dice.random() * 0.3, double=some(0.5, 5))
    async with world(database, tmp_path, MODES["sealed"], weather) as (here, rasa):
        await here.scan((await make_talk(database)).case_id)
        await asyncio.gather(*(here.fake.says("oUser1", said) for said in ("方便", "满意", "还可以", "有点贵", "没有了")))
        await here.quiet()
        assert sorted(row.text for row in await rows(database, direction="in")) == sorted(("方便", "满意", "还可以", "有点贵", "没有了"))
        assert here.fake.rules_broken == [] and all(row.status == "sent" for row in await rows(database, direction="out"))


async def test_while_rasa_is_down_what_is_said_is_acknowledged_and_answered_when_it_is_back(database, tmp_path):
    async with world(database, tmp_path, MODES["sealed"], Weather(), wait=100) as (here, rasa):
        await here.scan((await make_talk(database)).case_id)
        rasa.always = "answer 500"
        await here.fake.says("oUser1", "方便")  # a turn that failed is not waited for, however patient we are
        rasa.always = None
        await here.quiet()
        assert all(row.status == "sent" for row in await rows(database, direction="out"))
