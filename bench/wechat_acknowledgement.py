"""How soon WeChat is acknowledged while Rasa hangs: it takes every connection and answers none, as after SIGSTOP.

    python -m bench.wechat_acknowledgement [messages] [at once]

The web application is a process of its own, as in the product; worker, the fake WeChat and a Rasa that hangs are this one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from followup.settings import Settings

from followup.store.database import Database
from followup.store.migrate import upgrade
from followup.supervise import postgres
from followup.web.app import make_app
from tests.fakes.wechat import Weather
from tests.integration.talk.fake_rasa import FakeRasa
from tests.integration.wechat.world import MODES, SECRET, World, running


async def measure(url: str, home: Path, messages: int, at_once: int) -> None:
    database = Database(url)
    rasa = FakeRasa(database)
    rasa.gate.clear()
    async with TestServer(rasa.app()) as talker:
        async with running(database, str(talker.make_url("")), home, MODES["sealed"], Weather()) as world:
            with _web(url, home) as world.fake.callback:
                for _ in range(100):
                    await world.fake.says("oFirst", "你好")  # until it listens; imports, pools
                    if world.fake.answers:
                        break
                world.fake.answers.clear()
                begun = time.monotonic()
                numbers = iter(range(messages))
                await asyncio.gather(*(_customer(world, numbers) for _ in range(at_once)))
                _report(world, time.monotonic() - begun)
            rasa.gate.set()
    await database.close()


async def _customer(world: World, numbers) -> None:  # type: ignore[no-untyped-def]
    for number in numbers:
        await world.fake.says(f"o{number % 100}", f"第{number}句")


@contextmanager
def _web(url: str, home: Path) -> Iterator[str]:
    """The address of /wechat/shop, once it is started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, home, port))
    process.start()
    try:
        yield f"http://127.0.0.1:{port}/wechat/shop"
    finally:
        process.terminate()
        process.join()


def _serve(url: str, home: Path, port: int) -> None:
    account = replace(MODES["sealed"], api="http://127.0.0.1:9")  # the web process sends nothing
    settings = Settings(home=home, database_url=url, secret=SECRET, wechat=(account,))
    web.run_app(make_app(settings), host="127.0.0.1", port=port, print=None, access_log=None)


def _report(world: World, seconds: float) -> None:
    took = sorted(taken for _, taken in world.fake.answers)

    def share(part: float) -> float:
        return took[min(int(len(took) * part), len(took) - 1)]

    late = sum(taken > 1 for taken in took)
    print(f"{len(took)} acknowledged in {seconds:.0f} s: p50 {share(0.5):.2f} s, p95 {share(0.95):.2f} s, p99 {share(0.99):.2f} s, most {took[-1]:.2f} s; over 1 s: {late}")


def main() -> None:
    messages, at_once = (int(given) for given in (*sys.argv[1:], *("500", "20")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="fu-") as home:
        url, process = postgres.start(Path(home), durable=True)
        try:
            upgrade(url)
            asyncio.run(measure(url, Path(home), messages, at_once))
        finally:
            if process is not None:
                postgres.stop(process)


if __name__ == "__main__":
    main()
