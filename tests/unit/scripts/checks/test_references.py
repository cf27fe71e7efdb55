"""Names that point nowhere."""

from __future__ import annotations

import pytest

TWO_OPTIONS = """\
- id: source
  ask: 您是怎么知道我们的？
  type: choice
  on_unclear: 朋友介绍，还是网上看到的？
  options: [朋友介绍, 网络广告]
- id: used
  ask: 您以前办过吗？
  type: yes_no
- id: spoiled_amount
  ask: 一共有多少个，坏了多少个？
  type: quantity_of
- id: rating
  ask: 请您打个分，好吗？
  type: score
  on_unclear: 1到10分，您打几分？
- id: last
  ask: 您还有什么要说的？
  type: open
  ask_if: {%s}
"""


@pytest.fixture
def check_condition(check):
    """Findings for a last question with this condition."""
    return lambda condition: check(TWO_OPTIONS % condition)


@pytest.mark.parametrize(
    "condition",
    [
        "source: 朋友介绍",
        "source: [朋友介绍, 网络广告]",
        "source: answered",
        "source: skipped",
        "used: true",
        "used: false",
        "spoiled_amount.at_least_half: true",
        "rating: [1, 2, 3]",
        "used: true, source: 网络广告",
    ],
)
def test_conditions_that_are_right(check_condition, condition):
    assert check_condition(condition) == []


@pytest.mark.parametrize(
    ("condition", "message", "instead"),
    [
        ("sorce: 朋友介绍", "条件里的“sorce”不是前面的题目", "source"),
        ("source: 朋友推荐", "“source”的答案里没有“朋友推荐”", "朋友介绍、网络广告、answered、skipped"),
        ("source: [朋友介绍, 报纸]", "“source”的答案里没有“报纸”", "朋友介绍"),
        ("source: [朋友介绍, answered]", "“answered”不能放在列表里", "source: answered"),
        ("used: yes", "“used”的答案里没有“yes”", "true、false"),
        ("used: 1", "“used”的答案里没有“1”", "true、false"),
        ("rating: 11", "“rating”不会是11", "1到10"),
        ("rating: 很高", "“rating”的答案里没有“很高”", "一个数字"),
        ("spoiled_amount.half: true", "“spoiled_amount”的答案里没有“half”这一项", "spoiled_amount.at_least_half"),
        ("spoiled_amount.at_least_half: 一半", "没有“一半”", "true、false"),
        ("last: answered", "“last”是这一题自己", "前面某一题"),
    ],
)
def test_conditions_that_are_wrong(check_condition, told, condition, message, instead):
    assert told(check_condition(condition), "错误", message, instead, line=30)


def test_a_condition_on_a_later_question(check, told):
    found = check(swap=("type: scale3", "type: scale3\n  ask_if: {ideas: answered}"))
    assert told(found, "错误", "“ideas”是后面的题目", "调整题目的顺序")


def test_a_condition_on_what_only_talks(check, told):
    found = check(
        """\
        - {id: hint, type: tell, say: 顺便说一句。}
        - {id: ideas, type: open, ask: 您有什么建议吗？, ask_if: {hint: answered}}
        """
    )
    assert told(found, "错误", "“hint”只说话，没有答案")


def test_a_condition_on_the_words_of_an_open_answer(check, told):
    found = check(
        """\
        - {id: ideas, type: open, ask: 您有什么建议吗？}
        - {id: more, type: open, ask: 方便细说吗？, ask_if: {ideas: 太慢}}
        """
    )
    assert told(found, "错误", "“ideas”的答案里没有“太慢”", "answered、skipped")


LISTENS = """\
- id: goods
  ask: 您收到的货怎么样？
  type: open
  listen_for: {spoiled: {words: [坏, 烂], unless: [没坏]}}
- id: kind
  ask: 坏成什么样子？
  type: open
  ask_if: {spoiled: %s}
"""


def test_a_condition_on_a_flag(check):
    assert check(LISTENS % "true") == []


def test_a_flag_is_true_or_absent(check, told):
    assert told(check(LISTENS % "false"), "错误", "“spoiled”是标记，只有听到这一种情况", "{not: true}")


def test_a_flag_that_is_heard_only_later(check, told):
    found = check(
        LISTENS % "true", swap=("  type: open\n  listen_for", "  type: open\n  ask_if: {spoiled: true}\n  listen_for")
    )
    assert told(found, "错误", "“spoiled”这个标记要到后面才有")


def test_probe_unless_names_a_flag(check, told):
    found = check(swap=("type: scale3", "type: scale3\n  probe_unless: spoilt\n  listen_for: {spoiled: {words: [坏]}}"))
    assert told(found, "错误", "没有“spoilt”这个标记", "spoiled")


def test_also_reads_names_a_later_question(check, told):
    assert check(swap=("type: scale3", "type: scale3\n  also_reads: [ideas]")) == []
    assert told(check(swap=("type: scale3", "type: scale3\n  also_reads: [idea]")), "错误", "“idea”不是题目", "ideas")
    assert told(check(swap=("type: open", "type: open\n  also_reads: [service]")), "错误", "“service”不在后面")


def test_a_condition_in_a_closing_may_look_at_every_question(check, told):
    closing = "closing: {completed: [{say: 谢谢您的建议！, if: {%s: answered}}, 再见！]}\n"
    assert check(more=closing % "ideas") == []
    assert told(check(more=closing % "idee"), "错误", "“idee”不是前面的题目", "ideas", line=11)


def test_a_closing_needs_a_sentence_without_condition(check, told):
    found = check(more="closing: {completed: [{say: 谢谢！, if: {ideas: answered}}]}\n")
    assert told(found, "错误", "条件都不满足时就没有话说", "不带 if")


def test_a_question_whose_conditions_contradict_each_other(check, told):
    found = check(
        """\
        - {id: used, type: yes_no, ask: 您以前办过吗？}
        - {id: where, type: open, ask: 在哪里办的？, ask_if: {used: true}}
        - {id: never, type: open, ask: 为什么没办过？, ask_if: {used: false, where: answered}}
        """
    )
    assert told(found, "错误", "“never”永远问不到", "改正 ask_if", line=14)


def test_the_id_is_the_name_of_the_file(check, told):
    assert told(check(swap=("id: sample", "id: simple")), "错误", "与文件名“sample.yml”不一致", "id: sample", line=1)


def test_the_trade_is_the_name_of_the_folder(check, told):
    assert told(check(swap=("trade: demo", "trade: bank")), "错误", "与所在文件夹“demo”不一致", "trade: demo", line=3)


def test_two_questions_with_one_id(check, told):
    found = check(swap=("id: ideas", "id: service"))
    assert told(found, "错误", "编号“service”重复了，第12行已经用过", "service_2", line=17)


def test_a_flag_with_the_name_of_a_question(check, told):
    found = check(swap=("type: open", "type: open\n  listen_for: {service: {words: [坏]}}"))
    assert told(found, "错误", "编号“service”重复了")


def test_one_flag_may_be_heard_at_two_questions(check):
    flag = "listen_for: {spoiled: {words: [坏]}}"
    assert (
        check(swap=("type: open", f"type: open\n  {flag}\n- id: more\n  ask: 还有吗？\n  type: open\n  {flag}")) == []
    )


def test_a_reserved_word_is_no_id(check, told):
    assert told(check(swap=("id: ideas", "id: skipped")), "错误", "“skipped”是保留字", "换一个词")


def test_wording_overrides_what_the_shared_wording_has(check, told):
    assert check(more="wording: {busy: {driving: 请您专心开车。}}\n") == []
    found = check(more="wording: {busy: {drivin: 请您专心开车。}}\n")
    assert told(found, "错误", "公共话术里没有“busy.drivin”", "driving", line=11)


def test_wording_keeps_the_shape_of_the_shared_wording(check, told):
    assert told(check(more="wording: {busy: 好的。}\n"), "错误", "“busy”的写法与公共话术不同", "映射")
    assert told(
        check(more="wording: {busy: {driving: {a: 好的。}}}\n"), "错误", "“driving”的写法与公共话术不同", "一句话"
    )
    assert told(check(more="wording: {busy: {driving: }}\n"), "错误", "“driving”没有写内容")
