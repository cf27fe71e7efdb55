"""Choices by number, by word, by another way to say it."""

from __future__ import annotations

from typing import Any

import pytest

from followup.reading import Asked, Heard, Option, Reading, read

OPTIONS = (
    Option("朋友介绍", ("朋友", "熟人", "同事推荐")),
    Option("网上看到", ("网上", "朋友圈", "百度")),
    Option("银行推荐", ("银行", "信贷员")),
    Option("其他"),
)


def choose(text: str, **kind: Any) -> Reading | None:
    return read(Asked("choice", options=OPTIONS, **kind), Heard(text))


def value(text: str, **kind: Any) -> Any:
    reading = choose(text, **kind)
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "expected"), [
    ("朋友介绍", "朋友介绍"), ("朋友介绍的", "朋友介绍"), ("朋友", "朋友介绍"), ("是熟人跟我说的", "朋友介绍"), ("在網上看到的", "网上看到"), ("百度的", "网上看到"), ("银行的人跟我说的", "银行推荐"),
    ("第一个", "朋友介绍"), ("1", "朋友介绍"), ("2", "网上看到"), ("３", "银行推荐"), ("选B", "网上看到"), ("b", "网上看到"), ("选项c", "银行推荐"), ("第三个吧", "银行推荐"), ("3号", "银行推荐"), ("最后一个", "其他"),
    ("朋友吧,不对,是银行", "银行推荐"), ("其他", "其他"),
])
def test_one_option(text: str, expected: str) -> None:
    assert value(text) == expected


def test_the_longest_wording_wins() -> None:
    assert value("朋友圈看到的") == "网上看到"


@pytest.mark.parametrize(("text", "expected"), [
    ("不是朋友介绍的", None), ("没有朋友介绍", None), ("不是朋友介绍的,是网上看到的", "网上看到"), ("不是网上,银行推荐的", "银行推荐"),
])
def test_a_denied_option_does_not_count(text: str, expected: str | None) -> None:
    assert value(text) == expected


@pytest.mark.parametrize("text", ["我忘了", "5", "12", "我表哥说的", "都有", "明天再说"])
def test_no_option(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize("text", ["都行", "随便", "都可以", "无所谓", "你们定吧", "隨便"])
def test_any_will_do(text: str) -> None:
    reading = choose(text)
    assert reading == Reading(None, "choice:any", "weak")


@pytest.mark.parametrize(("text", "expected"), [
    ("第一个和第三个", ["朋友介绍", "银行推荐"]), ("1和3", ["朋友介绍", "银行推荐"]), ("1、2", ["朋友介绍", "网上看到"]), ("网上,还有朋友", ["网上看到", "朋友介绍"]),
    ("朋友", ["朋友介绍"]), ("都有", ["朋友介绍", "网上看到", "银行推荐", "其他"]), ("都不是", []),
])
def test_several_options(text: str, expected: list[str]) -> None:
    assert value(text, multiple=True) == expected


def test_free_words_are_an_answer_where_the_question_takes_them() -> None:
    reading = choose("我表哥说的", other=True)
    assert reading == Reading("我表哥说的", "choice:other", "weak")
    assert value("朋友", other=True) == "朋友介绍"
