"""Scores out of ten."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read


def score(text: str, low: float | None = None, high: float | None = None) -> float | int | None:
    reading = read(Asked("score", low=low, high=high), Heard(text))
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "value"), [
    ("八分", 8), ("8", 8), ("8分", 8), ("8.5", 8.5), ("8.5分", 8.5), ("八点五分", 8.5), ("八点五", 8.5), ("8分半", 8.5), ("打个九分吧", 9), ("给你们打9分", 9), ("给9", 9),
    ("打10", 10), ("满分", 10), ("给满分", 10), ("十分", 10), ("10分", 10), ("十分吧", 10), ("八九分", 8.5), ("7-8分", 7.5), ("七到八分", 7.5), ("6、7分", 6.5), ("打个七八分吧", 7.5),
    ("不给满分给9分", 9), ("7分,不对,8分", 8), ("十分制我给8分", 8), ("8/10", 8), ("9分吧,差一分怕你们骄傲", 9), ("服务还不错,8分", 8), ("一分", 1), ("８分", 8), ("差不多八分", 8), ("八", 8),
])
def test_a_score_is_read(text: str, value: float) -> None:
    assert score(text) == value


@pytest.mark.parametrize("text", ["十分满意", "十分不满意", "十分好", "十一分", "0分", "100分", "八十分", "十分钟", "三分之一", "满意", "不知道", "过分", "分期", "差一分", "第一", "明天", "满分是多少"])
def test_what_is_no_score_within_the_bounds_is_none(text: str) -> None:
    assert score(text) is None


def test_the_bounds_are_the_questions_own() -> None:
    assert score("80分", 0, 100) == 80
    assert score("满分", 0, 5) == 5
    assert score("6分", 1, 5) is None


def test_a_range_says_so() -> None:
    reading = read(Asked("score"), Heard("八九分"))
    assert reading and reading.how == "score:range"
