"""Everything between a customer's WeChat and Rasa: the platform (a fake one), our web application and the worker, over one database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from sqlalchemy import select

from followup import clock
from followup.channels.wechat.account import CHANNEL, Account
from followup.channels.wechat.jobs import add_tasks
from followup.channels.wechat.patience import Patience
from followup.channels.wechat.plan import LIMIT
from followup.channels.wechat.scene import create_scene
from followup.channels.wechat.send import Sender
from followup.settings import Settings
from followup.store.database import Database
from followup.store.models import Message
from followup.talk.apology import load_apology
from followup.talk.jobs import CLOCK_QUEUE, Services, make_app
from followup.talk.rasa_client import RasaClient
from followup.talk.recovery import Recovery
from followup.web import app as web_app
from followup.web.wechat import PATIENCE
from tests.fakes.wechat import FakeWechat, Weather

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
_SEALED = Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, aes_key=KEY, mode="aes")
MODES = {
    "plain": replace(_SEALED, aes_key="", mode="plain"),
    "compatible": replace(_SEALED, mode="compatible"),
    "sealed": _SEALED,
    "subscription": replace(_SEALED, kind="subscription"),
    "passive only": Account("shop", "wxba5fad812f8e6fb9", "subscription", "AAAAA"),
}
SECRET = "t" * 40
OPENID = "oUser1"


@dataclass
class World:
    """`case_id`: the talk that the customer has; other talks of the database are nobody's business here."""

    database: Database
    fake: FakeWechat
    server: TestServer
    case_id: str = ""
    openid: str = OPENID

    @property
    def screen(self) -> list[dict[str, Any]]:
        return self.fake.phone(self.openid).seen

    async def scan(self, case_id: str, event: str = "SCAN") -> None:
        """The customer scans the code of the case; `subscribe`: and follows thereby."""
        self.case_id = case_id
        async with self.database.session() as session:
            scene = await create_scene(session, case_id, valid_for=timedelta(days=7))
        await self.fake.event(self.openid, event, f"qrscene_{scene}" if event == "subscribe" else scene)
        await self.quiet()

    async def says(self, text: str) -> list[str]:
        """The customer says it, by a tap where it is in a menu, and reads the answer; returns what came."""
        await next_second()
        before = len(self.screen)
        menu = {label: number for number, label in (self.screen[-1].get("choices") or [])} if self.screen else {}
        await self.fake.says(self.openid, text, menu_id=menu.get(text, ""))
        await self.quiet()
        return [line["text"] for line in self.screen[before:] if line["from"] == "firm"]

    async def quiet(self) -> None:
        """Until everything that was said is answered and nothing waits to be sent."""
        for _ in range(1200):
            async with self.database.session() as session:
                on_its_way = Message.status.in_(("queued", "sending")) & Message.channel.startswith(CHANNEL)
                waits = select(Message.id).where((Message.status == "received") | on_its_way)
                if self.case_id:
                    waits = waits.where(Message.case_id == self.case_id)
                if await session.scalar(waits.limit(1)) is None:
                    return
            await asyncio.sleep(0.05)
        raise AssertionError([(row.direction, row.text, row.status, row.error) for row in await self.rows()])

    async def rows(self, **where: object) -> list[Message]:
        async with self.database.session() as session:
            return list(await session.scalars(select(Message).filter_by(case_id=self.case_id, **where).order_by(Message.id)))

    def transcript(self) -> str:
        """For people to read."""
        shown = []
        for line in self.screen:
            who = "客户" if line["from"] == "me" else f"公众号（{line.get('how')}）"
            taps = "".join(f"\n      [{label}]" for _, label in line.get("choices") or [])
            shown.append(f"{who}：{line['text']}{taps}")
        return "\n".join(shown)


@asynccontextmanager
async def running(
    database: Database, rasa_url: str, home: Path, account: Account, weather: Weather, *, wait: float = 4.0, again_after: float = 0.5,
    queues: tuple[str, ...] = ("turns", "wechat"),
) -> AsyncIterator[World]:  # fmt: skip
    """`wait`: how long a turn is waited for; `again_after`: how soon WeChat sends again what got lost. It never gives a request up
    here, so that a slow machine loses nothing."""
    fake = FakeWechat(account, weather=weather, wait=120, again_after=again_after, clock=clock.now)
    async with TestServer(fake.app()) as platform:
        account = replace(account, api=str(platform.make_url("")).rstrip("/"))
        app = web_app.make_app(Settings(home=home, database_url=database.url, secret=SECRET, wechat=(account,)))
        app[PATIENCE] = Patience(wait, min(wait, 0.6))
        async with TestServer(app) as server, RasaClient(rasa_url) as rasa:
            fake.callback = str(server.make_url("/wechat/shop"))
            jobs = make_app(database.url, Services(database, rasa, load_apology(), Recovery(database, {})))
            sender = Sender(database, (account,))
            add_tasks(jobs, sender, CLOCK_QUEUE)
            async with jobs.open_async():
                working = jobs.run_worker_async(
                    queues=list(queues), concurrency=4, install_signal_handlers=False, fetch_job_polling_interval=0.2
                )
                worker = asyncio.create_task(working)
                try:
                    yield World(database, fake, server)
                finally:
                    worker.cancel()
                    await asyncio.gather(worker, return_exceptions=True)
                    await sender.close()
                    await fake.close()


async def next_second() -> None:
    """WeChat tells the second of a message and no more: what is said in one second shares one budget, and we count rather too much."""
    await asyncio.sleep(1 - clock.now().timestamp() % 1)


def some(share: float, seed: int) -> Callable[[], bool]:
    """True as often as `share` says, in the same order every time."""
    dice = random.Random(seed)
    return lambda: dice.random() < share


async def nothing_is_wrong(world: World) -> None:
    """Each line of ours is on the screen once and as it was meant, in at most two messages a turn, none of them too long; and the
    platform had nothing to complain about, least of all the quota."""
    assert world.fake.rules_broken == world.fake.given_up == []
    assert [code for *_, code in world.fake.calls if code] == []
    out = await world.rows(direction="out")
    assert [(row.text, row.status, row.error) for row in out if row.status != "sent"] == []
    ours = [str(line["text"]) for line in world.screen if line["from"] == "firm"]
    left = "\n".join(ours)
    for row in sorted(out, key=lambda row: -len(row.text)):  # the longest first: one may stand in another
        assert row.text in left, (row.text, world.transcript())
        left = left.replace(row.text, "", 1)
    left = "".join(line for line in left.split("\n") if not line[:1].isdigit() and not line.startswith(("请回复", "可以回复")))
    assert left.strip() == "", (left, world.transcript())
    assert max(len(text.encode()) for text in ours) <= LIMIT
    in_a_row = most = 0
    for line in world.screen:
        in_a_row = 0 if line["from"] == "me" else in_a_row + 1
        most = max(most, in_a_row)
    assert most <= 2, world.transcript()
