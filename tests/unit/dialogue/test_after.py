"""After the talk: answered, kept, nothing asked."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, Reopen, SetOutcome, StopContact, TakeNote
from tests.unit.dialogue.player import Player


def over(text: str, intent: str) -> Player:
    player = Player("auto_loan_satisfaction")
    player.say(text, intent)
    assert player.state.over
    player.effects.clear()
    return player


@pytest.mark.parametrize(
    ("text", "intent"),
    [("谢谢", "thank"), ("好的", "consent"), ("再见", "goodbye"), ("今天真冷", "out_of_scope"), ("你是谁", "ask_who"), ("啊？", "ask_repeat")],
)
@pytest.mark.parametrize("ended", [("没兴趣", "refuse"), ("打错了", "wrong_person"), ("在开车", "driving"), ("退订", "do_not_contact")])
def test_every_word_is_answered_and_nothing_is_asked(ended: tuple[str, str], text: str, intent: str) -> None:
    said = over(*ended).say(text, intent)
    assert said
    assert "？" not in said


def test_the_wrong_person_hears_nothing_of_the_business() -> None:
    assert "车贷" not in over("打错了", "wrong_person").say("你们找她什么事", "ask_purpose")


def test_displeasure_after_the_talk_becomes_a_ticket() -> None:
    player = over("没兴趣", "refuse")
    player.say("你们的业务员态度太差", "dissatisfied")
    assert [t.reason for t in player.effects_of(RaiseTicket)] == ["你们的业务员态度太差"]


def test_anything_else_is_noted_word_for_word() -> None:
    player = over("没兴趣", "refuse")
    player.say("我下个月搬家", "inform")
    assert [n.text for n in player.effects_of(TakeNote)] == ["我下个月搬家"]


def test_an_opt_out_after_the_talk_counts() -> None:
    player = over("没兴趣", "refuse")
    player.say("别再打了", "do_not_contact")
    assert player.effects_of(StopContact)
    assert player.state.outcome == Outcome.DO_NOT_CONTACT


def test_an_appointment_can_be_moved() -> None:
    player = over("在开车", "driving")
    assert "后天" in player.say("后天上午九点吧", "propose_time")
    (callback,) = player.effects_of(BookCallback)
    assert callback.at is not None and callback.at.isoformat() == "2026-11-25T09:00:00+08:00"


def test_a_bare_hour_moves_the_appointment_within_its_day() -> None:
    player = over("明天上午吧", "propose_time")
    assert "明天" in player.say("九点", "inform")
    (callback,) = player.effects_of(BookCallback)
    assert callback.at is not None and callback.at.isoformat() == "2026-11-24T09:00:00+08:00"


def test_a_number_sent_later_by_a_third_person_is_kept() -> None:
    player = Player("insurance_contact")
    player.say("我是她先生", "third_person")
    player.say("她下周三才回来", "propose_time")
    assert player.state.over
    player.effects.clear()
    player.say("138 1234 5678", "inform")
    assert [(n.kind, n.topic) for n in player.effects_of(TakeNote)] == [("third_contact", "13812345678")]


def test_who_has_time_now_goes_on_at_once() -> None:
    player = over("在开车", "driving")
    assert "以什么方式" in player.say("到家了，现在可以", "consent")
    assert player.effects_of(Reopen)
    assert not player.state.over


def test_a_correction_keeps_the_outcome() -> None:
    player = Player("auto_loan_satisfaction")
    for text, intent in [("方便", "consent"), ("朋友", "inform"), *[("满意", "satisfied")] * 3, ("没有了", "nothing_to_add")]:
        player.say(text, intent)
    player.effects.clear()
    player.say("期限那个说错了，应该是一般", "correct")
    assert player.answers["term"] == "一般"
    assert [e.outcome for e in player.effects_of(SetOutcome)] == [Outcome.COMPLETED]


@pytest.mark.parametrize(("text", "intent"), [("好的", "consent"), ("谢谢", "thank"), ("我下个月搬家", "inform"), ("再见", "goodbye")])
@pytest.mark.parametrize("ended", [("没兴趣", "refuse"), ("在开车", "driving"), ("退订", "do_not_contact"), ("打错了", "wrong_person")])
def test_no_sentence_is_said_twice_in_a_row(ended: tuple[str, str], text: str, intent: str) -> None:
    player = over(*ended)
    said = [player.say(text, intent) for _ in range(5)]
    assert all(one != other for one, other in zip(said, said[1:]))


def test_a_promise_that_was_not_kept_becomes_a_ticket_whatever_it_was_taken_for() -> None:
    player = over("没兴趣", "refuse")
    assert "没有做好" in player.say("说好送的脚垫，到现在都没给我", "faq", confidence=0.6)
    assert [ticket.kind for ticket in player.effects_of(RaiseTicket)] == ["dissatisfaction"]


def test_the_customers_own_apology_is_no_complaint() -> None:
    player = over("没兴趣", "refuse")
    player.say("刚才说话冲了点，不好意思啊", "dissatisfied")
    assert player.effects_of(RaiseTicket) == []


def test_a_weak_displeasure_is_noted_and_no_ticket() -> None:
    player = over("没兴趣", "refuse")
    player.say("洗完脸就用", "dissatisfied", confidence=0.4)
    assert player.effects_of(RaiseTicket) == [] and player.effects_of(TakeNote)


def test_who_presses_is_not_thanked_for_praise() -> None:
    player = over("没兴趣", "refuse")
    assert "肯定" not in player.say("今天必须来人，越快越好", "satisfied")
    assert [ticket.kind for ticket in player.effects_of(RaiseTicket)] == ["request"]


def test_a_plain_question_goes_to_a_colleague() -> None:
    player = over("没兴趣", "refuse")
    assert "同事" in player.say("那个保温杯要不要钱的呀？", "inform")
    assert [note.kind for note in player.effects_of(TakeNote)] == ["colleague_question"]


@pytest.mark.parametrize(
    ("text", "intent"), [("想问下晚上能不能洗脸", "propose_time"), ("晚上带老二，哪有早睡的", "inform")]
)
def test_an_hour_in_a_question_or_a_story_moves_no_appointment(text: str, intent: str) -> None:
    player = over("下午三点再联系", "propose_time")
    player.say(text, intent)
    assert player.effects_of(BookCallback) == []


def test_who_will_have_time_later_is_not_asked_now() -> None:
    player = over("在开车", "driving")
    player.say("等我忙完了再说", "call_later")
    assert player.state.over and player.effects_of(Reopen) == []
