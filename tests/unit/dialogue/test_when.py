"""When we come back: offered, agreed, or left open."""

from __future__ import annotations

from followup.dialogue.effects import BookCallback, Outcome
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
