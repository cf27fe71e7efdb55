"""What the rankings of a system are worth: shares right, calibration, speed."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import Callable, Mapping, Sequence

import numpy as np

from bench.understanding.frozen import Reply
from bench.understanding.systems import Ranking
from followup.nlu.evaluate import calibration_error


@dataclass(frozen=True, slots=True)
class Outcome:
    """One system's run over the frozen replies, in their order. None where a mixture has no figure of its own."""

    label: str
    told: str
    """What its training had, when it was cut short."""
    rankings: Sequence[Ranking]
    milliseconds: Sequence[float]
    train_wall: float | None
    train_cpu: float | None
    memory: float | None
    """MB of a process that only asks."""

    @property
    def p50(self) -> float:
        """Milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return statistics.quantiles(self.milliseconds, n=20, method="inclusive")[-1]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one set of replies was understood; shares between 0 and 1."""

    lines: int
    accuracy: float
    macro_accuracy: float
    """Mean over the intents of the share understood (mean recall)."""
    macro_f1: float
    calibration_error: float
    by_register: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class IntentFigures:
    """Precision, recall and F1 of one intent, and how many lines it has."""

    intent: str
    lines: int
    precision: float
    recall: float
    f1: float


def quality(replies: Sequence[Reply], rankings: Sequence[Ranking]) -> Quality:
    """The figures of a system on these replies; both in the same order, not empty."""
    right = np.array([ranking[0][0] == reply.intent for reply, ranking in zip(replies, rankings)])
    confidence = np.clip([ranking[0][1] for ranking in rankings], 0.0, 1.0)
    intents = by_intent(replies, rankings)
    return Quality(
        lines=len(replies),
        accuracy=float(right.mean()),
        macro_accuracy=statistics.fmean(each.recall for each in intents),
        macro_f1=statistics.fmean(each.f1 for each in intents),
        calibration_error=calibration_error(confidence, right),
        by_register=_shares([reply.register for reply in replies], right.tolist()),
    )


def by_intent(replies: Sequence[Reply], rankings: Sequence[Ranking]) -> list[IntentFigures]:
    """The figures of every intent that is asked, in the order of their names."""
    heard = [ranking[0][0] for ranking in rankings]
    return [_intent(name, [reply.intent for reply in replies], heard) for name in sorted({r.intent for r in replies})]


def _intent(name: str, truth: Sequence[str], heard: Sequence[str]) -> IntentFigures:
    both = sum(t == h == name for t, h in zip(truth, heard))
    asked, answered = truth.count(name), heard.count(name)
    precision, recall = both / answered if answered else 0.0, both / asked
    return IntentFigures(name, asked, precision, recall, 2 * both / (asked + answered))


def _shares(keys: Sequence[str], right: Sequence[bool]) -> dict[str, float]:
    found: dict[str, list[bool]] = defaultdict(list)
    for key, value in zip(keys, right):
        found[key].append(value)
    return {key: sum(values) / len(values) for key, values in found.items()}


def mixture(left: Sequence[Ranking], right: Sequence[Ranking], share: float = 0.5) -> list[Ranking]:
    """Two systems averaged: `share` of the left one's confidence and the rest of the right one's, intent by intent."""
    return [_mixed(dict(a), dict(b), share) for a, b in zip(left, right)]


def _mixed(left: Mapping[str, float], right: Mapping[str, float], share: float) -> Ranking:
    names = [*left, *(name for name in right if name not in left)]
    score: Callable[[str], float] = lambda name: share * left.get(name, 0.0) + (1 - share) * right.get(name, 0.0)
    return sorted(((name, score(name)) for name in names), key=lambda guess: -guess[1])
