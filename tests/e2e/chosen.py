"""Which talks are held with the real Rasa and the real actions in every run; all of them are with FOLLOWUP_LONG_TESTS.

The one place that says so: every talk outside the folders below (the situations of any talk), and within them the
talks that say `rasa: happy` or `rasa: branch`, one of each for every script.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.dialogue_file import DialogueFile
from tests.e2e.play import TALKS_DIR, talk_files

OF_ONE_THING = ("scripts", "people", "happy", "knowledge", "seasons")
"""Folders of talks that show one script, one answer or one season each."""
HAPPY, BRANCH = "happy", "branch"


def key_of(path: Path) -> str:
    """What the file says: `happy`, `branch` or nothing."""
    return str(DialogueFile.load(path).raw.get("rasa", ""))


def is_chosen(path: Path) -> bool:
    return path.relative_to(TALKS_DIR).parts[0] not in OF_ONE_THING or key_of(path) in (HAPPY, BRANCH)


def held_with_rasa() -> list[Path]:
    """The talks that this run holds with the real Rasa."""
    if os.environ.get("FOLLOWUP_LONG_TESTS"):
        return talk_files()
    return [path for path in talk_files() if is_chosen(path)]
