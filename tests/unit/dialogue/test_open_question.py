"""What answers a question, what interrupts it, and what does neither."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import Outcome
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
