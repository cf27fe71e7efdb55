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


def _pick(text: str, *options: Option) -> Any:
    reading = read(Asked("choice", options=options), Heard(text))
    return reading.value if reading else None


SKIN = (Option("没有不舒服", ("没有", "没", "感觉还好", "正常")), Option("有不舒服", ("有", "有点", "有点肿", "痒")))
DIET = (Option("清楚并照做", ("清淡", "知道")), Option("没照做", ("吃了", "红烧肉")))
PICK_UP = (Option("我自己来取", ("下周", "自己取")), Option("请寄给我", ("急着用", "寄过来")))
EFFECT = (Option("有一点提亮", ("有点", "白了")), Option("没看出来", ("没看出来", "看不出")))
SIGNED = (
    Option("是本人签名", ("是", "是的", "是我", "自己签", "签了", "签过", "我签的")),
    Option("不是本人签名", ("不是", "帮我签", "代签")),
)


@pytest.mark.parametrize(("text", "options", "expected"), [
    ("没有没有，我皮肤皮实得很", SKIN, "没有不舒服"),
    ("有点肿，这个正常吗？", SKIN, "有不舒服"),
    ("邻居有意见", SKIN, None),
    ("医生说清淡，可我嘴馋，昨天吃了红烧肉", DIET, "没照做"),
    ("我下周才回来，又急着用", PICK_UP, "请寄给我"),
    ("没看出来白，有点失望", EFFECT, "没看出来"),
])
def test_what_a_reply_says_outright_wins(text: str, options: tuple[Option, ...], expected: str | None) -> None:
    assert _pick(text, *options) == expected


def test_what_is_denied_and_what_is_said_instead_are_two_things() -> None:
    by_husband = Option("不是本人签名", ("不是", "老公签"))
    assert _pick("不是，是我老公签的", Option("是本人签名", ("是", "是我")), by_husband) == "不是本人签名"


def test_what_limits_the_praise_is_the_answer() -> None:
    used_to = (Option("习惯", ("还行", "习惯了")), Option("不太习惯", ("有点晕", "不习惯")))
    assert _pick("还行吧，就是倒车影像看着有点晕", *used_to) == "不太习惯"


@pytest.mark.parametrize("text", ["你们周末做不做？", "还有没有货啊", "做的话要多少钱，做吗"])
def test_a_question_to_us_names_no_option(text: str) -> None:
    assert _pick(text, Option("不需要了", ("不做", "没货")), Option("要做", ("做", "有货"))) is None


def test_a_request_put_as_a_question_does_name_one() -> None:
    assert _pick("给我补发可以吗？", Option("补发一箱", ("补发",)), Option("全额退款", ("退款",))) == "补发一箱"


@pytest.mark.parametrize("text", ["也是他签的", "回执好像是小王帮我签的吧", "帮我签的", "小王签了", "他替我去签过", "是业务员签的吧"])
def test_a_signature_by_another_is_never_the_customers_own(text: str) -> None:
    assert _pick(text, *SIGNED) != "是本人签名"


@pytest.mark.parametrize("text", ["是", "是的", "嗯是我签的", "签了", "我签过", "投保单签了", "自己签的"])
def test_the_customers_own_signature_is_heard(text: str) -> None:
    assert _pick(text, *SIGNED) == "是本人签名"
