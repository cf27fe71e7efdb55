"""kill -9 of the real worker and the real web process at the two points of a WeChat talk that could lose or double something."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from followup import clock
from followup.store.database import Database
from followup.store.models import Message
from followup.store.wechat_models import WechatUser
from followup.supervise.health import free_port
from tests.fakes.wechat import FakeWechat
from tests.integration.web.web_talk import make_talk
from tests.integration.wechat.conftest import rows
from tests.integration.wechat.world import MODES

ACCOUNT = MODES["sealed"]


@contextmanager
def process(module: str, home: Path, database: Database, api: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the product's own processes; ended with the block."""
    env = {
        **os.environ, "FOLLOWUP_HOME": str(home), "DATABASE_URL": database.url, "FOLLOWUP_SECRET": "t" * 40, "FOLLOWUP_WECHAT": "shop",
        "FOLLOWUP_WECHAT_SHOP_APP_ID": ACCOUNT.app_id, "FOLLOWUP_WECHAT_SHOP_SECRET": ACCOUNT.secret, "FOLLOWUP_WECHAT_SHOP_TOKEN": ACCOUNT.token,
        "FOLLOWUP_WECHAT_SHOP_AES_KEY": ACCOUNT.aes_key, "FOLLOWUP_WECHAT_SHOP_API": api, **more,
    }  # fmt: skip
    running = subprocess.Popen([sys.executable, "-m", module], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


async def until(condition, what: str) -> None:
    for _ in range(2400):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what)


class Deadly(FakeWechat):
    """Takes a message, and whoever sent it is dead before the answer is there."""

    victim: subprocess.Popen[bytes] | None = None

    async def _custom(self, request: web.Request) -> web.StreamResponse:
        answer = await super()._custom(request)
        if self.victim is not None:
            os.kill(self.victim.pid, signal.SIGKILL)
            self.victim.wait()
            self.victim = None
        return answer


async def say(database: Database, case_id: str, words: str) -> None:
    async with database.session() as session:
        session.add(
            Message(
                case_id=case_id, direction="out", channel=ACCOUNT.channel, channel_message_id=words, text=words, status="queued",
                created_at=clock.now(),
            )
        )  # fmt: skip


async def as_if_long_ago(database: Database) -> None:
    """The killed worker's last sign of life, which PostgreSQL's own clock is compared with."""
    async with database.session() as session:
        await session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '5 minutes'"))


@pytest.mark.timeout(300)
async def test_a_worker_killed_between_sending_and_writing_it_down_leaves_it_unknown_and_it_is_not_sent_again(database, tmp_path):
    talk, fake = await make_talk(database), Deadly(ACCOUNT)
    fake.phone("o1").message_at = clock.now()
    async with database.session() as session:
        session.add(WechatUser(account="shop", openid="o1", case_id=talk.case_id, message_at=clock.now()))

    async def states() -> list[tuple[str, str | None]]:
        return [(row.status, row.error) for row in await rows(database, direction="out")]

    async with TestServer(fake.app()) as platform:
        api = str(platform.make_url("")).rstrip("/")
        await say(database, talk.case_id, "第一句。")
        with process("followup.talk.worker", tmp_path, database, api) as worker:
            fake.victim = worker

            async def dead() -> bool:
                return fake.victim is None

            await until(dead, "the worker sent nothing")
        assert fake.phone("o1").texts() == ["第一句。"] and await states() == [("sending", None)]
        await say(database, talk.case_id, "第二句。")
        await as_if_long_ago(database)
        later = (clock.now() + timedelta(minutes=5)).isoformat()
        with process("followup.talk.worker", tmp_path, database, api, FOLLOWUP_NOW=later, FOLLOWUP_NOW_RUNS="1"):

            async def both() -> bool:
                return [status for status, _ in await states()] == ["unknown", "sent"]

            await until(both, "the second worker did not go on")
    assert fake.phone("o1").texts() == ["第一句。", "第二句。"] and await states() == [("unknown", "interrupted"), ("sent", None)]
    await fake.close()


@pytest.mark.timeout(300)
async def test_a_web_process_killed_before_it_acknowledged_takes_wechats_second_try_for_what_it_is(database, tmp_path):
    port = free_port()
    fake = FakeWechat(ACCOUNT, f"http://127.0.0.1:{port}/wechat/shop", wait=120, again_after=0)

    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/robots.txt") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def written() -> bool:
        return bool(await rows(database, direction="in"))

    with process("followup.web", tmp_path, database, "http://127.0.0.1:9", FOLLOWUP_PORT=str(port)) as server:
        await until(answers, "the web process did not come up")
        said = asyncio.create_task(fake.says("o1", "价格有点贵"))
        await until(written, "nothing was taken")  # no worker runs, so the request still waits for its turn
        server.kill()
        server.wait()
        await said
    assert fake.answers == [] and len(fake.given_up) == 1
    with process("followup.web", tmp_path, database, "http://127.0.0.1:9", FOLLOWUP_PORT=str(port)):
        await until(answers, "the web process did not come back")
        assert await fake._ask(fake.phone("o1"), fake.given_up[0], "again")
    assert [status for status, _ in fake.answers] == [200] and fake.rules_broken == []
    assert [row.text for row in await rows(database)] == ["/start_followup", "价格有点贵"]
    await fake.close()
