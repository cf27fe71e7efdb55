"""Counts."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read
from followup.reading.numerals import to_number


def number(text: str, **bounds: float) -> float | int | None:
    reading = read(Asked("number", **bounds), Heard(text))
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "value"), [
    ("三口人", 3), ("两个", 2), ("一家五口", 5), ("3", 3), ("3.5", 3.5), ("十二个", 12), ("大概5个吧", 5), ("一共四口人", 4), ("我和老婆两个人", 2), ("俩", 2), ("就我一个人", 1),
    ("三万公里", 30000), ("3万", 30000), ("一万五", 15000), ("一百二", 120), ("一百零二", 102), ("二十多", 20), ("十来个", 10), ("两三个", 2.5), ("3到5次", 4), ("一个半", 1.5),
    ("没有", 0), ("2,000块", 2000), ("三个,不对,四个", 4), ("３個", 3), ("两万多公里", 20000),
])
def test_a_number_is_read(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["好几个", "有一点", "第一次", "不知道", "一般", "很多", "一直都有", "千万别", "138开头的这个号就行", "手机尾号5566"])
def test_no_number(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(("text", "value"), [
    ("一天二十公里", 20), ("一天大概就一两公里", 1.5), ("每天二十来公里", 20), ("一天来回四十公里左右", 40), ("一个月两千多", 2000), ("一天", 1), ("一天半", 1.5),
])
def test_the_span_that_is_counted_in_is_not_the_number(text: str, value: float) -> None:
    assert number(text) == value


def test_a_number_outside_the_bounds_is_asked_again() -> None:
    assert number("三十口人", low=1, high=20) is None
    assert number("三口人", low=1, high=20) == 3


@pytest.mark.parametrize(("words", "value"), [
    ("十", 10), ("十五", 15), ("二十", 20), ("一百", 100), ("一千零一", 1001), ("二〇二六", 2026), ("八点五", 8.5), ("两千", 2000), ("半", 0.5), ("三百五", 350), ("abc", None), ("", None),
])
def test_numerals(words: str, value: float | None) -> None:
    assert to_number(words) == value
