"""How soon WeChat is acknowledged while Rasa hangs: it takes every connection and answers none, as after SIGSTOP.

    python -m bench.wechat_acknowledgement [messages] [at once]

Web, worker, the fake WeChat and a Rasa that hangs run in this one process, so the figures are rather too high.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from aiohttp.test_utils import TestServer

from followup.store.database import Database
from followup.store.migrate import upgrade
from followup.supervise import postgres
from tests.fakes.wechat import Weather
from tests.integration.talk.fake_rasa import FakeRasa
from tests.integration.wechat.world import MODES, World, running


async def measure(url: str, home: Path, messages: int, at_once: int) -> None:
    database = Database(url)
    rasa = FakeRasa(database)
    rasa.gate.clear()
    async with TestServer(rasa.app()) as talker:
        async with running(database, str(talker.make_url("")), home, MODES["sealed"], Weather()) as world:
            await world.fake.says("oFirst", "你好")  # imports, pools
            world.fake.answers.clear()
            begun, worked = time.monotonic(), time.process_time()
            numbers = iter(range(messages))
            await asyncio.gather(*(_customer(world, numbers) for _ in range(at_once)))
            _report(world, time.monotonic() - begun, time.process_time() - worked)
            rasa.gate.set()
    await database.close()


async def _customer(world: World, numbers) -> None:  # type: ignore[no-untyped-def]
    for number in numbers:
        await world.fake.says(f"o{number % 100}", f"第{number}句")


def _report(world: World, seconds: float, worked: float) -> None:
    took = sorted(taken for _, taken in world.fake.answers)

    def share(part: float) -> float:
        return took[min(int(len(took) * part), len(took) - 1)]

    late = sum(taken > 1 for taken in took)
    print(f"{len(took)} acknowledged in {seconds:.0f} s: p50 {share(0.5):.2f} s, p95 {share(0.95):.2f} s, p99 {share(0.99):.2f} s, most {took[-1]:.2f} s; over 1 s: {late}")
    print(f"of these seconds this process computed in {worked:.0f}: what is more than that and the waiting is other programs' load")


def main() -> None:
    messages, at_once = (int(given) for given in (*sys.argv[1:], *("500", "20")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory(prefix="fu-") as home:
        url, process = postgres.start(Path(home), durable=False)
        try:
            upgrade(url)
            asyncio.run(measure(url, Path(home), messages, at_once))
        finally:
            if process is not None:
                postgres.stop(process)


if __name__ == "__main__":
    main()
