"""When we come back: offered, agreed, or left open."""

from __future__ import annotations

from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket
from tests.unit.dialogue.player import Player

LOAN = "auto_loan_satisfaction"


def offered() -> Player:
    player = Player(LOAN)
    player.say("店里忙着呢", "busy")
    player.say("不知道啊", "inform")
    assert "您看可以吗" in player.said or "您看可以吗" in player.say("说不好", "inform")
    return player


def test_a_goodbye_that_agrees_books_the_offered_time() -> None:
    player = offered()
    player.say("好的再见", "goodbye")
    (callback,) = player.effects_of(BookCallback)
    assert callback.confirmed and callback.at is not None and callback.at.hour == 10
    assert player.state.outcome == Outcome.APPOINTED


def test_a_bare_goodbye_books_nothing() -> None:
    player = offered()
    player.say("再见", "goodbye")
    assert player.state.outcome == Outcome.UNREACHABLE


def test_a_goodbye_to_the_question_when_is_kept_as_a_call_back_without_a_time() -> None:
    player = Player(LOAN)
    player.say("店里忙着呢", "busy")
    player.say("好的再见", "goodbye")
    assert [callback.at for callback in player.effects_of(BookCallback)] == [None]


def test_a_wish_at_an_invitation_answers_the_booking_and_is_no_call_back() -> None:
    player = Player("tyre_care")
    player.say("方便", "consent")
    player.say("挺好的", "satisfied")
    said = player.say("下午不行，明天上午吧", "propose_time")
    assert not player.state.over and "您说的时间我记下了" in said
    assert player.answers["winter_check"] is True and player.answers["booking"] == "明天上午"


def test_an_answer_instead_of_a_time_takes_the_talk_up() -> None:
    player = Player("fruit_order")
    player.say("我在排队", "busy")
    player.say("梨挺甜的，就是箱子瘪了一块", "satisfied")
    assert player.state.values["product"] and not player.effects_of(BookCallback)
    assert player.state.open == "question:suggestions"


def test_an_answer_where_a_time_was_offered_takes_the_talk_up_where_it_was() -> None:
    player = Player(LOAN)
    player.say("方便", "consent")
    player.say("朋友介绍的", "inform")
    player.say("店里来人了", "busy")
    player.say("不知道啊", "inform")
    player.say("价格有点贵", "dissatisfied")
    assert player.state.values["price"] == "不满意" and not player.effects_of(BookCallback)


def test_content_with_the_offered_time_is_no_answer() -> None:
    player = offered()
    player.say("挺好的", "satisfied")
    assert [callback.confirmed for callback in player.effects_of(BookCallback)] == [True] and not player.state.values


def test_a_displeasure_that_answers_nothing_is_passed_on() -> None:
    player = offered()
    player.say("上回师傅把我家地板划了", "dissatisfied")
    assert [ticket.reason for ticket in player.effects_of(RaiseTicket)] == ["上回师傅把我家地板划了"]
