"""Real trainings on few examples, through the product's own worker, to their end: the phases, a killed worker, one called off.

Takes minutes: runs with FOLLOWUP_LONG_TESTS=1; `-s` prints how long each part took.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.training_models import ModelDeployment, ModelVersion
from followup.training import jobs

from .test_killed_worker import kill

pytestmark = pytest.mark.skipif(not os.environ.get("FOLLOWUP_LONG_TESTS"), reason="takes minutes: make test-long")
PHASES = ["workspace", "reading", "training", "comparing", "replaying", "done"]
FEW = 12
"""Examples of each block of an intent."""
LINES, TALKS = 80, 3
TIMEOUT = 1200


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The product with a few examples, test lines and talks."""
    project = tmp_path / "project"
    for name in ("followup", "actions", "data", "config.yml", "domain.yml", "endpoints.yml", "credentials.yml"):
        source = PROJECT_DIR / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        elif source.exists():
            shutil.copy2(source, project / name)
    for file in (project / "data" / "nlu").rglob("*.yml"):
        file.write_text(_few_examples(file.read_text("utf-8")), "utf-8")
    rules = project / "data" / "training.yml"
    rules.write_text(re.sub(r"(?m)^nice: \d+", "nice: 0 ", rules.read_text("utf-8")), "utf-8")  # on a machine that is never idle, too
    (project / "tests" / "nlu").mkdir(parents=True)
    first = sorted((PROJECT_DIR / "tests" / "nlu").glob("*.tsv"))[0]
    (project / "tests" / "nlu" / first.name).write_text("\n".join(first.read_text("utf-8").splitlines()[:LINES]) + "\n", "utf-8")
    talks = PROJECT_DIR / "tests" / "e2e" / "talks"
    for file in sorted((talks / "happy").rglob("*.yml"))[:TALKS]:
        copy = project / "tests" / "e2e" / "talks" / file.relative_to(talks)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    return project


def _few_examples(text: str) -> str:
    kept, count = [], 0
    for one in text.split("\n"):
        count = count + 1 if re.match(r"\s+- ", one) and not re.match(r"\s*- intent:", one) else 0 if "intent:" in one else count
        if not re.match(r"\s+- ", one) or count <= FEW:
            kept.append(one)
    return "\n".join(kept)


@asynccontextmanager
async def worker(database: Database, project: Path, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {**os.environ, "DATABASE_URL": database.url, "FOLLOWUP_HOME": str(home), "PYTHONPATH": str(project)}
    environment |= {"FOLLOWUP_RASA_URL": "http://127.0.0.1:9", "FOLLOWUP_SECRET": "t" * 40, "RASA_TELEMETRY_ENABLED": "false"}
    home.mkdir(exist_ok=True)
    with (home / "worker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "followup.talk.worker", env=environment, cwd=project, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def seen(database: Database, number: int) -> ModelVersion:
    async with database.session() as session:
        return await session.get_one(ModelVersion, number)


async def until(database: Database, number: int, *, phase: str = "", states: tuple[str, ...] = ()) -> list[tuple[str, int, int]]:
    """Every (phase, done, total) that was seen on the way."""
    met: list[tuple[str, int, int]] = []
    async with asyncio.timeout(TIMEOUT):
        while True:
            row = await seen(database, number)
            if row.state == "running" or row.phase == "done":
                met.append((row.phase, row.done, row.total))
            if row.state in states or (phase and row.phase == phase and row.state == "running"):
                return list(dict.fromkeys(met))
            assert row.state not in ("failed", "cancelled"), row.error
            await asyncio.sleep(0.02)


async def queued(database: Database) -> int:
    async with database.session() as session:
        return await jobs.queue_training(session, None)


async def live(database: Database) -> tuple[int, str]:
    """The version that is wanted, and the digest of its bytes as they are now."""
    async with database.session() as session:
        number = await session.scalar(select(ModelDeployment.version_id).order_by(ModelDeployment.id.desc()).limit(1))
        digest = await session.scalar(select(func.encode(func.sha256(ModelVersion.archive), "hex")).where(ModelVersion.id == number))
    return int(number or 0), str(digest)


async def test_trainings_through_the_worker_to_their_end_killed_and_called_off(database: Database, tmp_path: Path, project: Path) -> None:
    home, began = tmp_path / "home", time.monotonic()

    def took(what: str) -> None:
        nonlocal began
        print(f"{time.monotonic() - began:6.0f} s  {what}")
        began = time.monotonic()

    async with worker(database, project, home):
        first = await queued(database)
        met = await until(database, first, states=("ready", "blocked"))
        took("a training to its end")
    names = list(dict.fromkeys(phase for phase, *_ in met if phase))
    assert names == [one for one in PHASES if one in names] and {"training", "done"} <= set(names)  # the others may pass between two looks
    assert all(0 <= done <= total for phase, done, total in met if total)
    row = await seen(database, first)
    assert row.trained_on["examples"] > 500 and row.size > 100_000 and row.report is not None
    assert row.report["frozen"]["lines"] > 0 and row.report["talks"]["played"] == TALKS
    async with database.session() as session:
        session.add(ModelDeployment(version_id=first, kind="promote", reason="the first one", overridden=row.state == "blocked"))
    before = await live(database)
    assert before == (first, row.digest)

    second = await queued(database)
    async with worker(database, project, home) as process:
        await until(database, second, phase="training")
        await kill(database, process)
        took("the next one, until its worker was killed")
    assert await live(database) == before
    async with worker(database, project, home):
        await until(database, second, states=("ready", "blocked"))
        took("the same one, taken up by the next worker")
        row = await seen(database, second)
        assert row.tries == 2 and row.report is not None and row.report["compared_with"] == first
        assert await live(database) == before

        third = await queued(database)
        await until(database, third, phase="training")
        async with database.session() as session:
            await jobs.cancel(session, None, third)
        async with asyncio.timeout(TIMEOUT):
            while (await seen(database, third)).state != "cancelled":
                await asyncio.sleep(0.1)
        took("the last one, until it was called off")
        assert not [one for one in psutil.process_iter(["cmdline"]) if str(third) in (one.info["cmdline"] or []) and "followup.training.run" in (one.info["cmdline"] or [])]
        assert not (home / "training" / "candidate.tar.gz").exists() and (await seen(database, third)).size == 0
    assert await live(database) == before
