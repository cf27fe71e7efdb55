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
