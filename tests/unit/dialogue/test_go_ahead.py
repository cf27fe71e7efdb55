"""Who bids us speak while something keeps them: heard as an agreement, and never as a yes to a question."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import Outcome
from followup.dialogue.go_ahead import says_go_ahead
from tests.unit.dialogue.player import Player

FRUIT, LOAN = "fruit_order", "auto_loan_satisfaction"


@pytest.mark.parametrize(
    "text",
    [
        "在呢，不过我在排队买菜，你快点说",
        "有点忙，你快说吧",
        "忙着呢 有事说事",
        "正忙着呢，有啥事快说",
        "在上班，长话短说",
        "我在带孩子，你讲快点",
        "现在有点忙不过你问吧",
        "在忙，不过可以说两句",
        "有话快说",
        "您赶紧问",
        "说吧",
        "我在遛狗，听着呢",
    ],
)
def test_bids_us_speak(text: str) -> None:
    assert says_go_ahead(text)


@pytest.mark.parametrize(
    "text",
    [
        "在忙，回头你再说",
        "等我忙完你说吧",
        "明天你问吧",
        "晚点再说吧",
        "别说了",
        "跟你说我在忙",
        "我快忙死了",
        "没什么好说的",
        "听说吧台坏了",
        "你说什么",
    ],
)
def test_puts_us_off_or_says_something_else(text: str) -> None:
    assert not says_go_ahead(text)


def test_a_busy_customer_who_bids_us_speak_is_asked_at_once() -> None:
    player = Player(FRUIT)
    said = player.say("我在排队买菜，你快点说", "busy")
    assert player.state.open == "question:product" and "什么时间" not in said


def test_in_the_middle_of_the_talk_it_is_no_answer() -> None:
    player = Player(LOAN)
    player.say("方便", "consent")
    before = player.state.open
    player.say("正忙着，你快点问", "busy")
    assert player.state.open == before and not player.state.values


@pytest.mark.parametrize(("text", "act"), [("开车呢，你说吧我听着", "driving"), ("在开会，你快点说", "in_meeting")])
def test_a_driver_and_who_sits_in_a_meeting_are_let_go_all_the_same(text: str, act: str) -> None:
    player = Player(LOAN)
    player.say(text, act)
    assert player.state.outcome == Outcome.APPOINTED


def test_a_talk_published_before_there_was_a_word_for_it_goes_on_without_one() -> None:
    player = Player(FRUIT)
    player.script.wording["busy"].pop("quick", None)
    player.say("我在排队买菜，你快点说", "busy")
    assert player.state.open == "question:product"
