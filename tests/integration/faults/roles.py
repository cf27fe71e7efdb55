"""What each process of the product does for a while, until nothing is left to be done or it is killed at a point.

The worker is the product's own (`followup.talk.jobs`), with the understanding, the dialogue and the actions in the same process: it dies
with them. The web process answers real HTTP. Who is outside, a provider and WeChat, writes down what they took on a connection of their
own, and nobody can take that back.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import ClientSession, CookieJar
from aiohttp.web import Application, AppRunner, TCPSite
from sqlalchemy import select

from followup.campaigns.queue import SEND_QUEUE
from followup.channels import Accepted, Invitation
from followup.channels.reports import report_secret
from followup.channels.wechat import queue as wechat_queue
from followup.channels.wechat.account import Account
from followup.channels.wechat.client import WechatClient
from followup.channels.wechat.envelope import sign
from followup.channels.wechat.jobs import add_tasks
from followup.channels.wechat.patience import Patience
from followup.channels.wechat.plan import Part
from followup.channels.wechat.send import Sender
from followup.settings import Settings
from followup.store.database import Database, libpq_url
from followup.store.staff_models import TakeOver
from followup.talk import takeover
from followup.talk.apology import load_apology
from followup.talk.inbox import TURN_QUEUE
from followup.talk.jobs import CLOCK_QUEUE, Services, make_app, rescue
from followup.talk.recovery import Recovery
from followup.web import app as web_app
from followup.web.wechat import PATIENCE
from tests.e2e.in_process import trained
from tests.fakes.rasa import RasaInProcess
from tests.integration.campaigns.conftest import invite

from .points import around, point

SECRET = "t" * 40
ACCOUNT = Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32)
_CLOCK = ("watch_clock", "run_campaigns", "rescue", "tidy_wechat", "look_into_queue")


_apology = lru_cache(load_apology)


@lru_cache(maxsize=1)
def shared(url: str) -> Database:
    """The engine with its compiled statements, which a fork inherits; connections are each process's own."""
    database = Database(url, pool_size=4)
    web_app.Database = lambda _: database  # type: ignore[misc,assignment]
    return database


@dataclass
class Outside:
    """A provider of short messages, and WeChat."""

    url: str
    channel: str = "sms"
    provider: str = "aliyun"

    async def send(self, invitation: Invitation) -> Accepted:
        point("short message before")
        await self._take("delivery", invitation.delivery_id)
        point("short message after")
        return Accepted(f"biz-{invitation.delivery_id}")

    async def send_wechat(self, _: WechatClient, openid: str, part: Part) -> None:
        point("WeChat message before")
        for line in part.lines:
            await self._take("line", line)
        point("WeChat message after")

    async def _take(self, what: str, number: int) -> None:
        async with await psycopg.AsyncConnection.connect(libpq_url(self.url), autocommit=True) as connection:
            await connection.execute("INSERT INTO taken (what, number) VALUES (%s, %s)", (what, number))


async def worker(url: str, **_: Any) -> None:
    """Starts, takes up what a killed one left, plays one minute of the clock and works until no job is left."""
    database, outside = shared(url), Outside(url)
    rasa = RasaInProcess(database, trained())
    around(rasa, "post", "Rasa is asked")
    WechatClient.send = lambda client, openid, part: outside.send_wechat(client, openid, part)  # type: ignore[method-assign,assignment]
    services = Services(
        database, rasa, _apology(), Recovery(database, {}), notifiers={"sms": outside}, invite=invite, daily_cap=5,
    )  # fmt: skip
    app = make_app(url, services)
    sender = Sender(database, (ACCOUNT,))
    add_tasks(app, sender, CLOCK_QUEUE)
    async with app.open_async():
        await rescue(app, database)
        for name in _CLOCK:
            await app.tasks[name].func(timestamp=0)
        await app.run_worker_async(
            queues=[TURN_QUEUE, SEND_QUEUE, wechat_queue.SEND_QUEUE], concurrency=1, wait=False, listen_notify=False,
            install_signal_handlers=False, delete_jobs="successful",
        )  # fmt: skip
    await sender.close()
    await database.close()


async def web(url: str, *, asks: list[dict[str, Any]], **_: Any) -> None:
    """Answers these requests, one after the other. Whoever asked asks again when there was no answer, with the same ids."""
    with tempfile.TemporaryDirectory() as home:
        shared(url)
        app = web_app.make_app(Settings(home=Path(home), database_url=url, secret=SECRET, wechat=(ACCOUNT,)))
        app[PATIENCE] = Patience(0.02, 0.02)
        async with _served(app) as client:
            for ask in asks:
                answer = await _ask(client, ask)
                assert answer in (200, 202, 303) or "report" in ask and answer == 503, (ask, answer)  # 503: to be told again, its sender is not done


@asynccontextmanager
async def _served(app: Application) -> AsyncIterator[ClientSession]:
    """As the product serves it: unlike aiohttp's TestServer, a request goes on to its end when the asker has gone."""
    runner = AppRunner(app)
    await runner.setup()
    site = TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", cookie_jar=CookieJar(unsafe=True)) as client:
            yield client
    finally:
        await runner.cleanup()


async def _ask(client: ClientSession, ask: dict[str, Any]) -> int:
    if "say" in ask:
        await _click(client, ask["token"])
        answer = await client.post("/chat/messages", json={"client_msg_id": ask["key"], "text": ask["say"]})
    elif "wechat" in ask:
        answer = await client.post("/wechat/shop", params=_signed(), data=_xml(ask).encode())
    elif "report" in ask:
        answer = await client.post(f"/sms/aliyun/{report_secret(SECRET)}", json=[ask["report"]])
    else:
        return await _click(client, ask["token"])
    await answer.read()
    return answer.status


async def _click(client: ClientSession, token: str) -> int:
    answer = await client.post(f"/c/{token}/start", allow_redirects=False)
    return answer.status


def _signed() -> dict[str, str]:
    stamp = {"timestamp": "1714037059", "nonce": "486452656"}
    return {**stamp, "signature": sign(ACCOUNT.token, *stamp.values())}


def _xml(ask: dict[str, Any]) -> str:
    parts = {
        "ToUserName": "gh_1", "FromUserName": ask["openid"], "CreateTime": str(ask["written"]), "MsgType": "text", "MsgId": str(ask["key"]),
        "Content": ask["wechat"],
    }  # fmt: skip
    return "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in parts.items()) + "</xml>"


async def staff(url: str, *, case_id: str, user_id: int, **_: Any) -> None:
    """A colleague takes the talk over, says something and hands it back; what was done before a kill is not done again."""
    database = shared(url)
    async with database.session() as session:
        ended = select(TakeOver.id).where(TakeOver.case_id == case_id, TakeOver.ended_at.is_not(None))
        done = await session.scalar(ended) is not None
    if not done:
        async with takeover.quiet(database, case_id) as session:
            await takeover.begin(session, case_id, user_id, "小李")
        async with database.session() as session:
            await takeover.say(session, case_id, user_id, "您好，我是小李。", "line-1")
        async with takeover.quiet(database, case_id) as session:
            await takeover.hand_back(session, case_id, user_id)
    await database.close()


ROLES = {"worker": worker, "web": web, "staff": staff}
