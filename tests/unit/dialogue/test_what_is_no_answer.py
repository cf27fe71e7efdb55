"""What is told before anything was asked, and what only resembles a yes or a no."""

from __future__ import annotations

from followup.dialogue.effects import TakeNote
from tests.unit.dialogue.player import Player


def test_what_somebody_cannot_do_is_no_no_to_whether_they_have_a_card() -> None:
    player = Player("bank_dormant_mobile_banking")
    player.say("我不会弄那个，老年人", "inform")
    assert not player.state.over and not player.state.values


def test_present_is_a_yes_to_whether_it_is_them() -> None:
    player = Player("optician_pickup")
    player.say("在的", "greet")
    assert player.state.open == "consent"


def test_a_bare_ok_to_what_could_be_better_is_no_suggestion() -> None:
    player = Player("fruit_order")
    player.say("方便", "consent")
    player.say("都挺好的", "satisfied")
    player.say("好的", "consent")
    assert player.state.values["suggestions"] == "无"


def test_an_objection_that_asks_is_answered_and_ends_nothing() -> None:
    player = Player("insurance_contact")
    player.say("是我", "consent")
    for text in ("下月发工资再交行吗", "等年底再买可以吗"):
        player.say(text, "objection/later")
    assert not player.state.over
    assert [note.kind for note in player.effects_of(TakeNote)] == ["colleague_question"] * 2
