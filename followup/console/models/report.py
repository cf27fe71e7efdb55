"""A comparison as staff read it: one sentence, the bounds one by one, the intents, the lines that flip. Pure.

The report is the JSON that followup.training.run wrote, perhaps by an older version of it: what it lacks is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from followup.console.labels import label, labels
from followup.console.show import percent
from followup.training.bounds import Bounds
from followup.training.obstacles import obstacles

Json = Mapping[str, Any]
SORTS = ("intent", "lines", "recall", "recall_change", "precision", "precision_change")
FLIPS = ("better", "worse", "neither")
_ORDER = {"worse": 0, "neither": 1, "better": 2}
_LOOSE: dict[str, Any] = {
    "accuracy_drop": 9.0, "macro_recall_drop": 9.0, "intent_recall_drop": 9.0, "intent_precision_drop": 9.0, "corrected_drop": 9.0,
    "calibration_error_rise": 9.0, "slower": 1e9, "broken_talks": 10**9, "never_lose": (),
}  # fmt: skip
"""Bounds that nothing breaks."""


@dataclass(frozen=True, slots=True)
class Check:
    """One bound: what was found, what is allowed, and the sentences for what is beyond it."""

    name: str
    found: str
    allowed: str
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class IntentRow:
    """How an intent is understood, before (None: no live model) and now; shares between 0 and 1."""

    intent: str
    lines: int
    recall_before: float | None
    recall: float
    precision_before: float | None
    precision: float

    @property
    def name(self) -> str:
        return intent_name(self.intent)

    @property
    def recall_change(self) -> float:
        return self.recall - self.recall_before if self.recall_before is not None else 0.0

    @property
    def precision_change(self) -> float:
        return self.precision - self.precision_before if self.precision_before is not None else 0.0

    @property
    def changed(self) -> bool:
        return bool(round(self.recall_change, 6) or round(self.precision_change, 6))


@dataclass(frozen=True, slots=True)
class Flip:
    """A line that the two models read differently. `text` is empty where the customer's words were erased."""

    kind: str
    text: str
    origin: str
    message_id: int | None
    intent: str
    live: str
    live_confidence: float
    candidate: str
    candidate_confidence: float


def intent_name(intent: str) -> str:
    """`driving` -> 在开车; `faq/eat_pear` -> 业务咨询 eat_pear."""
    base, slash, detail = intent.partition("/")
    return label(base, "intents") + (f" {detail}" if slash else "")


def bounds_of(report: Json, now: Bounds) -> Bounds:
    """Those that it was measured by; a report that does not hold them was measured by those of the file."""
    known = {one.name for one in fields(Bounds)}
    kept = {name: value for name, value in (report.get("bounds") or {}).items() if name in known}
    return Bounds(**{**kept, "never_lose": tuple(kept.get("never_lose", ()))}) if kept else now


def summary(report: Json) -> list[str]:
    """Sentences: against what, how right, what flips, whether the talks go through, whether it may go live."""
    said, live = labels()["model_summary"], report["frozen"]["live"]
    now, lines = report["frozen"]["candidate"], report["frozen"]["lines"]
    found: list[str] = []
    if not live:
        found.append(said["alone"])
    elif report.get("compared_with"):
        found.append(said["against"].format(version=report["compared_with"]))
    if now:
        before, after = (percent(one["accuracy"]) if one else "" for one in (live, now))
        change = (now["accuracy"] > live["accuracy"]) - (now["accuracy"] < live["accuracy"]) if live else 0
        key = {1: "up", -1: "down", 0: "same"}[change] if live else "only"
        found.append(said[key].format(lines=f"{lines:,}", live=before, now=after))
    if live:
        counts = tally(flips_of(report))
        found.append(said["flips" if sum(counts.values()) else "no_flips"].format(**counts))
    broken, played = len(report["talks"]["broken"]), report["talks"]["played"]
    found.append(said["talks_broken" if broken else "talks_fine"].format(played=played, broken=broken))
    blocked = report.get("blocked") or ()
    found.append(said["blocked" if blocked else "ready"].format(count=len(blocked)))
    return found


def checks(report: Json, bounds: Bounds) -> list[Check]:
    """Every bound. Each is held to the report alone, by the same code that blocked it, so that the two cannot differ."""
    return [
        *(Check(label(name, "model_checks"), _found(report, name, bounds), _allowed(name, bounds), _reasons(report, name, bounds)) for name in _LOOSE),
        _probe(report),
    ]


def _reasons(report: Json, name: str, bounds: Bounds) -> tuple[str, ...]:
    alone = Bounds(**{**_LOOSE, "intent_min_lines": bounds.intent_min_lines, name: getattr(bounds, name)})
    return tuple(obstacles({**report, "probe": []}, alone))


def _probe(report: Json) -> Check:
    missed = report.get("probe") or []
    told = labels()["model_found"]
    found = told["misread"].format(count=len(missed)) if missed else told["all_read"]
    alone = Bounds(**_LOOSE)
    return Check(label("probe", "model_checks"), found, label("probe", "model_allowed"), tuple(obstacles(dict(report), alone)))


def _allowed(name: str, bounds: Bounds) -> str:
    said, bound = labels()["model_allowed"], getattr(bounds, name)
    kind = {"calibration_error_rise": "rise", "slower": "slower", "broken_talks": "talks", "never_lose": "never_lose"}.get(name)
    kind = kind or ("each" if name.startswith("intent_") else "drop")
    return said[kind].format(bound=percent(bound) if kind in ("drop", "each") else bound, lines=bounds.intent_min_lines)


def _found(report: Json, name: str, bounds: Bounds) -> str:
    said = labels()["model_found"]
    if name == "broken_talks":
        return said["talks"].format(broken=len(report["talks"]["broken"]), played=report["talks"]["played"])
    if name == "slower":
        speed = report.get("speed") or {}
        return said["times"].format(live=speed["live_ms"], now=speed["candidate_ms"], ratio=speed["ratio"]) if speed else said["nothing"]
    if name.startswith("intent_"):
        return _worst(report, name.split("_")[1])
    if name == "never_lose":
        lost = sum(flip["intent"] in bounds.never_lose and flip["better"] is False for flip in report["frozen"]["flips"])
        return said["lost"].format(count=lost) if lost else said["kept"]
    part = report["corrected"] if name == "corrected_drop" else report["frozen"]
    live, now = part["live"], part["candidate"]
    if not now:
        return said["nothing"]
    key = {"macro_recall_drop": "macro_recall", "calibration_error_rise": "calibration_error"}.get(name, "accuracy")
    shown = (lambda value: f"{value:.3f}") if key == "calibration_error" else percent
    return said["pair" if live else "only"].format(live=shown(live[key]) if live else "", now=shown(now[key]))


def _worst(report: Json, key: str) -> str:
    said = labels()["model_found"]
    falls = [(one[key][1] - one[key][0], one) for one in report["frozen"]["intents"] if one[key][0] is not None]
    if not falls:
        return said["nothing"]
    change, one = min(falls, key=lambda pair: pair[0])
    if change >= 0:
        return said["no_worse"]
    return said["worst"].format(intent=intent_name(one["intent"]), live=percent(one[key][0]), now=percent(one[key][1]))


def intents(part: Json, sort: str = "recall_change", *, down: bool = False) -> list[IntentRow]:
    """The intents of one set of lines; by default what got worst comes first."""
    rows = [
        IntentRow(one["intent"], one["lines"], one["recall"][0], one["recall"][1], one["precision"][0], one["precision"][1])
        for one in part.get("intents") or ()
    ]
    rows.sort(key=lambda row: row.intent)
    rows.sort(key=lambda row: getattr(row, sort if sort in SORTS else "recall_change"), reverse=down)
    return rows


def flips_of(report: Json, kind: str = "", origin: str = "") -> list[Flip]:
    """What got worse first, customers' lines before frozen ones; of one kind (FLIPS) or set (`corrected`, `frozen`) when asked for."""
    parts = [name for name in ("corrected", "frozen") if not origin or name == origin]
    found = [_flip(one, name) for name in parts for one in report[name].get("flips") or ()]
    return sorted((one for one in found if not kind or one.kind == kind), key=lambda one: _ORDER[one.kind])


def _flip(one: Json, origin: str) -> Flip:
    kind = {True: "better", False: "worse", None: "neither"}[one["better"]]
    return Flip(kind, one.get("text", ""), origin, one.get("message_id"), one["intent"], *one["live"], *one["candidate"])


def tally(flips: Sequence[Flip]) -> dict[str, int]:
    """How many of each kind."""
    return {kind: sum(one.kind == kind for one in flips) for kind in FLIPS}
