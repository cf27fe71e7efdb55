"""The worker process, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from procrastinate.jobs import Job

from followup.talk.jobs import BackOff

from .conftest import Line
from .fake_rasa import ANSWER_EMPTY, DIE_AFTER_STORING

TIMEOUT = 120


@asynccontextmanager
async def worker(line: Line) -> AsyncIterator[asyncio.subprocess.Process]:
    env = {**os.environ, "DATABASE_URL": line.database.url, "FOLLOWUP_RASA_URL": line.client.url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "followup.talk.worker", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not (result := condition()) or (asyncio.iscoroutine(result) and not await result):
            await asyncio.sleep(0.02)


def has_said(line: Line, count: int) -> Callable[[], object]:
    async def check() -> bool:
        return len(await line.said()) >= count

    return check


async def test_a_worker_answers_what_comes_and_stops_when_told(line: Line) -> None:
    async with worker(line) as process:
        await line.hears("第一句")
        await until(has_said(line, 1))
        await line.hears("第二句")
        await until(has_said(line, 2))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0
    assert await line.said() == ["答：第一句", "答：第二句"]


async def test_a_turn_that_failed_is_tried_again_by_itself(line: Line) -> None:
    line.rasa.faults.extend([ANSWER_EMPTY, DIE_AFTER_STORING])
    async with worker(line):
        await line.hears("第一句")
        await line.hears("第二句")
        await until(has_said(line, 2))
    assert await line.said() == ["答：第一句", "答：第二句"]


async def test_what_a_killed_worker_was_holding_is_answered_once_by_the_next(line: Line) -> None:
    line.rasa.gate.clear()
    async with worker(line) as process:
        await line.hears("第一句")
        await until(lambda: line.rasa.asked)
        await line.hears("第二句")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    line.rasa.gate.set()
    await until(lambda: not line.rasa.holding)
    async with worker(line):
        await until(has_said(line, 2))
    assert await line.said() == ["答：第一句", "答：第二句"]
    assert line.rasa.asked_again == 0


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (4, 16), (5, 30), (5000, 30)])
def test_the_wait_between_tries_grows_to_half_a_minute(
    attempts: int, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[object] = []
    monkeypatch.setattr("followup.talk.jobs.RetryDecision", lambda retry_in: waits.append(retry_in))
    job = Job(id=1, queue="turns", lock=None, queueing_lock=None, task_name="run_turn", attempts=attempts)
    BackOff().get_retry_decision(exception=Exception(), job=job)
    assert waits == [{"seconds": seconds}]
