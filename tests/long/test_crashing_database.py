"""PostgreSQL crashes in the middle of turns: one of its own processes is killed, and it throws away what is not on the disk yet.

Rasa and the action server commit without waiting for the disk (docs/decisions/0016-one-wait-for-the-disk.md), so their last commits
may be gone while an earlier one stands. Each talk must come out like an undisturbed one. Takes about five minutes.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import cycle, islice
from statistics import median

import psutil
import pytest

from followup import clock
from followup.reconcile.run import reconcile
from followup.store.database import Database
from followup.supervise.stack import Stack
from tests.integration.faults.kills import Killing
from tests.integration.faults.talk import as_it_should_be
from tests.long.database_faults import MOMENTS, DatabaseFault

CRASHES = 40


class Crashing(DatabaseFault):
    """What is killed is a process of PostgreSQL that serves one of ours: the server ends all others and begins anew from its log."""

    def _strike(self) -> None:
        serving = [one for one in psutil.Process(self.stack.pids()[self.part]).children(recursive=True) if "[local]" in " ".join(one.cmdline())]
        os.kill(random.choice(serving).pid, signal.SIGKILL)

    async def _mend(self) -> None:
        await asyncio.sleep(0.05)  # it has not noticed yet


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack.temporary(durable=True, most_backoff=0.5) as running:  # what one crash in a while costs
        yield running


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = Database(stack.database_url)
    yield database
    await database.close()


@pytest.mark.timeout(1800)
async def test_a_crash_of_the_database_costs_no_answer_and_doubles_none(stack: Stack, database: Database, report: list[str]) -> None:
    undisturbed = await Killing(stack, database, "postgres").hold_talk()
    as_it_should_be(undisturbed)
    crashing = Crashing(stack, database, "postgres", list(islice(cycle(MOMENTS), CRASHES)))
    talks = await crashing.hold_talks(lanes=1)
    report.append(
        f"PostgreSQL crashed {len(crashing.killed_at)} times: {crashing.talks} talks, {len(crashing.turns)} turns, of them tried again: {crashing.retried};"
        f" back after {median(crashing.restarts):.1f} s, replied after {median(crashing.recoveries):.1f} s, at worst {max(crashing.recoveries):.1f} s"
    )
    for left in talks:
        assert left == undisturbed
    assert len(crashing.killed_at) == CRASHES
    assert (await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))).findings == ()
