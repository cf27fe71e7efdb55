"""Every talk in tests/e2e/talks is held: all of them in this process, the chosen ones with the real Rasa and actions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from followup.store.database import Database
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial
from tests.e2e.chosen import held_with_rasa
from tests.e2e.conftest import Addresses
from tests.e2e.dialogue_file import DialogueFile, hold, set_now
from tests.e2e.play import TALKS_DIR, play, talk_files
from tests.e2e.promises import unkept

AT_A_TIME = 3


def named(path: Path) -> str:
    return str(path.relative_to(TALKS_DIR).with_suffix(""))


@pytest.mark.parametrize("path", talk_files(), ids=named)
def test_a_talk_in_this_process(path: Path) -> None:
    if failure := play(path).failure:
        raise failure


@pytest.mark.parametrize("path", talk_files(), ids=named)
def test_a_colleague_who_is_promised_hears_of_it(path: Path) -> None:
    assert unkept(play(path).result) == []


@pytest.fixture(scope="session")
def held(request: pytest.FixtureRequest, addresses: Addresses) -> Iterator[dict[Path, Future[None]]]:
    """The talks that were asked for, under way: each in a thread with a clock of its own."""
    items = [item for item in request.session.items if getattr(item, "originalname", "") == test_a_talk_with_rasa.__name__]
    wanted = [item.callspec.params["path"] for item in items]
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="talk") as pool:
        yield {path: pool.submit(lambda path=path: asyncio.run(hold_one(path, addresses))) for path in wanted}
        pool.shutdown(cancel_futures=True)


async def hold_one(path: Path, addresses: Addresses) -> None:
    """Hold one talk on connections of its own."""
    file = DialogueFile.load(path)
    database = Database(addresses.database_url, pool_size=2)
    try:
        async with RasaClient(addresses.rasa_url) as rasa:
            # `voice` as in `play`: a talk is worded the same in every run.
            variables = {"voice": path.stem, **file.raw.get("variables", {})}
            trial = await Trial.open(database, rasa, file.raw["script"], variables)
            await hold(file, trial, set_now)
    finally:
        await database.close()


@pytest.mark.parametrize("path", held_with_rasa(), ids=named)
def test_a_talk_with_rasa(path: Path, held: dict[Path, Future[None]]) -> None:
    held[path].result()
