"""Every talk in tests/e2e/talks is held with the real Rasa and the real actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from followup.store.database import Database
from followup.talk.rasa_client import RasaClient
from followup.talk.trial import Trial
from tests.e2e.dialogue_file import DialogueFile, hold

TALKS = sorted((Path(__file__).parent / "talks").rglob("*.yml"))


@pytest.mark.parametrize("path", TALKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_talk(path: Path, database: Database, rasa: RasaClient, set_now: Any) -> None:
    file = DialogueFile.load(path)
    variables = {"voice": path.stem, **file.raw.get("variables", {})}
    trial = await Trial.open(database, rasa, file.raw["script"], variables)
    await hold(file, trial, set_now)
