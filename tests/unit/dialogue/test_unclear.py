"""What is not understood: asked again in short, in other words, then passed over without losing anything."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import RaiseTicket
from tests.unit.dialogue.player import Player, script_of

IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"
WITH_AN_INTRODUCTION = """\
- id: skin
  type: choice
  ask: 真是抱歉，让您难受了。请先不要再用。请问现在皮肤还发红吗？
  options: [发红, 不红]
  on_unclear: 脸上红，还是不红？
"""
LONG = """\
- id: score
  type: score
  ask: 对于服务顾问对您提出需求的重视程度，1分表示不满意，5分表示一般，10分表示非常满意，您会打几分呢？
  on_unclear: 服务顾问重视您的要求吗？请给1到10分。
"""


def agreed(questions: str) -> Player:
    player = Player(script_of(questions + IDEAS))
    player.say("方便", "consent")
    return player


def test_the_first_time_the_introduction_is_not_said_again() -> None:
    said = agreed(WITH_AN_INTRODUCTION).say("嗯哼啦", "out", confidence=0.1)
    assert said.endswith("请问现在皮肤还发红吗？") and "抱歉，让您难受" not in said


def test_the_second_time_it_is_asked_in_other_words() -> None:
    player = agreed(WITH_AN_INTRODUCTION)
    player.say("嗯哼啦", "out", confidence=0.1)
    assert player.say("嗯哼啦", "out", confidence=0.1).endswith("脸上红，还是不红？")


def test_a_long_question_is_shortened_first_and_asked_in_full_the_second_time() -> None:
    player = agreed(LONG)
    assert player.say("嗯哼啦", "out", confidence=0.1).endswith("服务顾问重视您的要求吗？请给1到10分。")
    assert player.say("嗯哼啦", "out", confidence=0.1).endswith("您会打几分呢？")


def test_a_customer_who_asks_to_hear_it_again_hears_all_of_it() -> None:
    assert "真是抱歉" in agreed(WITH_AN_INTRODUCTION).say("你再说一遍", "ask_repeat")


SOLVED = """\
- id: solved
  type: yes_no
  ask: 问题解决了吗？
  ticket: {topic: unsolved, kind: request, department: 售后服务部, severity: 2, if: [false]}
"""


def test_what_was_never_understood_goes_to_those_who_would_have_had_the_ticket() -> None:
    player = agreed(SOLVED)
    for _ in range(3):
        player.say("机子那个灯它一闪一闪", "out", confidence=0.1)
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.department) == ("unsolved", "售后服务部")
    assert (ticket.reason, ticket.data) == ("机子那个灯它一闪一闪", {"answer": None, "unclear": True})


def test_a_question_may_have_its_own_buttons_or_none() -> None:
    assert agreed(IDEAS.replace("ideas", "more")).buttons == ("没有了",)
    assert agreed("- {id: what, type: open, ask: 现在是什么样子呢？, buttons: []}\n").buttons == ()
    assert agreed("- {id: what, type: yes_no, ask: 东西齐全吗？, buttons: [齐全, 缺货]}\n").buttons == ("齐全", "缺货")


@pytest.mark.parametrize(("said", "resembled"), [("asdf", "abuse"), ("/restart", "request_human"), ("sure", "do_not_contact")])
def test_letters_alone_neither_insult_nor_end_a_talk(said: str, resembled: str) -> None:
    player = agreed(WITH_AN_INTRODUCTION)
    assert player.say(said, resembled, confidence=0.23).endswith("请问现在皮肤还发红吗？")
    assert not player.state.over and not player.effects


def test_a_farewell_in_letters_is_a_farewell() -> None:
    player = agreed(WITH_AN_INTRODUCTION)
    player.say("bye", "goodbye", confidence=0.99)
    assert player.state.over
