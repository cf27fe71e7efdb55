"""A candidate beside the live model: on the frozen sentences and on what staff corrected. Pure: models in, figures out.

What goes into the report is JSON. A customer's line stands in it by its message's number, so that erasing the customer
erases the words (followup.training.progress puts them in when somebody reads it).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from followup.nlu.evaluate import calibration_error
from followup.nlu.model import IntentModel
from followup.nlu.understanding import read_reply
from followup.training.frozen import Line

_TIMED_LINES = 200


@dataclass(frozen=True, slots=True)
class Read:
    """What a model made of a line: the leading intent and its confidence."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Share:
    """How an intent is understood; shares between 0 and 1."""

    lines: int
    recall: float
    precision: float


def read_lines(model: IntentModel, lines: Sequence[Line], seen: Callable[[int], None] = lambda done: None) -> list[Read]:
    """As a customer is understood: all acts of a reply, and the one that leads."""
    found = []
    for number, line in enumerate(lines):
        leading = read_reply(line.text, model).leading
        found.append(Read(leading.intent, round(leading.confidence, 4)))
        if number % 100 == 99:
            seen(number + 1)
    return found


def figures(lines: Sequence[Line], reads: Sequence[Read]) -> dict[str, float]:
    """Accuracy, mean recall over the intents, and calibration error; lines must not be empty."""
    right = np.array([read.intent == line.intent for line, read in zip(lines, reads, strict=True)])
    shares = by_intent(lines, reads)
    confidence = np.clip([read.confidence for read in reads], 0.0, 1.0)
    return {
        "accuracy": round(float(right.mean()), 5),
        "macro_recall": round(statistics.fmean(share.recall for share in shares.values()), 5),
        "calibration_error": round(calibration_error(confidence, right), 5),
    }


def by_intent(lines: Sequence[Line], reads: Sequence[Read]) -> dict[str, Share]:
    """Every intent that is asked for."""
    found = {}
    for intent in sorted({line.intent for line in lines}):
        asked = [read.intent == intent for line, read in zip(lines, reads) if line.intent == intent]
        heard = [line.intent == intent for line, read in zip(lines, reads) if read.intent == intent]
        precision = sum(heard) / len(heard) if heard else 0.0
        found[intent] = Share(len(asked), round(sum(asked) / len(asked), 4), round(precision, 4))
    return found


def comparison(lines: Sequence[Line], live: Sequence[Read] | None, candidate: Sequence[Read]) -> dict[str, Any]:
    """`{"lines", "live", "candidate", "intents", "flips"}` of one set; without a live model the candidate's part only."""
    if not lines:
        return {"lines": 0, "live": None, "candidate": None, "intents": [], "flips": []}
    now = by_intent(lines, candidate)
    before = by_intent(lines, live) if live is not None else {}
    return {
        "lines": len(lines),
        "live": figures(lines, live) if live is not None else None,
        "candidate": figures(lines, candidate),
        "intents": [
            {
                "intent": intent,
                "lines": share.lines,
                "recall": [before[intent].recall if before else None, share.recall],
                "precision": [before[intent].precision if before else None, share.precision],
            }
            for intent, share in now.items()
        ],
        "flips": [_flip(*each) for each in zip(lines, live or [], candidate) if each[1].intent != each[2].intent],
    }


def _flip(line: Line, live: Read, candidate: Read) -> dict[str, Any]:
    better = True if candidate.intent == line.intent else False if live.intent == line.intent else None
    said: dict[str, Any] = {"text": line.text} if line.message_id is None else {"message_id": line.message_id}
    return {
        **said,
        "set": line.origin,
        "intent": line.intent,
        "live": [live.intent, live.confidence],
        "candidate": [candidate.intent, candidate.confidence],
        "better": better,
    }


def speed(live: IntentModel, candidate: IntentModel, lines: Sequence[Line]) -> dict[str, float]:
    """Median milliseconds of the processor for one line, side by side, so that a busy machine slows both."""
    times: tuple[list[float], list[float]] = ([], [])
    for line in lines[:: max(1, len(lines) // _TIMED_LINES)]:
        read_reply(line.text, live)  # what is remembered of a text is remembered for both
        for model, taken in zip((live, candidate), times):
            began = time.thread_time()
            read_reply(line.text, model)
            taken.append(1000 * (time.thread_time() - began))
    if not times[0]:
        return {}
    before, now = (statistics.median(each) for each in times)
    return {"live_ms": round(before, 3), "candidate_ms": round(now, 3), "ratio": round(now / before, 3) if before else 1.0}
