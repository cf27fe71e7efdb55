"""The end of the wait: the passive reply and the customer-service message never say the same, whoever comes first.

The wait's clock is the test's own, and the job runs at the very points where it could do harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text, update

from followup import clock
from followup.channels.wechat import queue
from followup.channels.wechat.patience import Patience
from followup.channels.wechat.send import Sender
from followup.settings import Settings
from followup.store.database import Database
from followup.store.models import Message
from followup.store.wechat_models import WechatUser
from followup.web.app import make_app
from followup.web.wechat import PATIENCE
from tests.fakes.wechat import FakeWechat
from tests.integration.wechat.conftest import SEALED, Wechat, rows

LINE = "好的，已经记下了。"


@dataclass
class Border:
    """A customer's message whose request waits, and the job that would answer as well."""

    database: Database
    wechat: Wechat
    fake: FakeWechat
    sender: Sender
    at: float = 0.0

    @property
    def account(self):
        return self.fake.account

    async def says(self) -> asyncio.Task[tuple[int, str]]:
        """The request, waiting for its turn."""
        self.wechat.stamp = int(clock.now().timestamp())
        self.fake.phone("oUser1").message_at = clock.now()
        request = asyncio.create_task(self.wechat.says("价格有点贵", self.fake.account))
        while not await rows(self.database, direction="in"):
            await asyncio.sleep(0)
        return request

    async def turn_ends(self) -> None:
        """As a turn writes its end."""
        (heard,) = await rows(self.database, direction="in")
        async with self.database.session() as session:
            await session.execute(update(Message).where(Message.id == heard.id).values(status="handled"))
            session.add(
                Message(
                    case_id=heard.case_id, direction="out", channel=self.account.channel, channel_message_id="out", text=LINE,
                    status="queued", in_reply_to=heard.id, created_at=clock.now(),
                )
            )  # fmt: skip
            await session.flush()
            await session.execute(text("SELECT pg_notify('followup_out', :case)"), {"case": heard.case_id})

    async def job(self) -> int:
        (heard,) = await rows(self.database, direction="in")
        return await self.sender.send(heard.case_id)

    async def hold_is_over(self) -> None:
        """The request takes longer than anybody thought."""
        async with self.database.session() as session:
            await session.execute(update(WechatUser).values(answering_until=text("clock_timestamp() - interval '1 second'")))

    async def said_once(self, request: asyncio.Task[tuple[int, str]], *, by: str) -> None:
        status, body = await request
        await self.job()
        await self.job()
        custom = self.fake.phone("oUser1").texts()
        assert status == 200 and (body != "success", custom) == ((True, []) if by == "reply" else (False, [LINE]))
        found = await rows(self.database, direction="out")
        assert [(row.text, row.status, (row.error or "").split(" ")[0]) for row in found] == [(LINE, "sent", "passive" if by == "reply" else "")]


@pytest_asyncio.fixture
async def border(database: Database, tmp_path) -> AsyncIterator[Border]:
    fake = FakeWechat(SEALED)
    async with TestServer(fake.app()) as platform:
        account = replace(SEALED, api=str(platform.make_url("")).rstrip("/"))
        app = make_app(Settings(home=tmp_path, database_url=database.url, secret="t" * 40, wechat=(account,)))
        async with TestClient(TestServer(app)) as client:
            here = Border(database, Wechat(client), fake, Sender(database, (account,)))
            app[PATIENCE] = Patience(4, 0.6, lambda: here.at)
            yield here
            await here.sender.close()
            await fake.close()


def around(monkeypatch, *, before=None, after=None) -> None:
    """Something happens right before, or right after, the request takes the rows for its reply."""
    take = queue.take_for_reply

    async def taking(session, *arguments):
        if before is not None:
            await before()
        part = await take(session, *arguments)
        if after is not None:
            await session.commit()
            await after()
        return part

    monkeypatch.setattr(queue, "take_for_reply", taking)


async def test_a_turn_that_ends_in_time_is_the_reply(border):
    request = await border.says()
    border.at = 3.9
    await border.turn_ends()
    await border.said_once(request, by="reply")


async def test_a_turn_that_ends_after_the_wait_is_a_message(border):
    request = await border.says()
    border.at = 4.0
    assert await request == (200, "success")
    await border.turn_ends()
    await border.said_once(request, by="job")


async def test_a_turn_that_ends_between_the_last_look_and_the_taking_is_still_the_reply(border, monkeypatch):
    async def late() -> None:
        await border.turn_ends()
        assert await border.job() == 0  # it is held back: the request still has the customer

    around(monkeypatch, before=late)
    request = await border.says()
    border.at = 4.0
    await border.said_once(request, by="reply")


async def test_a_job_that_is_faster_than_the_request_has_the_line_alone(border, monkeypatch):
    async def faster() -> None:
        await border.turn_ends()
        await border.hold_is_over()
        assert await border.job() == 1

    around(monkeypatch, before=faster)
    request = await border.says()
    border.at = 4.0
    await border.said_once(request, by="job")


async def test_a_job_that_comes_while_the_reply_is_on_its_way_finds_nothing(border, monkeypatch):
    async def meanwhile() -> None:
        await border.hold_is_over()
        assert await border.job() == 0

    around(monkeypatch, after=meanwhile)
    request = await border.says()
    await border.turn_ends()
    await border.said_once(request, by="reply")


@pytest.mark.parametrize("jobs", [1, 5])
async def test_when_both_take_at_the_same_moment_one_of_them_has_it(border, monkeypatch, jobs):
    running: list[asyncio.Task[int]] = []

    async def at_once() -> None:
        await border.turn_ends()
        await border.hold_is_over()
        running.extend(asyncio.create_task(border.job()) for _ in range(jobs))

    around(monkeypatch, before=at_once)
    request = await border.says()
    border.at = 4.0
    await asyncio.gather(request, *running)
    taken = sum(await asyncio.gather(*running))
    await border.said_once(request, by="job" if taken else "reply")
