"""What a reply only resembles ends no talk."""

from __future__ import annotations

import pytest

from followup.dialogue import state as st
from followup.dialogue.effects import Outcome
from tests.unit.dialogue.player import Player

CAR, LOAN = "new_car_2h", "auto_loan_satisfaction"


def test_consent_wins_over_the_sleep_of_somebody_else() -> None:
    for text in ("方便，宝宝睡了", "嗯嗯，娃刚睡着，你说"):
        player = Player(CAR)
        player.say(text, "resting")
        assert not player.state.over and player.state.open == "question:arrived"


def test_ones_own_sleep_ends_the_talk() -> None:
    player = Player(CAR)
    player.say("在睡觉呢", "resting")
    assert player.state.outcome == Outcome.APPOINTED


def test_who_waits_for_a_car_does_not_drive() -> None:
    player = Player(CAR)
    player.say("快点啊，我在等车", "driving", confidence=0.6)
    assert not player.state.over


def test_a_driver_is_left_alone_at_once_though_he_asks_for_later() -> None:
    player = Player(CAR)
    said = player.say("正开着呢，回头说", "call_later", ("driving", "正开着呢"), ("call_later", "回头说"), confidence=0.6)
    assert "注意行车安全" in said and "？" not in said


def test_yesterdays_drive_is_over() -> None:
    player = Player(LOAN)
    player.say("在开车", "driving")
    player.resume()
    player.say("现在可以了，昨天在高架上", "driving", ("consent", "现在可以了"), ("driving", "昨天在高架上"), confidence=0.6)
    assert player.state.open.startswith(st.QUESTION)


@pytest.mark.parametrize(("text", "confidence"), [("到家啦，先绕去给我妈看了一眼，她说颜色好看", 0.45), ("先给我爸看看", 0.6)])
def test_a_relative_in_the_story_is_not_on_the_telephone(text: str, confidence: float) -> None:
    player = Player(CAR)
    player.say(text, "third_person", confidence=confidence)
    assert player.state.open != st.THIRD_PERSON and not player.state.over


def test_once_the_customer_has_answered_only_a_role_makes_somebody_else() -> None:
    player = Player("decoration_event_invitation")
    player.say("方便", "consent")
    player.say("清楚了", "inform")
    player.say("愿意，我让老公去", "third_person")
    assert player.state.open != st.THIRD_PERSON
    player = Player(LOAN)
    player.say("方便", "consent")
    player.say("我是她老公，她走开了", "third_person")
    assert player.state.open == st.THIRD_PERSON
