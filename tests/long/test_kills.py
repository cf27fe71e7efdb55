"""kill -9 of every process, twenty times each, in the middle of talks: each goes on, each answer exactly once.

Nothing here depends on when a kill hits: every talk must come out like an undisturbed one. Takes about ten minutes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import cycle, islice

import pytest

from followup.store.database import Database
from followup.supervise.stack import Stack
from tests.integration.faults.kills import HEADING, Killing
from tests.integration.faults.moments import Moment
from tests.integration.faults.talk import as_it_should_be

KILLS = 20
LANES = 3
"""Customers at a time: one whose turn is hit, others at other points of theirs."""


@pytest.fixture(scope="module")
def stack(report: list[str]) -> Iterator[Stack]:
    report.append(HEADING)
    with Stack.temporary(most_backoff=0.5) as running:  # what one kill in a while costs
        yield running


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    database = Database(stack.database_url)
    yield database
    await database.close()


@pytest.mark.parametrize("part", ["actions", "worker", "web", "rasa"])
@pytest.mark.timeout(900)
async def test_twenty_kills_cost_no_answer_and_double_none(
    stack: Stack, database: Database, part: str, report: list[str]
) -> None:
    undisturbed = await Killing(stack, database, part).hold_talk()
    as_it_should_be(undisturbed)
    killing = Killing(stack, database, part, list(islice(cycle(Moment), KILLS)))
    talks = await killing.hold_talks(LANES)
    report.append(killing.summary())
    for left in talks:
        assert left == undisturbed
    assert len(killing.killed_at) == KILLS
