"""Satisfaction items."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read

GOOD, SO_SO, BAD = "很满意", "一般", "不满意"


def scale3(text: str, intent: str = "", acts: tuple[tuple[str, str], ...] = ()) -> str | None:
    reading = read(Asked("scale3"), Heard(text, intent, acts))
    return reading.value if reading else None


def scale5(text: str) -> str | None:
    reading = read(Asked("scale5"), Heard(text))
    return reading.value if reading else None


@pytest.mark.parametrize("text", [
    "很满意", "满意", "挺满意的", "比较满意", "非常满意", "十分满意", "满意,谢谢", "我对你们很满意", "都满意", "满意极了", "太满意了", "滿意", "相當滿意",
    "挺好的", "好", "很好", "非常好", "好得很", "蛮好", "都挺好的", "我觉得挺好", "不错", "还不错", "挺不错的", "很不错", "蛮不错", "不赖", "不差",
    "没什么不满意的", "没有不满意的地方", "没啥不满意的", "没什么不满意", "都很好没有不满意的", "没毛病", "没得说", "挑不出毛病", "没什么问题",
    "很专业", "价格不贵挺合适", "不贵", "便宜", "态度很好", "服务很周到", "五星好评", "满分", "打9分", "👍", "喜欢", "点赞", "good", "嗯嗯,很满意", "可好了", "没意见",
])
def test_praise_is_very_satisfied(text: str) -> None:
    assert scale3(text) == GOOD


@pytest.mark.parametrize("text", [
    "一般", "一般般", "一般吧", "还行", "还行吧", "还可以", "还好", "凑合", "凑合吧", "马马虎虎", "可以", "可以吧", "过得去", "就那样", "差不多", "说得过去",
    "中规中矩", "还凑合", "不好不坏", "将就吧", "没感觉", "价格嘛一般", "这个期限还可以", "满意倒是满意", "满意倒是满意,就是贵", "不是不满意",
    "还行就是有点贵", "服务很好,就是价格有点贵", "倒是满意", "勉强满意", "so so", "7分", "别的都好就是慢", "服务态度挺好的就是等的时间有点长", "好是好就是贵", "有时候满意有时候不满意", "问题不大", "還可以",
])
def test_lukewarm_words_are_so_so(text: str) -> None:
    assert scale3(text) == SO_SO


@pytest.mark.parametrize("text", [
    "不满意", "很不满意", "非常不满意", "不是很满意", "不太满意", "不怎么满意", "不是太满意", "一点都不满意", "一点也不满意", "完全不满意", "谈不上满意", "没有很满意",
    "没那么满意", "不够好", "不好", "不太好", "不怎么样", "不咋地", "不行", "差", "太差了", "很差", "真差劲", "垃圾", "失望", "有点失望", "价格有点贵", "贵", "好贵啊", "太贵了",
    "有点小贵", "太慢了", "态度差", "态度不好", "服务态度不太好", "很不高兴", "差评", "烂透了", "不便宜", "刚才说错了,应该是不满意", "不能说满意", "问题很多",
    "十分不满意", "3分", "👎", "不滿意", "沒那麼好", "不喜欢",
    "利息有点高", "等得太久", "有点小问题", "说实话不怎么样",
])
def test_complaints_are_not_satisfied(text: str) -> None:
    assert scale3(text) == BAD


@pytest.mark.parametrize("text", [
    "满意吗", "你说满不满意", "不满意的话怎么办", "如果不满意能退吗", "不知道", "没用过", "我在开会", "你是谁", "好像是", "最好便宜点", "希望做得更好", "能不能再快一点",
    "你好", "不好意思", "十分钟", "银行", "出差", "满意度调查吗", "等一下",
])
def test_words_that_only_look_like_an_opinion_are_none(text: str) -> None:
    assert scale3(text) is None


@pytest.mark.parametrize(("text", "value"), [
    ("非常满意", "非常满意"), ("很满意", "非常满意"), ("特别好", "非常满意"), ("十分满意", "非常满意"), ("满意", "满意"), ("比较满意", "满意"), ("挺好的", "满意"),
    ("不错", "满意"), ("一般", "一般"), ("还行", "一般"), ("不满意", "不满意"), ("不太满意", "不满意"), ("非常不满意", "非常不满意"), ("很不满意", "非常不满意"),
    ("太差了", "非常不满意"), ("一点都不满意", "非常不满意"), ("垃圾", "非常不满意"), ("有点贵", "不满意"),
])
def test_five_steps_keep_the_degree(text: str, value: str) -> None:
    assert scale5(text) == value


@pytest.mark.parametrize(("text", "value"), [("1", GOOD), ("第二个", SO_SO), ("选3", BAD), ("C", BAD), ("4", None), ("第四个", None)])
def test_an_item_can_be_answered_by_its_number(text: str, value: str | None) -> None:
    assert scale3(text) == value


def test_the_intent_answers_where_the_words_are_unknown() -> None:
    reading = read(Asked("scale3"), Heard("美滋滋", "satisfied"))
    assert reading and (reading.value, reading.how) == (GOOD, "scale3:intent")


def test_one_dissatisfied_act_beats_a_satisfied_one() -> None:
    acts = (("satisfied", "贴贴"), ("dissatisfied", "晕晕"))
    assert scale3("贴贴晕晕", "satisfied", acts) == BAD


def test_an_acknowledgement_is_a_weak_answer() -> None:
    good, praise = read(Asked("scale3"), Heard("好的")), read(Asked("scale3"), Heard("挺好的"))
    assert good and praise and (good.fit, praise.fit) == ("weak", "strong")


@pytest.mark.parametrize(("text", "expected"), [
    ("车没毛病，就是油耗比你们说的高，不太满意", "不满意"),
    ("不满意，项目经理老找不到人，工人师傅倒是没得说", "不满意"),
    ("挺满意的，没想象中那么疼", "很满意"),
    ("一般，垃圾堆在楼道里，邻居有意见", "一般"),
    ("质量还可以，就是工期拖了半个月", "一般"),
    ("刚开始不太满意，后来处理得挺满意", "一般"),
])
def test_what_is_said_outright_of_satisfaction_wins_over_what_stands_beside_it(text: str, expected: str) -> None:
    reading = read(Asked("scale3"), Heard(text))
    assert reading is not None and reading.value == expected
