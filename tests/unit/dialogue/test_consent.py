"""Is it you, and is it convenient? What comes along with the answer is not lost, and the opening is never skipped."""

from __future__ import annotations

import pytest

from followup.dialogue import state as st
from followup.dialogue.consent import introduction
from followup.dialogue.effects import Outcome, RaiseTicket, TakeNote
from followup.scripts.load import load_script
from tests.unit.dialogue.player import Player

POLICY, HOSPITAL, FRUIT, LOAN, EVENT = (
    "insurance_new_policy", "hospital_after_surgery", "fruit_order", "auto_loan_satisfaction", "decoration_event_invitation",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "intent"),
    [("是我呀，你是哪个？", "ask_who"), ("我是，你哪里？", "ask_who"), ("是，什么事", "ask_purpose"), ("是我你哪位", "ask_who")],
)
def test_a_yes_with_a_question_is_a_yes_and_the_opening_answers_it(text: str, intent: str) -> None:
    player = Player(POLICY)
    said = player.say(text, intent)
    assert player.state.open == st.CONSENT
    assert "投保了一份" in said and "请问您是张女士" not in said


def test_a_question_that_the_opening_leaves_open_is_answered_before_it() -> None:
    said = Player(HOSPITAL).say("是我，你怎么有我电话", "ask_source")
    assert "留下过联系方式" in said and said.endswith("请问您现在方便吗？") and "做了手术" in said


def test_who_agrees_at_once_still_hears_who_we_are_and_what_for() -> None:
    player = Player(POLICY)
    said = player.say("可以的，你说", "consent")
    assert "投保了一份" in said and "可以吗" not in said
    assert player.state.open == "question:address_ok"


@pytest.mark.parametrize("text", ["我是老韩", "我是韩德明", "我就是韩先生", "我是德明啊"])
def test_a_name_that_fits_is_the_customer(text: str) -> None:
    player = Player(HOSPITAL, given={"customer": "韩德明", "title": "先生"})
    player.say(text, "third_person", confidence=0.4)
    assert player.state.open == st.CONSENT


@pytest.mark.parametrize("text", ["我是韩德明的女儿", "我是老王"])
def test_another_name_is_not_the_customer(text: str) -> None:
    player = Player(HOSPITAL, given={"customer": "韩德明", "title": "先生"})
    player.say(text, "third_person")
    assert player.state.open == st.THIRD_PERSON


def test_identity_is_asked_again_when_somebody_else_arranged_the_call_back() -> None:
    player = Player(HOSPITAL)
    player.say("我是她女儿", "third_person")
    player.say("下午三点以后吧", "propose_time")
    said = player.resume()
    assert "请问是张女士吗" in said and "约好" not in said and "手术" not in said
    assert "做了手术" in player.say("是我", "consent")


def test_a_script_without_an_identity_question_asks_it_too_after_somebody_else() -> None:
    player = Player(LOAN)
    player.say("我是她女儿", "third_person")
    player.say("下午三点以后吧", "propose_time")
    assert "请问是张女士本人吗" in player.resume()


@pytest.mark.parametrize(("text", "intent"), [("在开会", "in_meeting"), ("下午四点以后再说", "propose_time")])
def test_what_is_told_after_consent_is_told_when_consent_comes_later(text: str, intent: str) -> None:
    player = Player(EVENT)
    player.say(text, intent)
    player.resume()
    assert "这项活动的内容是" in player.say("好，你讲", "consent")


def test_an_appointment_is_spoken_of_only_where_the_customer_made_it() -> None:
    player = Player(LOAN)
    player.say("在开会", "in_meeting")
    assert "约好" not in player.resume()
    player.say("下午四点吧", "propose_time")
    assert "之前跟您约好" in player.resume()


def test_a_concern_at_the_consent_is_heard_and_the_talk_begins() -> None:
    player = Player(FRUIT)
    said = player.say("正好要找你们，什么破水果", "dissatisfied")
    assert "我们没有做好" in said and "方便" not in said
    assert player.state.open == "question:product"
    assert [ticket.topic for ticket in player.effects_of(RaiseTicket)] == ["remark"]


def test_an_answer_to_the_first_question_at_the_consent_is_taken() -> None:
    player = Player(FRUIT)
    player.say("脆，甜", "satisfied")
    assert player.answers["product"] == "很满意"


def test_what_the_first_question_does_not_ask_is_kept_and_consent_asked() -> None:
    player = Player(LOAN)
    assert "方便" in player.say("我上个月刚换了新手机", "inform")
    assert [note.text for note in player.effects_of(TakeNote)] == ["我上个月刚换了新手机"]


def test_how_long_we_may_talk_is_no_answer() -> None:
    player = Player(FRUIT)
    player.say("方便，说吧，别太久", "consent", ("consent", "方便，说吧"), ("dissatisfied", "别太久"))
    assert player.answers == {} and player.state.open == "question:product"


def test_a_grumble_is_met_gently_and_consent_asked_in_short() -> None:
    said = Player(LOAN).say("你们还知道找我啊", "ask_source", confidence=0.2)
    assert "没有太明白" not in said and said.endswith("请问您现在方便吗？")


def test_after_a_question_consent_is_asked_in_short() -> None:
    said = Player(LOAN).say("你是谁啊？又要卖东西给我吧", "ask_who", ("ask_who", "你是谁啊？"), ("ask_purpose", "又要卖东西给我吧"))
    assert "负责客户回访" in said and "我们做这个回访" in said
    assert said.endswith("请问您现在方便吗？") and "回复“方便”" not in said


def test_the_introduction_is_the_opening_without_its_question() -> None:
    assert introduction(load_script(POLICY)).endswith("我们和您确认几个信息。")
    assert "？" not in introduction(load_script("optician_recheck"))


def test_the_opening_is_said_to_the_right_person_after_a_wrong_one() -> None:
    player = Player(LOAN)
    player.say("打错了", "wrong_person")
    assert player.state.outcome == Outcome.WRONG_PERSON
    assert "请问是张女士本人吗" in player.say("现在有空，你问吧", "consent")
    assert "车贷" in player.say("是我", "consent")


def test_a_driver_who_says_it_is_him_is_left_alone() -> None:
    player = Player(HOSPITAL)
    assert "注意行车安全" in player.say("是我，在开车，不行", "driving")
    assert player.state.outcome == Outcome.APPOINTED


def test_who_agrees_and_asks_is_answered_and_the_talk_begins() -> None:
    player = Player(LOAN)
    said = player.say("你是机器人吗？你问吧", "bot_challenge", ("bot_challenge", "你是机器人吗？"), ("consent", "你问吧"))
    assert "不是真人" in said and player.state.open.startswith(st.QUESTION) and "现在方便" not in said


def test_a_fault_behind_a_greeting_is_heard() -> None:
    said = Player(FRUIT).say("你好，我买的梨坏了", "greet", confidence=0.75)
    assert "抱歉" in said and "现在方便" not in said
