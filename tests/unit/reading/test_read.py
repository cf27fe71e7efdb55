"""Every question type, from outside: nothing that is typed can break the reading."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.reading import TYPES, Asked, Heard, Option, read

NOW = datetime(2026, 11, 25, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
OPTIONS = (Option("朋友介绍", ("朋友", "熟人")), Option("网上看到", ("网上",)), Option("其他"))

# texts made of the words that the grammars look for find more than random characters do
_PIECES = st.sampled_from(
    "不 没 很 满意 一般 差 明天 下周 周三 三 十 二十 百 万 点 半 刻 分 号 月 年 后 前 到 - : . / , 。 ! ? 上午 晚上 国庆 正月 初 个 坏 一共 一半 "
    "99 0 31 2月30 13800138000 第 选 a 北京市 路 姓 叫 王 的 吗 👍 小时 天 零 〇 % 分之 ½ １ ㊀ 後 差 差五分 十一 农历 两三 过 内 节 底".split()
)
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=9).map("".join), st.lists(_PIECES, max_size=6).map(" ".join))


@settings(max_examples=600, deadline=None)
@given(text=_TEXTS, type_=st.sampled_from(TYPES))
def test_reading_never_fails_and_gives_json(text: str, type_: str) -> None:
    asked = Asked(type_, options=OPTIONS if type_ == "choice" else (), multiple=len(text) % 2 == 0)
    reading = read(asked, Heard(text, reference=NOW))
    if reading is not None:
        assert json.loads(json.dumps(reading.value, allow_nan=False)) == reading.value
        assert reading.how.startswith(type_ + ":") and reading.fit in ("strong", "weak")


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("text", ["", " ", "\n\t", "。。。", "\x00\x07"])
def test_a_reply_without_words_answers_nothing(type_: str, text: str) -> None:
    assert read(Asked(type_, options=OPTIONS), Heard(text, reference=NOW)) is None


@pytest.mark.parametrize("type_", TYPES)
def test_ten_thousand_characters_are_read_without_harm(type_: str) -> None:
    read(Asked(type_, options=OPTIONS), Heard("十点半" * 3334, reference=NOW))


def test_an_unknown_type_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="unknown question type"):
        read(Asked("telepathy"), Heard("嗯"))


@pytest.mark.parametrize(
    ("type_", "value"),
    [("yes_no", True), ("scale3", "一般"), ("scale5", "一般"), ("confirm", True), ("open", "可以"), ("number", None), ("datetime", None)],
)
def test_the_same_word_means_what_the_question_makes_of_it(type_: str, value: object) -> None:
    reading = read(Asked(type_), Heard("可以", intent="consent", reference=NOW))
    assert (reading.value if reading else None) == value


@pytest.mark.parametrize("type_", [t for t in TYPES if t != "open"])
@pytest.mark.parametrize("text", ["我在开会", "我在开车", "我现在不方便", "在忙,待会儿", "吃饭呢", "打错了", "别再打了", "你是谁", "我要找人工", "等一下", "信号不好听不清", "你是机器人吗", "怎么有我电话的"])
def test_an_interruption_is_no_strong_answer(type_: str, text: str) -> None:
    if type_ == "confirm" and "不方便" in text:
        return  # "is 3 p.m. all right?" - "我现在不方便" may answer it
    reading = read(Asked(type_, options=OPTIONS), Heard(text, intent="in_meeting", reference=NOW))
    assert reading is None or reading.fit == "weak"


def test_a_time_without_a_moment_of_speaking_cannot_be_read() -> None:
    assert read(Asked("datetime"), Heard("明天下午三点")) is None
