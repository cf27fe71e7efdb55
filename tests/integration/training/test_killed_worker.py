"""kill -9 of the worker in the middle of a training: the training goes with it, and the next worker takes it up."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from sqlalchemy import text

from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.training_models import ModelVersion
from followup.training import jobs

TIMEOUT = 120


@asynccontextmanager
async def worker(database: Database, home: Path, trainer: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {**os.environ, "DATABASE_URL": database.url, "FOLLOWUP_HOME": str(home), "STANDS_IN": trainer}
    environment |= {"FOLLOWUP_RASA_URL": "http://127.0.0.1:9", "PYTHONPATH": str(PROJECT_DIR), "FOLLOWUP_SECRET": "t" * 40}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.training.worker_with_a_stand_in", env=environment, cwd=PROJECT_DIR, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(database: Database, number: int, *states: str) -> ModelVersion:
    async with asyncio.timeout(TIMEOUT):
        while True:
            async with database.session() as session:
                row = await session.get_one(ModelVersion, number)
            if row.state in states:
                return row
            await asyncio.sleep(0.05)


async def kill(database: Database, process: asyncio.subprocess.Process) -> None:
    """SIGKILL, and what follows by itself: the trainer on its leash ends; after half a minute the worker counts as dead."""
    trainers = psutil.Process(process.pid).children(recursive=True)
    assert trainers, "it trains"
    process.kill()
    await process.wait()
    async with asyncio.timeout(TIMEOUT):
        while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in trainers):
            await asyncio.sleep(0.02)
        while not await _lock_is_free(database):
            await asyncio.sleep(0.02)
    async with database.session() as session:
        await session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'"))


async def _lock_is_free(database: Database) -> bool:
    async with database.session() as session:
        return bool(await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:lock, 0))"), {"lock": jobs.LOCK}))


async def test_a_training_whose_worker_is_killed_is_done_by_the_next_worker(database: Database, tmp_path: Path) -> None:
    async with database.session() as session:
        number = await jobs.queue_training(session, None)
    async with worker(database, tmp_path, "second time") as process:
        assert (await until(database, number, "running")).tries == 1
        await kill(database, process)
    async with worker(database, tmp_path, "second time"):
        assert (await until(database, number, "ready", "failed", "cancelled")).state == "ready"
    async with database.session() as session:
        assert (await session.get_one(ModelVersion, number)).tries == 2


async def test_a_training_that_takes_two_workers_along_has_failed(database: Database, tmp_path: Path) -> None:
    async with database.session() as session:
        number = await jobs.queue_training(session, None)
    for tries in (1, 2):
        async with worker(database, tmp_path, "sleep") as process:
            async with asyncio.timeout(TIMEOUT):
                while (await until(database, number, "running")).tries < tries:
                    await asyncio.sleep(0.05)
            await kill(database, process)
    async with worker(database, tmp_path, "sleep"):
        row = await until(database, number, "failed")
    assert "被中断" in row.error and row.tries == 2
