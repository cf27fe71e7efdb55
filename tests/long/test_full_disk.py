"""The whole product with its data directory on a disk of its own that is filled to the last byte in the middle of turns, and emptied again.

Tables and log files cannot grow; every other time PostgreSQL's own log cannot either, so that the server goes down and does not come up before
there is room. Each talk must come out like an undisturbed one. Needs the right to mount (root). Takes about ten minutes.
"""

from __future__ import annotations

import asyncio
import errno
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import psycopg
import pytest

from followup import clock
from followup.reconcile.run import reconcile
from followup.settings import load_settings
from followup.store.database import Database
from followup.supervise.health import free_port
from followup.supervise.stack import Stack
from tests.integration.faults.kills import Killing
from tests.integration.faults.talk import as_it_should_be
from tests.long.database_faults import MOMENTS, DatabaseFault

FILLED = 20
SIZE = "400M"
SECONDS_FULL = 6.0
_MORE_LOG = "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'test', 'more')"


@dataclass(frozen=True)
class Disk:
    """A small one."""

    path: Path

    def fill(self) -> None:
        with (self.path / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def empty(self) -> None:
        (self.path / "ballast").unlink()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "small", str(place)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.strip()}")
    yield Disk(place)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the operator read."""
    return []


@pytest.fixture(scope="module")
def stack(disk: Disk, said: list[str]) -> Iterator[Stack]:
    settings = load_settings({"FOLLOWUP_HOME": str(disk.path / "var"), "FOLLOWUP_PORT": str(free_port())})
    with Stack(settings, most_backoff=0.5, report=said.append) as running:
        yield running


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = Database(stack.database_url)
    yield database
    await database.close()


class Filling(DatabaseFault):
    """`disk` is full for some seconds; every other time PostgreSQL is made to need another file for its log."""

    disk: Disk
    went_down = 0

    def _strike(self) -> None:
        self.disk.fill()

    async def _mend(self) -> None:
        if len(self.killed_at) % 2 == 0:
            try:
                async with await psycopg.AsyncConnection.connect(self.database.url, autocommit=True) as connection:
                    for _ in range(100):  # it has some in reserve
                        await connection.execute(_MORE_LOG)
            except psycopg.OperationalError:
                self.went_down += 1
        await asyncio.sleep(SECONDS_FULL)
        self.disk.empty()


@pytest.mark.timeout(3600)
async def test_a_full_disk_costs_no_answer_and_doubles_none(
    disk: Disk, stack: Stack, database: Database, said: list[str], report: list[str]
) -> None:
    undisturbed = await Killing(stack, database, "postgres").hold_talk()
    as_it_should_be(undisturbed)
    filling = Filling(stack, database, "postgres", list(islice(cycle(MOMENTS), FILLED)))
    filling.disk = disk
    talks = await filling.hold_talks(lanes=1)
    refused = (disk.path / "var" / "log" / "postgres.log").read_text("utf-8", "replace").count("No space left on device")
    report.append(
        f"disk full {len(filling.killed_at)} times, PostgreSQL down in {filling.went_down} of them, refused {refused} times to write;"
        f" {filling.talks} talks, {len(filling.turns)} turns, of them tried again: {filling.retried};"
        f" replied after {median(filling.recoveries):.1f} s, at worst {max(filling.recoveries):.1f} s"
    )
    for left in talks:
        assert left == undisturbed
    assert len(filling.killed_at) == FILLED and filling.went_down >= FILLED // 2 - 1
    assert (await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))).findings == ()
