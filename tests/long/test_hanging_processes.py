"""Rasa and the action server stand still for 70 s in the middle of a turn, longer than a turn waits: SIGSTOP, then SIGCONT.

The second time it stands still before the keeper has seen that it is back, and is given up and started anew. What then must hold is what must hold after a kill: tests/long/test_kills.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from followup.store.database import Database
from followup.supervise.stack import Stack
from tests.integration.faults.kills import Killing
from tests.integration.faults.moments import Moment
from tests.integration.faults.talk import as_it_should_be

SECONDS = 70.0


class Hanging(Killing):
    """Instead of being killed the process stands still, and goes on."""

    def _kill(self) -> None:
        pid = self.stack.pids()[self.part]
        os.kill(pid, signal.SIGSTOP)
        self.killed_at.append(time.monotonic())
        self._back.clear()
        self._recovery = asyncio.create_task(self._go_on(pid))

    async def _go_on(self, pid: int) -> None:
        try:
            await asyncio.sleep(SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.restarts.append(time.monotonic() - self.killed_at[-1])
        self._back.set()
        await asyncio.gather(*(turn.replied for turn in self.turns if not turn.replied.done()))
        self._recovered.set()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack.temporary() as running:
        yield running


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = Database(stack.database_url)
    yield database
    await database.close()


@pytest.mark.parametrize("part", ["actions", "rasa"])
@pytest.mark.timeout(1200)
async def test_what_hangs_for_70_seconds_costs_no_answer_and_doubles_none(
    stack: Stack, database: Database, part: str, report: list[str]
) -> None:
    undisturbed = await Killing(stack, database, part).hold_talk()
    as_it_should_be(undisturbed)
    hanging = Hanging(stack, database, part, [Moment.WRITING, Moment.STORING])
    talks = await hanging.hold_talks(lanes=2)
    waits = sorted(turn.ended - turn.began for turn in hanging.turns)
    report.append(
        f"{part} stood still {len(hanging.killed_at)} times for {SECONDS:.0f} s: {hanging.talks} talks, {len(waits)} turns, of them tried again:"
        f" {hanging.retried}; longest waits {', '.join(f'{wait:.0f} s' for wait in waits[-4:])}; starts: {stack.starts(part)}"
    )
    for left in talks:
        assert left == undisturbed
    assert waits[-1] > SECONDS / 2, "nobody noticed that it stood still"
    assert len(hanging.killed_at) == 2
