"""What is told instead of an answer: seen by the words themselves, and never lost."""

from __future__ import annotations

from datetime import datetime

import pytest

from followup.dialogue.consent import is_plain_no
from followup.dialogue.open_question import gives_no_more_marks
from followup.dialogue.put_off import comes_by
from followup.dialogue.reason import went_wrong
from followup.dialogue.reply import Reply, tells_something, wants_showing
from followup.dialogue.spoken import spoken
from followup.settings import SHANGHAI

NOW = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
TUESDAY = {"start": "2026-12-01T00:00:00", "end": "2026-12-02T00:00:00", "precision": "day"}


@pytest.mark.parametrize("text", ["不用了", "不用", "不了，谢谢", "不想做什么回访", "我现在没空", "算了吧", "不需要，别打了", "没兴趣"])
def test_a_plain_no_to_the_consent(text: str) -> None:
    assert is_plain_no(text)


@pytest.mark.parametrize("text", ["早不用了", "不用手机银行，怕被骗", "卡我都没用过", "从来没去过你们那", "我不会弄那个"])
def test_a_no_that_tells_of_the_matter(text: str) -> None:
    assert not is_plain_no(text)


@pytest.mark.parametrize("text", ["周末有空我去看看", "那周日我去", "我明天上午去", "好那我周六过去看看", "我下午开车过去"])
def test_the_customer_comes_by(text: str) -> None:
    assert comes_by(text)


@pytest.mark.parametrize("text", ["周日吧", "你们过来看看", "我周六要加班", "我去不了", "我要去医院"])
def test_nobody_comes_by(text: str) -> None:
    assert not comes_by(text)


def test_who_gives_no_more_marks_says_nothing_of_what_was_asked() -> None:
    assert gives_no_more_marks("不打分了，太麻烦") and gives_no_more_marks("懒得评")
    assert not gives_no_more_marks("不打分了吗") and not gives_no_more_marks("不太满意")


def test_help_is_wanted_with_what_one_cannot_use() -> None:
    assert wants_showing("导航不太会用") and wants_showing("不知道怎么调座椅")
    assert not wants_showing("导航挺好用")


def test_four_characters_tell_something() -> None:
    assert tells_something("地址搬了") and not tells_something("嗯嗯") and not tells_something("13912345678")


@pytest.mark.parametrize(("words", "said"), [("周六上午", "周六上午"), ("下周二", "下周二"), ("我下周二去吧", "12月1日（周二）")])
def test_only_a_bare_time_is_read_back_as_it_was_said(words: str, said: str) -> None:
    assert spoken(TUESDAY, words, NOW) == said


def test_what_went_wrong_is_seen_by_its_words() -> None:
    assert all(went_wrong(Reply(text, "", 0.0, (), NOW, 1)) for text in ("我都催三回了", "预约打不进去电话", "空调外机老嗡嗡响", "发票开错抬头了"))
    assert not any(went_wrong(Reply(text, "", 0.0, (), NOW, 1)) for text in ("没错", "不影响", "在抖音上看到的", "你们响应挺快"))
