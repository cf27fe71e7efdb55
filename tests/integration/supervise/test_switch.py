"""A promotion that is killed at every step, and models that do not come up: the live model stays, and it goes on."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.training_models import ModelDeployment, ModelServer, ModelVersion
from followup.supervise import address
from followup.supervise.address import Live
from followup.supervise.health import free_port
from followup.supervise.keeper import Keeper
from followup.supervise.model import code_hash
from followup.supervise.switch import Switch
from followup.training import versions
from followup.training.versions import digest_of

from .supervisor import start as start_fake

SUPERVISOR = ("-m", "tests.integration.supervise.supervisor")
BEFORE_THE_SWITCH = ("wanted", "fetched", "probed")
AFTER_IT = ("switched", "draining")


async def new_version(database: Database, content: bytes, *, code: str | None = None) -> int:
    """A model that is wanted from now on."""
    async with database.session() as session:
        row = ModelVersion(
            state="ready", code_hash=code or code_hash(PROJECT_DIR), digest=digest_of(content), archive=content, size=len(content)
        )
        session.add(row)
        await session.flush()
        session.add(ModelDeployment(version_id=row.id, kind="promote"))
        return row.id


async def was_live(database: Database, home: Path, content: bytes = b"first") -> int:
    """As a supervisor leaves it that was stopped after a promotion."""
    version = await new_version(database, content)
    async with database.session() as session:
        model = await versions.fetch(session, version, home / "models")
        deployment = (await versions.deployments(session))[0].deployment
    address.write(home, Live("http://127.0.0.1:1", str(model), version, deployment, code_hash(PROJECT_DIR)))
    return version


async def supervise(database: Database, home: Path, kill_at: str = "") -> tuple[int | None, list[str]]:
    """One life of a supervisor: exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *SUPERVISOR, database.url, str(home), kill_at, cwd=PROJECT_DIR,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode, out.decode().splitlines()


def live(home: Path) -> int | None:
    found = address.read(address.file_of(home))
    assert found is not None
    return found.version


async def server(database: Database) -> ModelServer:
    async with database.session() as session:
        return (await session.scalars(select(ModelServer))).one()


async def state(database: Database) -> str | None:
    async with database.session() as session:
        return await session.scalar(select(ModelServer.state))


def left_running(home: Path) -> list[int]:
    """Fake Rasas of this home that still run; the kernel may need a moment to end them."""
    deadline = time.monotonic() + 60
    while True:
        found = [one.pid for one in psutil.process_iter(["cmdline"]) if any(str(home) in part for part in one.info["cmdline"] or ())]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


@pytest.mark.parametrize("step", [*BEFORE_THE_SWITCH, *AFTER_IT])
async def test_killed_at_any_step_there_is_a_live_model_and_the_next_start_goes_on(
    database: Database, tmp_path: Path, step: str
) -> None:
    first = await was_live(database, tmp_path)
    second = await new_version(database, b"second")
    code, said = await supervise(database, tmp_path, kill_at=step)
    assert code == -9, said
    assert live(tmp_path) == (first if step in BEFORE_THE_SWITCH else second)
    assert left_running(tmp_path) == []
    code, said = await supervise(database, tmp_path)
    assert code == 0, said
    assert said[0] == ("live first" if step in BEFORE_THE_SWITCH else "live second")
    assert live(tmp_path) == second
    assert (await server(database)).state == "live"
    assert left_running(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"misread", "第 2 版没有听懂试读的句子"), (b"unfit", "第 2 版的模型文件不能使用")],
)
async def test_a_model_that_does_not_come_up_is_told_and_the_live_one_stays(
    database: Database, tmp_path: Path, content: bytes, why: str
) -> None:
    first = await was_live(database, tmp_path)
    await new_version(database, content)
    code, said = await supervise(database, tmp_path)
    assert code == 0
    assert said[-1].startswith(why) and said[-1].endswith("线上的模型不变。")
    assert live(tmp_path) == first
    row = await server(database)
    assert (row.state, row.version_id, row.error) == ("failed", first, said[-1])


async def test_what_did_not_come_up_is_not_tried_again_until_somebody_asks_for_it(database: Database, tmp_path: Path) -> None:
    first = await was_live(database, tmp_path)
    second = await new_version(database, b"misread")
    await supervise(database, tmp_path)
    tried = (await server(database)).changed_at
    code, said = await supervise(database, tmp_path)
    assert (code, said[0]) == (0, "live first")
    assert [line for line in said if "正在启动" in line] == [] and said[-1].startswith("第 2 版没有听懂试读的句子")
    row = await server(database)
    assert (row.state, row.version_id) == ("failed", first) and row.error == said[-1] and row.changed_at >= tried
    async with database.session() as session:
        session.add(ModelDeployment(version_id=second, kind="promote"))
    _, said = await supervise(database, tmp_path)
    assert [line for line in said if "正在启动" in line] != []


async def test_a_model_of_older_code_is_not_even_tried(database: Database, tmp_path: Path) -> None:
    first = await was_live(database, tmp_path)
    await new_version(database, b"second", code="older")
    _, said = await supervise(database, tmp_path)
    assert "旧版程序" in said[-1]
    assert (await server(database)).state == "outdated"
    assert live(tmp_path) == first


async def test_bytes_that_are_not_those_that_were_written_down_are_not_used(database: Database, tmp_path: Path) -> None:
    first = await was_live(database, tmp_path)
    second = await new_version(database, b"second")
    async with database.session() as session:
        (await session.get_one(ModelVersion, second)).archive = b"something else"
    _, said = await supervise(database, tmp_path)
    assert "与登记的不一致" in said[-1]
    assert live(tmp_path) == first


async def test_a_rollback_does_not_wait_for_a_candidate_that_is_slow(database: Database, tmp_path: Path) -> None:
    first = await was_live(database, tmp_path)
    await new_version(database, b"slow")
    life = asyncio.create_task(supervise(database, tmp_path))
    while await state(database) != "starting":
        await asyncio.sleep(0.05)
    async with database.session() as session:
        session.add(ModelDeployment(version_id=first, kind="rollback"))
    code, _ = await asyncio.wait_for(life, 60)
    assert code == 0
    assert live(tmp_path) == first
    assert left_running(tmp_path) == []


async def test_a_machine_without_its_own_memory_begins_with_what_is_wanted(database: Database, tmp_path: Path) -> None:
    await new_version(database, b"first")
    await new_version(database, b"second")
    _, said = await supervise(database, tmp_path)
    assert said[0] == "live second"


async def test_going_back_while_the_one_before_is_still_up_takes_no_start(database: Database, tmp_path: Path) -> None:
    first = await was_live(database, tmp_path)
    began = address.read(address.file_of(tmp_path))
    assert began is not None
    starts: list[int] = []

    def start(model: Path, port: int, version: int) -> Keeper:
        starts.append(version)
        return start_fake(tmp_path, model, port)

    port = free_port()
    serving = start_fake(tmp_path, Path(began.model), port)
    await serving.wait_ready(60)
    began = replace(began, url=f"http://127.0.0.1:{port}")
    switch = Switch(database, tmp_path, code_hash(PROJECT_DIR), began, serving, start, keep_seconds=600)
    task = asyncio.create_task(switch.run())
    try:
        second = await new_version(database, b"second")
        await dealt_with(database, second)
        assert switch.serving is not serving
        async with database.session() as session:
            session.add(ModelDeployment(version_id=first, kind="rollback"))
        await dealt_with(database, first)
        assert starts == [second]
        assert switch.serving is serving and switch.live.url == began.url == address.read(address.file_of(tmp_path)).url  # type: ignore[union-attr]
        third = await new_version(database, b"third")
        await dealt_with(database, third)
        assert starts == [second, third]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await switch.stop()
    assert left_running(tmp_path) == []


@pytest.mark.parametrize("not_written", ["models", "run/rasa.draft"])
async def test_a_disk_that_takes_no_more_keeps_the_live_model_and_says_so(database: Database, tmp_path: Path, not_written: str) -> None:
    """What stands in the way makes the same error as a full disk: before the model is fetched, and when the new address is to be written."""
    await was_live(database, tmp_path)
    began = address.read(address.file_of(tmp_path))
    assert began is not None
    serving = start_fake(tmp_path, Path(began.model), port := free_port())
    await serving.wait_ready(60)
    began = replace(began, url=f"http://127.0.0.1:{port}")
    address.write(tmp_path, began)
    switch = Switch(database, tmp_path, code_hash(PROJECT_DIR), began, serving, lambda model, port, _: start_fake(tmp_path, model, port))
    in_the_way = tmp_path / not_written
    if aside := in_the_way.exists():
        in_the_way.rename(tmp_path / "aside")
    in_the_way.touch() if not_written == "models" else in_the_way.mkdir()
    task = asyncio.create_task(switch.run())
    try:
        second = await new_version(database, b"second")
        async with asyncio.timeout(60):
            while await state(database) != "failed":
                await asyncio.sleep(0.05)
        assert "数据目录写不进去" in (await server(database)).error
        assert switch.serving is serving and switch.live == began == address.read(address.file_of(tmp_path))
        in_the_way.unlink() if not_written == "models" else in_the_way.rmdir()
        if aside:
            (tmp_path / "aside").rename(in_the_way)
        async with database.session() as session:
            session.add(ModelDeployment(version_id=second, kind="promote"))
        await dealt_with(database, second)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await switch.stop()
    assert left_running(tmp_path) == []


async def dealt_with(database: Database, version: int) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.session() as session:
                server = await session.scalar(select(ModelServer))
            if server is not None and (server.state, server.version_id) == ("live", version):
                return
            await asyncio.sleep(0.05)
