"""A button that is clicked means what stands on it."""

from __future__ import annotations

from tests.unit.dialogue.player import Player, script_of

VISIT = """\
- {id: visit, type: datetime, ask: 您哪天过来呢？, optional: true}
- {id: ideas, type: open, ask: 您有什么建议吗？}
"""
OWN_BUTTONS = "wording: {buttons: {skip: [不去了]}}\n"


def test_the_button_that_passes_a_question_over_passes_it_whatever_its_words_resemble() -> None:
    player = Player(script_of(VISIT, OWN_BUTTONS))
    player.say("方便", "consent")
    assert player.buttons == ("不去了",)
    assert "建议" in player.say("不去了", "objection/simply_no")
    assert player.answers["visit"] is None


def test_the_same_words_at_a_question_without_that_button_are_heard_as_they_are() -> None:
    player = Player(script_of(VISIT.replace(", optional: true", ""), OWN_BUTTONS))
    player.say("方便", "consent")
    player.say("不去了", "objection/simply_no")
    assert "visit" not in player.answers
