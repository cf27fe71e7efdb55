"""Satisfaction: scale3 很满意|一般|不满意, scale5 非常满意|满意|一般|不满意|非常不满意."""

from __future__ import annotations

import re

from followup.reading import polarity
from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.score import find_score
from followup.reading.text import core

SCALE3 = ("很满意", "一般", "不满意")
SCALE5 = ("非常满意", "满意", "一般", "不满意", "非常不满意")

_INTENT_LEVEL = {"satisfied": 1, "neutral": 0, "dissatisfied": -1, "complain": -1}
_ORDINAL = re.compile(r"(?:我?选)?(?:第)?(?P<n>[一二三四五1-5])(?:个|项|种)?(?:吧)?|(?:我?选)?(?P<letter>[a-e])(?:项|吧)?")
# words that may as well be an acknowledgement or a consent
_VAGUE = re.compile(r"(?:好|好的|好吧|行|行吧|可以|ok|成|可以的|好啊|好呀|没问题|没有问题)")


def read_scale(asked: Asked, heard: Heard) -> Reading | None:
    """By the label itself, by words, by a score, by the intent; None when no satisfaction can be heard."""
    text = core(heard.text)
    labels = SCALE3 if asked.type == "scale3" else SCALE5
    if text in labels:
        return Reading(text, f"{asked.type}:label", STRONG)
    by_number = _by_number(text, labels)
    if by_number:
        return Reading(by_number, f"{asked.type}:number", WEAK)
    score = find_score(text)
    if score is not None and score.how != "bare":
        level = 2 if score.value is None else level_of_score(score.value)
        return Reading(label(labels, level), f"{asked.type}:score", STRONG)
    found = polarity.level(text)
    if found is not None:
        level, how = found
        return Reading(label(labels, level), f"{asked.type}:{how}", WEAK if _VAGUE.fullmatch(text) else STRONG)
    if score is not None and score.value is not None and score.value > 5:
        return Reading(label(labels, level_of_score(score.value)), f"{asked.type}:score", WEAK)
    return _by_intent(asked, heard, labels)


def label(labels: tuple[str, ...], level: int) -> str:
    """The scale's label for a level of -2..2."""
    if len(labels) == 3:
        return labels[0] if level > 0 else labels[1] if level == 0 else labels[2]
    return labels[2 - level]


def level_of_score(score: float) -> int:
    """A score of ten as a level: 9-10 is 2, 8 is 1, 6-7 is 0, 3-5 is -1, less is -2 (of a hundred likewise)."""
    tenth = score / 10 if score > 10 else score
    return 2 if tenth >= 9 else 1 if tenth >= 8 else 0 if tenth >= 6 else -1 if tenth >= 3 else -2


def _by_number(text: str, labels: tuple[str, ...]) -> str | None:
    match = _ORDINAL.fullmatch(text)
    if not match:
        return None
    if match["letter"]:
        index = ord(match["letter"]) - ord("a")
    else:
        index = "一二三四五".find(match["n"]) if match["n"] in "一二三四五" else int(match["n"]) - 1
    return labels[index] if index < len(labels) else None


def _by_intent(asked: Asked, heard: Heard, labels: tuple[str, ...]) -> Reading | None:
    """What the classifier heard: any dissatisfaction in the reply beats the rest (catalogue: dissatisfied)."""
    heard_levels = [_INTENT_LEVEL[intent] for intent, _ in heard.acts if intent in _INTENT_LEVEL]
    if heard.intent in _INTENT_LEVEL:
        heard_levels.append(_INTENT_LEVEL[heard.intent])
    if not heard_levels:
        return None
    return Reading(label(labels, min(heard_levels)), f"{asked.type}:intent", STRONG)
