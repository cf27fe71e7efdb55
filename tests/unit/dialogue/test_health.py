"""Remarks about the customer's health."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket
from tests.unit.dialogue.player import Player, script_of

UNWELL = """\
unwell:
  words: [过敏, 发红]
  unless: [没过敏, 没有发红]
  ticket: {topic: medical, kind: request, department: 主治医生, severity: 2}
"""
SERVICE = "- {id: service, type: scale3, ask: 您对服务满意吗？, department: 客户服务部}\n"
IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"


def tickets(player: Player) -> list[tuple[str, str, str]]:
    return [(t.topic, t.department, t.reason) for t in player.effects_of(RaiseTicket)]


def agreed(more: str = UNWELL) -> Player:
    player = Player(script_of(SERVICE + IDEAS, more))
    player.say("方便", "consent")
    return player


def test_at_the_consent_the_doctor_hears_of_it_before_the_talk_is_put_off() -> None:
    player = Player(script_of(SERVICE, UNWELL))
    player.say("我头晕得厉害，躺着呢", "unwell")
    assert tickets(player) == [("medical", "主治医生", "我头晕得厉害，躺着呢")]
    assert player.state.outcome == Outcome.APPOINTED and player.effects_of(BookCallback)


@pytest.mark.parametrize("confidence", [0.55, 0.95])
def test_it_is_no_verdict_on_the_service(confidence: float) -> None:
    player = agreed()
    player.say("我头晕得厉害", "unwell", confidence=confidence)
    assert "service" not in player.answers
    assert tickets(player) == [("medical", "主治医生", "我头晕得厉害")]


def test_the_words_themselves_are_enough() -> None:
    player = agreed()
    player.say("很满意，就是脸上有点发红", "satisfied")
    assert ("medical", "主治医生", "很满意，就是脸上有点发红") in tickets(player)


def test_a_denial_calls_no_doctor() -> None:
    player = agreed()
    player.say("很满意，没过敏", "satisfied")
    assert tickets(player) == []


def test_as_a_reason_it_stays_the_reason() -> None:
    player = agreed()
    player.say("不满意", "dissatisfied")
    player.say("打完针以后头晕得厉害", "unwell")
    assert player.answers["service.reason"] == "打完针以后头晕得厉害"
    assert ("medical", "主治医生", "打完针以后头晕得厉害") in tickets(player)


def test_it_is_passed_on_after_the_talk_too() -> None:
    player = agreed()
    player.say("很满意", "satisfied")
    player.say("没有了", "nothing_to_add")
    player.say("对了，我脸上过敏了", "inform")
    assert tickets(player) == [("medical", "主治医生", "对了，我脸上过敏了")]


def test_other_trades_call_no_doctor() -> None:
    player = agreed("")
    player.say("我头晕得厉害", "unwell")
    assert tickets(player) == [] and player.state.outcome == Outcome.APPOINTED
