"""Whatever is posted to /wechat, the answer is no server error, nothing fails unseen, and no memory is lost.

3,000 requests in every run; FOLLOWUP_LONG_TESTS plays 100,000, FOLLOWUP_MUTATIONS any number, FOLLOWUP_SEED another row of them.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from collections import Counter
from dataclasses import replace

import psutil
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from followup.channels.wechat.parse import LARGEST_BODY
from followup.channels.wechat.patience import Patience
from followup.settings import Settings
from followup.store.models import Message
from followup.web import wechat as web_wechat
from followup.web.app import make_app
from followup.web.wechat import PATIENCE
from tests.integration.wechat.conftest import PLAIN, SEALED, rows
from tests.integration.wechat.mutations import Hostile, Mutator

MIXED = replace(SEALED, name="mixed", mode="compatible")
AT_ONCE = 20
MEMORY = 100 * 2**20
"""Bytes the process may grow by between the first quarter of the requests and the last."""


def how_many() -> int:
    return int(os.environ.get("FOLLOWUP_MUTATIONS", 0)) or (100_000 if os.environ.get("FOLLOWUP_LONG_TESTS") else 3_000)


class Failures(logging.Handler):
    """What was logged as an error while requests were answered."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], web.RequestPayloadError):
            return  # aiohttp's own: after our refusal it reads what is left of a body that is not compressed as it says
        self.seen.append(f"{record.name}: {record.getMessage()}")


@pytest.mark.timeout(7200)
async def test_mutated_requests_are_never_a_server_error(database, tmp_path, monkeypatch):
    # pytest keeps every record that is logged, and with it what its traceback holds: the memory would be pytest's.
    for name in ("followup.web.wechat", "aiohttp.server"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    many, mutator = how_many(), Mutator(int(os.environ.get("FOLLOWUP_SEED", 20_261_122)), (PLAIN, SEALED, MIXED))
    app = make_app(Settings(home=tmp_path, database_url=database.url, secret="t" * 40, wechat=(PLAIN, SEALED, MIXED)))
    app[PATIENCE] = Patience(0, 0)
    statuses: Counter[int] = Counter()
    failures, wrong, memory = Failures(), [], []
    for name in ("", "aiohttp.server", "followup.web.wechat"):
        logging.getLogger(name).addHandler(failures)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.seen.append(str(context.get("message"))))
    process, begun = psutil.Process(), time.monotonic()
    # Not aiohttp's TestClient: it keeps every answer until it is closed, and the memory would be its.
    async with TestServer(app) as server, ClientSession() as client:

        async def ask(one: Hostile) -> None:
            async with client.post(server.make_url(f"/wechat/{one.account.name}"), params=one.query, data=one.body, headers=one.headers) as answer:
                await answer.read()
            statuses[answer.status] += 1
            if answer.status >= 500:
                wrong.append((answer.status, one.what, one.body[:300]))

        for number in range(0, many, AT_ONCE):
            await asyncio.gather(*(ask(mutator.next()) for _ in range(min(AT_ONCE, many - number))))
            memory.append(process.memory_info().rss)
    for name in ("", "aiohttp.server", "followup.web.wechat"):
        logging.getLogger(name).removeHandler(failures)
    async with database.session() as session:
        kept = await session.scalar(select(func.count()).select_from(Message))
    grown = memory[-1] - memory[len(memory) // 4]
    print(f"{many} requests in {time.monotonic() - begun:.0f} s: {dict(statuses.most_common())}; {kept} rows of messages; memory +{grown / 2**20:.0f} MB")
    assert wrong == [] and failures.seen == []
    assert sum(statuses.values()) == many and grown < MEMORY
    assert statuses[200] > many / 20 and statuses[400] > many / 20 and statuses[403] > many / 50  # the mutants reach every depth


def test_the_same_seed_gives_the_same_requests_but_for_the_nonces_of_the_cipher():
    first, second = (Mutator(5, (PLAIN,)) for _ in range(2))
    assert [first.next() for _ in range(300)] == [second.next() for _ in range(300)]


async def test_what_is_too_large_is_refused_however_it_is_sent(wechat, database):
    whole = wechat.xml(Content="x" * LARGEST_BODY).encode()

    async def pieces():
        for _ in range(200):
            yield b"x" * 4_096

    sent = ((whole, {}), (pieces(), {}), (gzip.compress(b"0" * 20_000_000), {"Content-Encoding": "gzip"}))
    for body, headers in sent:
        answer = await wechat.client.post("/wechat/plain", params=wechat.query(PLAIN), data=body, headers=headers)
        assert answer.status in (400, 413)
    assert await rows(database) == []


async def raw(wechat, body: bytes, *, length: int, more: str = "", query: bool = True) -> bytes:
    """Send a request byte by byte as it stands; returns what comes back until the connection ends."""
    url = wechat.client.make_url("/wechat/plain").with_query(wechat.query(PLAIN) if query else {})
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n".encode() + body)
    await writer.drain()
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_body_that_does_not_come_is_given_up(wechat, database, monkeypatch):
    monkeypatch.setattr(web_wechat, "BODY_SECONDS", 0.05)
    assert (await raw(wechat, b"<xml>", length=4_000)).startswith(b"HTTP/1.1 408 ")
    assert await rows(database) == []


async def test_an_unsigned_request_is_refused_before_its_body_comes(wechat):
    assert (await raw(wechat, b"", length=60_000, query=False)).startswith(b"HTTP/1.1 403 ")


async def test_a_body_that_is_not_compressed_as_it_says_is_refused(wechat):
    for kind in ("gzip", "deflate"):
        answer = await raw(wechat, b"\x1f\x8bnonsense", length=10, more=f"Content-Encoding: {kind}\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")


async def test_who_hangs_up_in_the_middle_leaves_nothing_behind(wechat, database):
    url = wechat.client.make_url("/wechat/plain").with_query(wechat.query(PLAIN))
    for _ in range(20):
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n<xml>".encode())
        await writer.drain()
        writer.transport.abort()
    assert await wechat.says("你好") == (200, "success")
    assert [row.text for row in await rows(database, direction="in")] == ["你好"]
