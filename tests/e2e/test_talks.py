"""Every talk in tests/e2e/talks is held with the real Rasa and the real actions, a few of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from followup.store.database import Database
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial
from tests.e2e.conftest import Addresses
from tests.e2e.dialogue_file import DialogueFile, hold, set_now

TALKS = sorted((Path(__file__).parent / "talks").rglob("*.yml"))
AT_A_TIME = 3


@pytest.fixture(scope="session")
def held(request: pytest.FixtureRequest, addresses: Addresses) -> Iterator[dict[Path, Future[None]]]:
    """The talks that were asked for, under way: each in a thread with a clock of its own."""
    wanted = [item.callspec.params["path"] for item in request.session.items if hasattr(item, "callspec") and "path" in item.callspec.params]
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="talk") as pool:
        yield {path: pool.submit(lambda path=path: asyncio.run(hold_one(path, addresses))) for path in wanted if path in TALKS}
        pool.shutdown(cancel_futures=True)


async def hold_one(path: Path, addresses: Addresses) -> None:
    """Hold one talk on connections of its own."""
    file = DialogueFile.load(path)
    database = Database(addresses.database_url, pool_size=2)
    try:
        async with RasaClient(addresses.rasa_url) as rasa:
            # `voice` chooses among the wordings of a sentence, so that a talk is worded the same in every run.
            variables = {"voice": path.stem, **file.raw.get("variables", {})}
            trial = await Trial.open(database, rasa, file.raw["script"], variables)
            await hold(file, trial, set_now)
    finally:
        await database.close()


@pytest.mark.parametrize("path", TALKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_talk(path: Path, held: dict[Path, Future[None]]) -> None:
    held[path].result()
