"""kill -9 of each process, once, in the middle of a talk. Twenty times each: tests/long/test_kills.py."""

from collections.abc import AsyncIterator

import pytest

from followup.store.database import Database
from followup.supervise.stack import Stack

from .kills import Killing
from .moments import Moment
from .talk import as_it_should_be


@pytest.fixture
async def database(running_stack: Stack) -> AsyncIterator[Database]:
    database = Database(running_stack.database_url)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("part", "moment"),
    [
        ("actions", Moment.WRITING),
        ("worker", Moment.STORING_LONG),
        ("web", Moment.ANSWER_LOST),
        ("rasa", Moment.STORING),
    ],
)
async def test_a_killed_process_costs_no_answer_and_doubles_none(
    running_stack: Stack, database: Database, part: str, moment: Moment
) -> None:
    undisturbed = await Killing(running_stack, database, part).hold_talk()
    as_it_should_be(undisturbed)
    killing = Killing(running_stack, database, part, [moment])
    for left in await killing.hold_talks(lanes=2):
        assert left == undisturbed
    assert len(killing.killed_at) == 1
