"""Answers given before their question was asked."""

from __future__ import annotations

from followup.dialogue.effects import Outcome, RaiseTicket
from tests.unit.dialogue.player import Player, script_of

REBOOK = """\
- id: rebook
  type: choice
  ask: 您看要不要重新约一个时间呢？
  options: [{value: 重新约, say: [要, 约]}, 不约了]
  also_reads: [visit_time]
  acknowledge:
    重新约: ["好的，{answer:visit_time}，我请同事为您预约。", 好的，我请同事为您预约。]
- id: visit_time
  type: datetime
  ask: 您看哪一天方便呢？
  ask_if: {rebook: 重新约}
  ticket: {topic: visit, kind: request, department: 导医台}
- id: noted
  type: tell
  say: 那我们{answer:visit_time}见。
"""
IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"


def agreed(questions: str, more: str = "") -> Player:
    player = Player(script_of(questions + IDEAS, more))
    player.say("方便", "consent")
    return player


def test_its_ticket_is_raised_and_it_is_read_back() -> None:
    player = agreed(REBOOK)
    said = player.say("要的，明天下午三点", "consent")
    assert said.startswith("好的，明天（11月24日，周二）下午3点，我请同事为您预约。")
    assert "那我们明天（11月24日，周二）下午3点见。" in said
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.department, ticket.reason) == ("visit", "导医台", "要的，明天下午三点")


def test_what_was_not_said_is_not_read_back() -> None:
    player = agreed(REBOOK)
    said = player.say("要的", "consent")
    assert said == "好的，我请同事为您预约。您看哪一天方便呢？"
    assert player.effects_of(RaiseTicket) == []


def test_a_sentence_about_an_answer_that_never_came_is_not_said() -> None:
    player = agreed(REBOOK)
    assert "见" not in player.say("不约了", "refuse")


def test_only_the_time_is_read_back_out_of_a_long_sentence() -> None:
    player = agreed(REBOOK)
    assert player.say("要的要的，我想想，那就明天上午过去吧", "consent").startswith("好的，明天（11月24日，周二）上午，")


ENDS = """\
- id: used
  type: yes_no
  ask: 您用上了吗？
  also_reads: [sold]
- id: rating
  type: score
  ask: 1到10分，您打几分？
- id: sold
  type: choice
  ask: 车还在您手里吗？
  ask_if: {%s}
  options: [还在, {value: 卖了, say: [车卖了]}]
  ends: {卖了: {outcome: ended_early, say: "好的，{answer}，那就不打扰了，再见！"}}
"""


def test_its_ending_ends_the_talk_at_once_where_the_question_would_be_asked() -> None:
    player = agreed(ENDS % "used: false")
    assert player.say("没有，车卖了", "deny") == "好的，卖了，那就不打扰了，再见！"
    assert player.state.outcome == Outcome.ENDED_EARLY


def test_its_ending_waits_until_its_condition_holds() -> None:
    player = agreed(ENDS % 'rating: "< 5"')
    assert "您打几分" in player.say("没有，车卖了", "deny")
    assert player.say("3分", "give_score") == "好的，卖了，那就不打扰了，再见！"


def test_an_answer_whose_question_never_comes_ends_nothing() -> None:
    player = agreed(ENDS % 'rating: "< 5"')
    player.say("没有，车卖了", "deny")
    assert "您有什么建议吗" in player.say("8分", "give_score")


def test_a_remark_on_a_later_side_raises_that_questions_own_ticket() -> None:
    two = """\
    - {id: price, type: scale3, ask: 您对价格满意吗？, aspect: price}
    - {id: service, type: scale3, ask: 您对服务满意吗？, aspect: [service, attitude], probe_if: [],
       ticket: {topic: service, kind: dissatisfaction, department: 客户管理部, if: [不满意]}}
    """
    player = agreed(two)
    player.say("价格还行，服务太差了", "neutral", ("neutral", "价格还行"), ("dissatisfied", "服务太差了"))
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.department, ticket.reason) == ("service", "客户管理部", "服务太差了")
