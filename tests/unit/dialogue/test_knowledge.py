"""Only what somebody wrote down is answered, only where it holds; everything else goes to a colleague with its topic."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import TakeNote
from followup.dialogue.knowledge import answer_to, known_answer
from tests.unit.dialogue.player import Player

REAL = {"company": "某某商城", "product": "四件套"}
"""A company of its own: nobody told us its carrier."""


def notes(player: Player) -> list[tuple[str, str]]:
    return [(note.kind, note.topic) for note in player.effects_of(TakeNote)]


@pytest.fixture
def buyer() -> Player:
    player = Player("fruit_order")
    player.say("可以", "consent")
    return player


def test_how_to_eat_the_pear_is_told_where_pears_are_sold() -> None:
    assert "酥软" in (known_answer("faq/eat_pear", "e-commerce") or "")


def test_a_lender_knows_nothing_of_pears() -> None:
    assert known_answer("faq/eat_pear", "finance") is None


def test_the_same_question_has_another_answer_in_another_trade() -> None:
    assert "两年" in (known_answer("faq/warranty", "decoration") or "")
    assert "一年" in (known_answer("faq/warranty", "service") or "")


@pytest.mark.parametrize("intent", ["faq/other", "faq", "faq/no_such_topic"])
def test_what_nobody_wrote_down_is_not_guessed(intent: str) -> None:
    assert known_answer(intent, "e-commerce") is None


def test_an_answer_is_followed_by_the_open_question(buyer: Player) -> None:
    said = buyer.say("几天能到", "faq/when_received")
    assert "3天左右" in said and "怎么样呢" in said
    assert notes(buyer) == []


def test_a_question_without_an_answer_is_recorded_with_its_topic(buyer: Player) -> None:
    assert "同事" in buyer.say("这是什么材质的", "faq/material")
    assert notes(buyer) == [("colleague_question", "material")]


def test_an_answer_that_promises_a_colleague_is_recorded_too(buyer: Player) -> None:
    assert "增值税发票" in buyer.say("能开发票吗", "faq/invoice")
    assert notes(buyer) == [("colleague_question", "invoice")]


def test_the_words_of_the_question_choose_the_answer() -> None:
    assert "维生素" in (known_answer("faq/eat_pear", "e-commerce", "这梨有什么营养") or "")
    assert "销售价" in (known_answer("faq/returns", "e-commerce", "坏果怎么赔") or "")
    assert "成本费" in (known_answer("faq/repair_cost", "service", "我自己摔的收不收费") or "")


@pytest.mark.parametrize("asked", ["孕妇能吃吗", "糖尿病人能吃这个梨吗", "一岁宝宝能吃吗"])
def test_who_may_eat_it_is_not_for_us_to_say(asked: str) -> None:
    assert known_answer("faq/eat_pear", "e-commerce", asked) is None


def test_a_company_of_its_own_does_not_speak_with_sample_values() -> None:
    assert "韵达" in answer_to("faq/carrier", "e-commerce").say[0]
    assert answer_to("faq/carrier", "e-commerce", demo=False) is None


def test_in_a_real_talk_a_sample_answer_goes_to_a_colleague() -> None:
    player = Player("fruit_order", given=REAL)
    player.say("可以", "consent")
    said = player.say("发什么快递", "faq/carrier")
    assert "韵达" not in said and "同事" in said
    assert notes(player) == [("colleague_question", "carrier")]


def test_what_is_known_of_this_customer_makes_an_answer_possible() -> None:
    player = Player("fruit_order", given={**REAL, "material": "纯棉"})
    player.say("可以", "consent")
    assert "您买的四件套是纯棉的" in player.say("什么材质的", "faq/material")


def test_an_empty_value_is_not_known() -> None:
    assert answer_to("faq/material", "e-commerce", known={"product": "被子", "material": ""}) is None


def test_a_question_after_the_talk_is_answered_as_well(buyer: Player) -> None:
    buyer.say("开会呢", "in_meeting")
    assert "3天左右" in buyer.say("几天能到", "faq/when_received")
