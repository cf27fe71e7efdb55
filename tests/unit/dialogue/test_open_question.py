"""What answers a question, what interrupts it, and what does neither."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import Outcome, RaiseTicket, WithdrawTicket
from tests.unit.dialogue.player import Player, script_of

IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"


def agreed(questions: str) -> Player:
    player = Player(script_of(questions + IDEAS))
    player.say("方便", "consent")
    return player


USED = """\
- id: used
  type: choice
  ask: 您用上了吗？
  options: [{value: 在用, say: [用上了]}, {value: 没用, say: [还没拆]}]
  takes: [unwell, faq]
  listen_for: {allergy: {words: [过敏], unless: [没过敏]}}
- {id: skin, type: open, ask: 皮肤现在怎么样？, ask_if: {allergy: true}}
"""


def test_a_flag_heard_without_an_answer_leads_on_and_is_no_dissatisfaction() -> None:
    player = agreed(USED)
    assert "皮肤现在怎么样" in player.say("抹了一次就过敏", "dissatisfied")
    assert player.answers["used"] is None


def test_what_might_have_been_an_answer_but_is_none_is_the_interruption() -> None:
    player = agreed(USED)
    said = player.say("我头晕得厉害", "unwell")
    assert player.state.outcome == Outcome.APPOINTED and "没有太明白" not in said


def test_a_question_to_us_that_names_an_option_is_the_answer() -> None:
    player = agreed(USED)
    player.say("还没拆，第一次用要注意什么", "faq/how_to_use")
    assert player.answers["used"] == "没用"


def test_a_question_to_us_that_names_none_is_answered_and_the_question_asked_again() -> None:
    player = agreed(USED)
    assert "您用上了吗" in player.say("能不能放冰箱", "faq/other")
    assert "used" not in player.answers


@pytest.mark.parametrize("intent", ["faq/payment", "out_of_scope", "busy", "do_not_contact"])
def test_the_very_words_of_an_option_are_that_option(intent: str) -> None:
    player = agreed("- {id: pay, type: choice, ask: 您怎么付？, options: [刷卡, 现金, 不需要]}\n")
    player.say("刷卡", intent)
    assert player.answers["pay"] == "刷卡" and not player.state.over


@pytest.mark.parametrize("intent", ["refuse", "do_not_contact"])
def test_an_option_that_sounds_like_a_refusal_is_still_the_option(intent: str) -> None:
    player = agreed("- {id: card, type: choice, ask: 需要办卡吗？, options: [需要, 不需要]}\n")
    player.say("不需要", intent)
    assert player.answers["card"] == "不需要" and not player.state.over


def test_the_button_of_the_opening_means_not_now_whatever_it_resembles() -> None:
    player = Player(script_of(IDEAS))
    assert "什么时间方便" in player.say("现在不方便", "refuse")


@pytest.mark.parametrize("said", ["明天没空", "明天要上班", "明天上午来不了"])
def test_a_day_that_does_not_suit_is_not_taken(said: str) -> None:
    player = agreed("- {id: day, type: choice, ask: 明天过来方便吗？, options: [{value: 明天来, say: [明天, 明天上午]}, {value: 改天, say: [没空, 上班, 来不了]}]}\n")
    player.say(said, "inform")
    assert player.answers.get("day") == "改天"


SERVICE = "- {id: service, type: scale3, ask: 您对服务满意吗？}\n"


@pytest.mark.parametrize(
    ("said", "intent", "confidence"),
    [
        ("排了一上午的队", "not_understood", 0.4),
        ("排了一上午的队", "out_of_scope", 0.9),
        ("他讲的那些我一句也听不懂", "not_understood", 0.9),
    ],
)
def test_a_reason_is_the_reason_whatever_it_was_taken_for(said: str, intent: str, confidence: float) -> None:
    player = agreed(SERVICE)
    player.say("不满意", "dissatisfied")
    player.say(said, intent, confidence=confidence)
    assert player.answers["service.reason"] == said


def test_who_does_not_understand_why_we_ask_is_asked_again() -> None:
    player = agreed(SERVICE)
    player.say("不满意", "dissatisfied")
    player.say("听不懂", "not_understood")
    assert "service.reason" not in player.answers and player.state.open == "reason:service"


KIND = "- {id: kind, type: open, ask: 请问是什么样的坏果呢？}\n- {id: remedy, type: choice, ask: 补发还是退款呢？, options: [{value: 补发, say: [补发一箱]}, {value: 退款, say: [退钱]}], ticket: {topic: spoiled, kind: compensation, department: 售后部}}\n"


@pytest.mark.parametrize(("said", "intent"), [("烂了一小块，路上压的吧", "driving"), ("水有，饭没看到", "dining"), ("都软了，捂的", "resting")])
def test_what_only_resembles_driving_or_a_meal_is_the_answer(said: str, intent: str) -> None:
    player = agreed(KIND)
    player.say(said, intent, confidence=0.88)
    assert player.answers["kind"] == said and not player.state.over


@pytest.mark.parametrize(("said", "intent"), [("我在开车呢", "driving"), ("正在开会", "in_meeting"), ("正吃着饭", "dining"), ("睡了", "resting")])
def test_who_says_it_in_so_many_words_is_left_in_peace(said: str, intent: str) -> None:
    player = agreed(KIND)
    player.say(said, intent)
    assert player.state.outcome == Outcome.APPOINTED


def test_a_choice_that_sounds_like_a_complaint_is_the_choice() -> None:
    player = agreed(KIND)
    player.say("软烂", "inform")
    player.say("给我补发一箱吧", "complain", confidence=0.62)
    assert player.answers["remedy"] == "补发" and not player.state.over


@pytest.mark.parametrize("said", ["改一下吧，给我补发一箱，老人家爱吃", "我改主意了，还是给我补发一箱"])
def test_the_ticket_follows_a_corrected_answer(said: str) -> None:
    player = agreed(KIND)
    player.say("软烂", "inform")
    player.say("退款", "inform")
    player.say(said, "suggest")
    assert player.answers["remedy"] == "补发" and "ideas" not in player.answers
    last = player.effects_of(RaiseTicket)[-1]
    assert (last.topic, last.data, last.reason) == ("spoiled", {"answer": "补发"}, said)


def test_the_ticket_of_an_answer_that_was_taken_back_is_withdrawn() -> None:
    player = agreed("- {id: rash, type: choice, ask: 皮肤有不舒服吗？, options: [没有不舒服, 有不舒服], ticket: {topic: allergy, kind: dissatisfaction, department: 美容部, if: [有不舒服]}}\n")
    player.say("有不舒服", "inform")
    player.say("说错了，应该是没有不舒服", "correct")
    assert player.effects_of(WithdrawTicket) == [WithdrawTicket("allergy", "说错了，应该是没有不舒服")]


def test_thanks_at_an_open_question_are_nothing_to_add() -> None:
    player = agreed("")
    player.say("好，谢谢", "thank")
    assert player.answers["ideas"] == "无" or player.answers["ideas"] is None


def test_a_fault_beside_a_mild_answer_is_passed_on() -> None:
    player = agreed(SERVICE)
    said = player.say("质量还可以，就是工期拖了半个月", "neutral")
    assert player.answers["service"] == "一般" and ("记下" in said or "记下来" in said)
    assert [one.kind for one in player.effects_of(RaiseTicket)] == ["dissatisfaction"]


@pytest.mark.parametrize("said", ["满意！那个小师傅走的时候还把地拖了", "还可以，能接受", "一般", "挺好的，就是想问一下几点关门"])
def test_no_fault_is_made_of_a_mild_answer(said: str) -> None:
    player = agreed(SERVICE)
    player.say(said, "satisfied")
    assert player.effects_of(RaiseTicket) == []


ANYWHERE = """\
- id: fruit
  type: scale3
  ask: 水果怎么样？
  listen_for: {spoiled: {words: [坏了], unless: [没坏], everywhere: true}}
- {id: kind, type: open, ask: 是什么样的坏果呢？, ask_if: {spoiled: true}}
"""


def test_what_is_listened_for_everywhere_leads_on_from_a_later_question() -> None:
    player = agreed(ANYWHERE)
    player.say("很满意", "satisfied")
    assert "什么样的坏果" in player.say("没怎么坏，就坏了俩", "inform")


TIMES = "- {id: day, type: datetime, ask: 您看哪一天方便呢？}\n- {id: hour, type: datetime, ask: 大概几点呢？}\n"


def test_an_hour_alone_is_of_the_day_that_was_named() -> None:
    player = agreed(TIMES)
    player.say("后天", "propose_time")
    player.say("三点", "inform")
    assert player.answers["hour"]["start"] == "2026-11-25T15:00:00"


def test_a_day_of_its_own_is_not_bound_to_the_one_before() -> None:
    player = agreed(TIMES)
    player.say("后天", "propose_time")
    player.say("明天三点", "inform")
    assert player.answers["hour"]["start"] == "2026-11-24T15:00:00"


def test_who_complained_and_asks_when_hears_the_promise_again() -> None:
    player = agreed("")
    player.say("我要投诉，快递把果子摔坏了还不认", "complain")
    assert "两个工作日" in player.say("什么时候给我答复", "faq/complaint_time")


def test_a_reason_that_only_resembles_driving_is_the_reason() -> None:
    player = agreed("- {id: feel, type: scale3, ask: 开起来感觉如何？, department: 销售部, on_unclear: 满意吗？}\n")
    player.say("不满意", "dissatisfied")
    player.say("方向盘太重", "driving", confidence=0.71)
    assert player.answers["feel.reason"] == "方向盘太重" and not player.state.over


@pytest.mark.parametrize(("text", "intent", "kept"), [("没有了，小姑娘你真好", "satisfied", "无"), ("暂时没有，把期限解决了就很好", "satisfied", "暂时没有，把期限解决了就很好")])
def test_nothing_more_with_a_kind_word_is_no_suggestion_but_a_wish_is(text: str, intent: str, kept: str) -> None:
    player = agreed("")
    player.say(text, intent)
    assert player.answers["ideas"] == kept
