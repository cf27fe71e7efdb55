"""Reading an earlier answer back: `{answer:visit_time}`."""

from __future__ import annotations

import pytest

TALK = """\
- id: rebook
  ask: 您看要不要重新约一个时间呢？
  type: choice
  on_unclear: 要约，还是先不约？
  options: [重新约, 不约了]
  also_reads: [visit_time]
  acknowledge: {重新约: %s}
- id: visit_time
  ask: 您看哪一天方便呢？
  type: datetime
  ask_if: {rebook: 重新约}
- id: noted
  type: tell
  say: %s
  ask_if: %s
"""
PLAIN = "[好的。]"
NOTED = "那我们{answer:visit_time}见。"


def errors(findings):
    return [str(finding) for finding in findings if finding.is_error]


@pytest.mark.parametrize(
    ("acknowledge", "say", "ask_if"),
    [
        (PLAIN, NOTED, "{visit_time: answered}"),
        (PLAIN, NOTED, "{visit_time.precision: [day, hour]}"),
        ('["好的，{answer:visit_time}。", 好的。]', "好的。", "{rebook: 重新约}"),
        ('["好的，{answer:rebook}。"]', "好的。", "{rebook: 重新约}"),
    ],
)
def test_an_answer_that_is_there_may_be_read_back(check, acknowledge, say, ask_if):
    assert errors(check(TALK % (acknowledge, say, ask_if))) == []


@pytest.mark.parametrize(
    ("acknowledge", "say", "ask_if", "message", "instead"),
    [
        (PLAIN, NOTED, "{rebook: 重新约}", "客户可能没有回答“visit_time”", "ask_if: {visit_time: answered}"),
        (PLAIN, NOTED, "{visit_time: skipped}", "客户可能没有回答“visit_time”", ""),
        (PLAIN, NOTED, "[{visit_time: answered}, {rebook: 不约了}]", "客户可能没有回答“visit_time”", ""),
        (PLAIN, "那我们{answer:visit_tme}见。", "{visit_time: answered}", "“visit_tme”不是题目的编号", "{answer:visit_time}"),
        (PLAIN, "那我们{answer:noted}见。", "{rebook: 重新约}", "“noted”到这里还没有问到", ""),
        ('["好的，{answer:visit_time}。"]', "好的。", "{rebook: 重新约}", "客户可能没有回答“visit_time”", "再加一句"),
    ],
)
def test_an_answer_that_may_be_missing_is_an_error(check, told, acknowledge, say, ask_if, message, instead):
    assert told(check(TALK % (acknowledge, say, ask_if)), "错误", message, instead)


def test_a_closing_reads_back_under_its_condition(check, told):
    closing = 'closing: {completed: [{say: "{answer:ideas}，记下了，再见！", if: {ideas: %s}}, 再见！]}\n'
    assert errors(check(more=closing % "answered")) == []
    bare = 'closing: {completed: "{answer:ideas}，记下了，再见！"}\n'
    assert told(check(more=bare), "错误", "客户可能没有回答“ideas”", "再加一句")


def test_an_opening_has_nothing_to_read_back(check, told):
    found = check(swap=("opening: 您好！", "opening: 您好！{answer:service}"))
    assert told(found, "错误", "“service”到这里还没有问到")
