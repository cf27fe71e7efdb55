"""Every talk file, played in this process once a run: what failed, and which branches it walked."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from followup.talk.trial import TrialResult
from tests.e2e.dialogue_file import DialogueFile, TalkFailed, hold, set_now
from tests.e2e.in_process import InProcessTrial, script_of
from tests.e2e.walked import Walked

TALKS_DIR = Path(__file__).parent / "talks"


@dataclass(frozen=True)
class Played:
    """A talk file held. `failure` is the expectation that was not met, with the transcript."""

    file: DialogueFile
    walked: Walked
    result: TrialResult
    failure: TalkFailed | None


def talk_files() -> list[Path]:
    """All talks, in a stable order."""
    return sorted(TALKS_DIR.rglob("*.yml"))


@lru_cache(maxsize=None)
def play(path: Path) -> Played:
    """Hold the talk of a file. Raises what is wrong with the file itself (AssertionError, UnknownScript)."""
    # In a context of its own, so that the talk's clock stands only there.
    return contextvars.copy_context().run(lambda: asyncio.run(_play(DialogueFile.load(path))))


async def _play(file: DialogueFile) -> Played:
    walked, failure = Walked(), None
    # `voice` chooses among the wordings of a sentence, so that a talk is worded the same in every run.
    variables = {"voice": file.path.stem, **file.raw.get("variables", {})}
    trial = InProcessTrial(script_of(file.raw["script"]), variables, walked.see)
    try:
        await hold(file, trial, set_now)
    except TalkFailed as error:
        failure = error
    except Exception as error:  # whatever the dialogue stumbled over is this talk's failure, not the report's
        failure = TalkFailed(f"{file.raw['talk']}\n{error!r}")
    return Played(file, walked, await trial.result(), failure)
