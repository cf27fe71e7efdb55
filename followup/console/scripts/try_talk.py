"""A talk by a text that is not published yet, held in this process: nothing is stored, nobody is told.

The page sends all that was said so far, and the talk is held anew: so it always goes by the text as it stands in the editor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followup.scripts import load
from followup.scripts.checks.lines import read_document
from followup.scripts.model import Script, build
from followup.scripts.published import Kind, Name
from followup.settings import Settings
from followup.supervise import address
from followup.supervise.model import model_path

if TYPE_CHECKING:
    from followup.nlu.model import IntentModel
    from followup.store.records import TranscriptLine

MOST_LINES = 40
SILENCE = "/silence"
TRIED_WITH = "fruit_order"
"""The script by which a shared wording is tried."""


@dataclass(frozen=True, slots=True)
class Tried:
    """`error`: a key of `scripts_told`, when no talk could be held."""

    lines: Sequence["TranscriptLine"] = ()
    outcome: str = ""
    tickets: Sequence[dict[str, Any]] = ()
    error: str = ""


def script_of(name: Name, text: str) -> Script:
    """The script that the text makes; of a shared wording the one it is tried with. Raises whatever is wrong with the text."""
    if name.kind is Kind.SHARED:
        from followup.scripts.published import text_of

        return build(load.content_of(text_of(load.find(TRIED_WITH)), shared=text))
    return build(load.content_of(text))


@lru_cache(maxsize=16)
def readable(text: str) -> bool:
    """Whether the text may be read whole: anchors that repeat each other would grow without end."""
    return not any(one.is_error for one in read_document(text, "")[1])


def hold(name: Name, text: str, said: Sequence[str], settings: Settings) -> Tried:
    """Opens the talk and says it all. Takes 20 ms a line, and some seconds before anybody called `warm`: not for an event loop."""
    from followup.talk.inbox import Trigger
    from followup.training.replay import InProcessTrial

    path = _model_file(settings)
    if path is None:
        return Tried(error="no_model")
    try:
        if not readable(text):
            return Tried(error="has_errors")
        script = script_of(name, text)
        model = _model(path, path.stat().st_mtime_ns)
    except ValueError:
        return Tried(error="no_model")
    except Exception:  # whatever an author is in the middle of: the checker tells
        return Tried(error="has_errors")

    async def talk() -> Tried:
        trial = InProcessTrial(script, {"voice": name.id}, model)
        await trial.start()
        for line in said[:MOST_LINES]:
            await (trial.trigger(Trigger.SILENCE) if line == SILENCE else trial.say(line))
        result = await trial.result()
        return Tried(result.transcript, result.outcome or "", result.tickets)

    try:
        return asyncio.run(talk())
    except Exception:  # a text with errors may fail anywhere in the dialogue
        return Tried(error="has_errors")


def warm(settings: Settings) -> None:
    """Read what `hold` needs, unless that has been done."""
    from followup.training import replay  # noqa: F401 - the import is what takes long

    path = _model_file(settings)
    if path is not None:
        with contextlib.suppress(ValueError, OSError):  # `hold` tells
            _model(path, path.stat().st_mtime_ns)


def _model_file(settings: Settings) -> Path | None:
    """The live model's file, else that of the files."""
    live = address.read(settings.rasa_file or address.file_of(settings.home))
    path = Path(live.model) if live is not None and Path(live.model).is_file() else model_path(settings.project_dir)
    return path if path.is_file() else None


@lru_cache(maxsize=1)
def _model(path: Path, changed: int) -> "IntentModel":
    """Some 50 MB, with what it needs 130 MB: read when the first person begins to write. Raises ValueError."""
    from followup.training.run import load_intents

    return load_intents(path)
