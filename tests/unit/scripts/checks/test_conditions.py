"""Variables, comparisons and "any of these" in conditions."""

from __future__ import annotations

import pytest

SIGNED = """\
- id: rating
  ask: 请您打个分，好吗？
  type: score
  on_unclear: 1到10分，您打几分？
- id: born
  ask: 请问您的生日是哪一天？
  type: date
  optional: true
- id: last
  ask: 您还有什么要说的？
  type: open
  ask_if: %s
"""
VARIABLES = (
    "  company:",
    '  policy_date: {label: 承保日期, demo: "2010-03-15"}\n  boxes: {label: 箱数, demo: 3}\n'
    "  kind: {label: 客户类型, demo: 个人}\n  company:",
)
USED = "opening: 您好！我是{company}的智能助手{agent}，请问您现在方便吗？"
USES = USED.replace("您好！", "您好！{policy_date}{boxes}{kind}")


@pytest.fixture
def check_condition(check_text, valid_text):
    """Findings for a last question with this condition, in a script with three more variables."""
    head = valid_text.partition("questions:\n")[0].replace(*VARIABLES).replace(USED, USES)
    return lambda condition: check_text(f"{head}questions:\n{SIGNED % condition}")


def errors(findings):
    return [str(finding) for finding in findings if finding.is_error]


@pytest.mark.parametrize(
    "condition",
    [
        '{policy_date: ">= 2007-07-09"}',
        '{boxes: "< 5"}',
        "{boxes: 3}",
        "{kind: 个人}",
        "{kind: [个人, 企业]}",
        "{title: 女士}",
        '{rating: "<= 4"}',
        '{rating: [10, "< 5"]}',
        '{born: ">= 1990-01-01"}',
        '[{rating: "<= 4"}, {kind: 企业}]',
        '[{rating: answered, boxes: "> 1"}, {kind: 企业}]',
    ],
)
def test_conditions_that_are_right(check_condition, condition):
    assert errors(check_condition(condition)) == []


@pytest.mark.parametrize(
    ("condition", "message", "instead"),
    [
        ("{knd: 个人}", "“knd”不是前面的题目，也不是标记或变量", "kind"),
        ("{kind: true}", "“kind”是变量，没有 true 这个值", "表格里写的那个词"),
        ("{kind: [answered, 企业]}", "“answered”不能放在列表里", "kind: answered"),
        ("{rating: {not: 很好}}", "“rating”的答案里没有“很好”", ""),
        ("{knd: {not: 个人}}", "“knd”不是前面的题目，也不是标记或变量", "kind"),
        ("{kind: {nt: 个人}}", "不认识“nt”这个键", "not"),
        ('{kind: "> 3"}', "演示值“个人”不是数字", "demo: 5"),
        ('{boxes: ">= 2007-07-09"}', "演示值“3”不是日期", 'demo: "2010-03-15"'),
        ('{boxes: "> 三"}', "“三”不是数字，也不是日期", ">= 5"),
        ('{boxes: "≥ 5"}', "“≥ 5”这样的比较读不出来", "< <= > >="),
        ('{policy_date: 晚于2007年}', "“晚于2007年”这样的比较读不出来", ">= 2007-07-09"),
        ('{rating: "> 10"}', "“rating”在1到10之间，“> 10”不会成立", "1到10"),
        ('{rating: "> 很高"}', "“rating”是数字，不能和“很高”比较", ">= 5"),
        ('{born: "> 18"}', "“born”是日期，不能和“18”比较", ">= 2007-07-09"),
        ('{born: 五月}', "“born”的答案里没有“五月”", "一个日期的比较、answered、skipped"),
        ('[{rating: "<= 4"}, {rating: 11}]', "“rating”不会是11", "1到10"),
    ],
)
def test_conditions_that_are_wrong(check_condition, told, condition, message, instead):
    assert told(check_condition(condition), "错误", message, instead)


def test_one_of_several_conditions_is_told_with_its_own_line(check_text, valid_text, told):
    text = valid_text + "- id: more\n  ask: 还有呢？\n  type: open\n  ask_if:\n  - {service: 一般}\n  - {service: 很好}\n"
    assert told(check_text(text), "错误", "“service”的答案里没有“很好”", "很满意", line=text.count("\n"))


def test_a_condition_in_a_closing_may_compare_too(check, told):
    closing = 'closing: {completed: [{say: 谢谢！, if: {service: "> 3"}}, 再见！]}\n'
    assert told(check(more=closing), "错误", "“service”的答案里没有“> 3”")


def test_a_variable_that_only_a_condition_uses_is_used(check_text, valid_text):
    text = valid_text.replace(*VARIABLES).replace("type: open", 'type: open\n  ask_if: {policy_date: ">= 2007-07-09"}')
    assert [f.message for f in check_text(text) if "policy_date" in f.message] == []
    assert [f.message for f in check_text(text) if "boxes" in f.message] == ["变量“boxes”没有用到"]


WHEN = """\
- {id: visit, ask: 您哪天方便过来呢？, type: datetime}
- {id: hour, ask: 请问大概几点呢？, type: open, ask_if: {visit.precision: %s}}
"""


def test_how_exactly_a_time_was_named_is_a_condition(check, told):
    assert check(WHEN % "[day, week]") == []
    assert told(check(WHEN % "天"), "错误", "没有“天”", "minute、hour、day_part、day、week、month")


@pytest.mark.parametrize(
    "condition",
    ["{kind: answered}", "{kind: {not: 个人}}", "{rating: {not: [1, 2]}}", '{rating: {not: "< 5"}}', "{born: {not: answered}}"],
)
def test_a_condition_may_be_turned_round_and_may_ask_whether_there_is_a_value(check_condition, condition):
    assert errors(check_condition(condition)) == []


def test_a_flag_that_was_not_heard_is_written_with_not(check, told):
    listening = """\
    - {id: a, ask: 您好吃吗？, type: open, listen_for: {spoiled: {words: [坏]}}}
    - {id: b, ask: 您还有建议吗？, type: open, ask_if: {spoiled: %s}}
    """
    assert errors(check(listening % "{not: true}")) == []
    assert told(check(listening % "false"), "错误", "“spoiled”是标记，只有听到这一种情况", "{not: true}")
