"""Yes, no, and confirmation."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read


def yes_no(text: str, intent: str = "", type_: str = "yes_no") -> bool | None:
    reading = read(Asked(type_), Heard(text, intent))
    return reading.value if reading else None


@pytest.mark.parametrize("text", [
    "是", "是的", "对", "对的", "有", "有的", "嗯", "嗯嗯", "好", "可以", "会", "要", "需要", "用过", "收到了", "记得", "好像有", "解决了", "讲了", "没错", "当然", "我就是", "是本人",
    "是啊怎么了", "满意", "挺好的", "没问题", "有,不过不多", "知道", "没有,不对,有", "对對", "愿意", "还在用", "都有",
])
def test_yes(text: str) -> None:
    assert yes_no(text) is True


@pytest.mark.parametrize("text", [
    "不是", "没有", "没", "没用过", "没收到", "还没呢", "还没解决", "不需要", "不用了谢谢", "不会", "不记得了", "忘了", "好像没有", "从来没有", "没有提醒过", "不行", "不可以", "不满意",
    "不是很满意", "有,不对,没有", "沒有", "不要", "不想", "别人代签的", "不知情", "不对",
])
def test_no(text: str) -> None:
    assert yes_no(text) is False


@pytest.mark.parametrize("text", ["不知道", "不太清楚", "有没有优惠", "是不是骗子", "你是哪位", "什么意思", "再说吧", "一般", "明天下午", "看情况"])
def test_neither(text: str) -> None:
    assert yes_no(text) is None


@pytest.mark.parametrize("text", ["对", "没错", "是的", "可以", "好", "好的", "嗯", "行", "没问题", "OK", "确认", "对的没问题", "嗯好"])
def test_what_was_read_back_is_confirmed(text: str) -> None:
    assert yes_no(text, type_="confirm") is True


@pytest.mark.parametrize("text", ["不对", "错了", "不行", "不是", "换个时间", "改到后天", "不是三点是四点", "不正确"])
def test_what_was_read_back_is_corrected(text: str) -> None:
    assert yes_no(text, type_="confirm") is False


def test_the_intent_decides_where_no_word_does() -> None:
    assert yes_no("中不中中", "consent") is not None
    reading = read(Asked("yes_no"), Heard("妥妥滴", "consent"))
    assert reading and (reading.value, reading.fit) == (True, "weak")


@pytest.mark.parametrize("text", [
    "好像不是我签的", "是我老公代签的", "是同事帮我签的", "应该不是本人签的", "不怎么用了", "不咋用了", "是我爱人签的字",
])
def test_a_yes_word_behind_a_no_or_about_somebody_else_is_no_yes(text: str) -> None:
    assert yes_no(text) is False


@pytest.mark.parametrize("text", ["我自己签的", "是我亲自签的", "不错，是我签的"])
def test_who_signed_in_person_says_yes(text: str) -> None:
    assert yes_no(text) is True


def test_somebody_who_was_not_there_in_person_says_no_by_intent() -> None:
    assert yes_no("我本人没去") is None
    assert yes_no("我本人没去", "deny") is False


def test_nothing_left_to_say_is_a_no_whatever_was_said_before() -> None:
    reading = read(Asked("confirm"), Heard("没了，该说的都说了"))
    assert reading is not None and reading.value is False


@pytest.mark.parametrize(("text", "value"), [
    ("没变", True), ("号码没换", True), ("地址没有变", True), ("还是原来那个", True), ("跟以前一样", True), ("没改过来", None), ("换了", None), ("没告诉我有犹豫期", None),
])  # fmt: skip
def test_what_has_not_changed_is_right(text: str, value: bool | None) -> None:
    found = yes_no(text, type_="confirm")
    assert found is value if value else found is not True
