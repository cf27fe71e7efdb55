"""A training's life around the training itself: one at a time, cancelled, crashed, its worker killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import select, text

from followup.store.database import Database
from followup.store.training_models import ModelVersion
from followup.training import jobs
from followup.training.jobs import LOCK, TRAIN_TASK
from followup.training.labels import Refused

from .test_deploy import staff

STANDS_IN = Path(__file__).with_name("stands_in.py")


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A stand-in trains: what it does is said by STANDS_IN."""
    monkeypatch.setattr(jobs, "leashed", lambda command: [sys.executable, str(STANDS_IN), command[-1]])
    return {"FOLLOWUP_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}


async def queued(database: Database) -> int:
    async with database.session() as session:
        return await jobs.queue_training(session, None)


async def version(database: Database, number: int) -> ModelVersion:
    async with database.session() as session:
        return await session.get_one(ModelVersion, number)


async def test_a_training_is_a_row_and_a_job(database: Database) -> None:
    number = await queued(database)
    async with database.session() as session:
        job = (await session.execute(text("SELECT queue_name, lock, args FROM procrastinate_jobs WHERE task_name = :t"), {"t": TRAIN_TASK})).one()
        seen = await jobs.progress(session)
    assert tuple(job) == ("train", "train", {"version_id": number})
    assert seen is not None and (seen.version, seen.state_label, seen.percent, seen.under_way) == (number, "排队等待", 0, True)


async def test_one_at_a_time(database: Database) -> None:
    await queued(database)
    with pytest.raises(Refused, match="已经有一次训练在进行"):
        await queued(database)


async def test_two_who_ask_at_once_get_one_training(database: Database) -> None:
    found = await asyncio.gather(*(queued(database) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, int) for one in found) == 1
    assert all(isinstance(one, (int, Refused)) for one in found)


@pytest.mark.parametrize(("role", "may"), [("trainer", True), ("supervisor", True), ("admin", True), ("agent", False), ("auditor", False)])
async def test_who_may_train(database: Database, role: str, may: bool) -> None:
    who = await staff(database, role)
    async with database.session() as session:
        if may:
            await jobs.queue_training(session, who)
        else:
            with pytest.raises(Refused, match="只有训练师"):
                await jobs.queue_training(session, who)


async def test_one_that_waits_is_cancelled_at_once(database: Database) -> None:
    number = await queued(database)
    async with database.session() as session:
        await jobs.cancel(session, None, number)
    assert (await version(database, number)).state == "cancelled"
    await queued(database)


async def test_one_that_runs_is_ended(database: Database, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LOOK_EVERY", 0.05)
    number = await queued(database)
    task = asyncio.create_task(jobs.attend(database, number, {**env, "STANDS_IN": "sleep"}))
    while (await version(database, number)).state != "running":
        await asyncio.sleep(0.05)
    async with database.session() as session:
        await jobs.cancel(session, None, number)
    await asyncio.wait_for(task, 60)
    row = await version(database, number)
    assert (row.state, row.error) == ("cancelled", "")
    assert row.finished_at is not None


@pytest.mark.parametrize(("how", "why"), [("crash", "退出码 7"), ("killed", "SIGKILL")])
async def test_a_crash_is_told(database: Database, env: dict[str, str], how: str, why: str) -> None:
    number = await queued(database)
    await jobs.attend(database, number, {**env, "STANDS_IN": how})
    row = await version(database, number)
    assert row.state == "failed" and why in row.error


async def test_its_process_gives_way_to_everything_else(database: Database, env: dict[str, str]) -> None:
    number = await queued(database)
    task = asyncio.create_task(jobs.attend(database, number, {**env, "STANDS_IN": "sleep"}))
    while (await version(database, number)).state != "running":
        await asyncio.sleep(0.05)
    (child,) = [one for one in psutil.Process().children() if STANDS_IN.name in " ".join(one.cmdline())]
    niceness, group = child.nice(), Path(f"/proc/{child.pid}/autogroup")
    session = group.read_text().split()[-1] if group.exists() else "19"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert niceness == 19
    assert session == "19"
    assert not child.is_running(), "cancelled with the worker's task"


async def test_a_training_whose_worker_died_is_tried_once_more_and_then_failed(database: Database) -> None:
    number = await queued(database)

    async def died(tries: int) -> None:
        async with database.session() as session:
            await session.execute(text("DELETE FROM procrastinate_jobs"))
            row = await session.get_one(ModelVersion, number)
            row.state, row.tries, row.phase = "running", tries, "training"

    await died(1)
    async with database.session() as session:
        assert await jobs.rescue_training(session) == 1
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :t"), {"t": TRAIN_TASK}) == 1
        assert await jobs.rescue_training(session) == 0
    assert (await version(database, number)).state == "queued"
    await died(2)
    async with database.session() as session:
        await jobs.rescue_training(session)
    row = await version(database, number)
    assert row.state == "failed" and "被中断" in row.error


async def test_one_that_still_trains_is_not_taken_for_dead(database: Database) -> None:
    number = await queued(database)
    async with database.session() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    with psycopg.connect(database.url) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (LOCK,))
        async with database.session() as session:
            assert await jobs.rescue_training(session) == 0
    assert (await version(database, number)).state == "queued"


async def test_how_far_it_is(database: Database) -> None:
    number = await queued(database)
    async with database.session() as session:
        row = await session.get_one(ModelVersion, number)
        row.state, row.phase, row.done, row.total = "running", "replaying", 400, 800
    async with database.session() as session:
        seen = await jobs.progress(session)
    assert seen is not None and (seen.phase_label, seen.done, seen.total, seen.percent) == ("重走全部会话", 400, 800, 92)


async def test_the_newest_training_is_shown_when_none_is_under_way(database: Database) -> None:
    async with database.session() as session:
        assert await jobs.progress(session) is None
        session.add(ModelVersion(state="ready", trained_on={"source": "training"}))
        await session.flush()
        session.add(ModelVersion(state="ready", trained_on={"source": "files"}))
    async with database.session() as session:
        ids = list(await session.scalars(select(ModelVersion.id).order_by(ModelVersion.id)))
        seen = await jobs.progress(session)
    assert seen is not None and seen.version == ids[0]
