"""Why a candidate must not go live without a supervisor's word: its report against the bounds. Pure, and needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from followup.training.bounds import Bounds
from followup.training.labels import sentence

_LISTED = 5


def obstacles(report: dict[str, Any], bounds: Bounds) -> list[str]:
    """Why the candidate must not go live without a supervisor's word, in Chinese; empty when nothing is worse than allowed."""
    return [*_worse(report, bounds), *_lost(report, bounds), *_slower_or_broken(report, bounds)]


def _worse(report: dict[str, Any], bounds: Bounds) -> list[str]:
    frozen, corrected = report["frozen"], report["corrected"]
    found = []
    live, now = frozen["live"], frozen["candidate"]
    if live:
        for key, bound in (("accuracy", bounds.accuracy_drop), ("macro_recall", bounds.macro_recall_drop)):
            if live[key] - now[key] > bound:
                found.append(sentence(key, "blocked", live=live[key], candidate=now[key], bound=bound))
        if now["calibration_error"] - live["calibration_error"] > bounds.calibration_error_rise:
            pair = {"live": live["calibration_error"], "candidate": now["calibration_error"]}
            found.append(sentence("calibration", "blocked", **pair, bound=bounds.calibration_error_rise))
        found += _worse_intents(frozen["intents"], bounds)
    if corrected["live"] and corrected["live"]["accuracy"] - corrected["candidate"]["accuracy"] > bounds.corrected_drop:
        pair = {"live": corrected["live"]["accuracy"], "candidate": corrected["candidate"]["accuracy"]}
        found.append(sentence("corrected", "blocked", lines=corrected["lines"], **pair, bound=bounds.corrected_drop))
    return found


def _worse_intents(intents: Sequence[dict[str, Any]], bounds: Bounds) -> list[str]:
    found = []
    for one in intents:
        if one["lines"] < bounds.intent_min_lines:
            continue
        for key, bound in (("recall", bounds.intent_recall_drop), ("precision", bounds.intent_precision_drop)):
            live, now = one[key]
            if live - now > bound:
                values = {"intent": one["intent"], "lines": one["lines"], "live": live, "candidate": now, "bound": bound}
                found.append(sentence(f"intent_{key}", "blocked", **values))
    return found


def _lost(report: dict[str, Any], bounds: Bounds) -> list[str]:
    found = []
    for intent in bounds.never_lose:
        lost = [flip for flip in report["frozen"]["flips"] if flip["intent"] == intent and flip["better"] is False]
        if lost:
            found.append(sentence("never_lose", "blocked", intent=intent, count=len(lost), sample=lost[0]["text"]))
    return found


def _slower_or_broken(report: dict[str, Any], bounds: Bounds) -> list[str]:
    found = []
    ratio = report["speed"].get("ratio", 0.0)
    if ratio > bounds.slower:
        found.append(sentence("slower", "blocked", ratio=ratio, bound=bounds.slower))
    broken = [talk["talk"] for talk in report["talks"]["broken"]]
    if len(broken) > bounds.broken_talks:
        names = "、".join(broken[:_LISTED]) + ("等" if len(broken) > _LISTED else "")
        found.append(sentence("talks", "blocked", count=len(broken), names=names))
    for miss in report.get("probe", []):
        found.append(sentence("probe", "blocked", **miss))
    return found
