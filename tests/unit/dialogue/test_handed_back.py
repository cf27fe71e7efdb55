"""A colleague spoke for a while: the bot goes on where it was, or knows that the talk is over."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from followup.dialogue import state as st
from followup.dialogue.effects import Outcome, SetOutcome
from followup.dialogue.handed_back import How, next_hour_of_staff, part, take_back
from followup.dialogue.reply import Reply
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn
from followup.settings import SHANGHAI

from .player import Player

LOAN = "auto_loan_satisfaction"
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=SHANGHAI)


def back(player: Player, how: How = How.HANDED_BACK, **more) -> bool:
    """The trigger comes; what is said afterwards is in `player.said`."""
    player.now += timedelta(minutes=3)
    player.state = TalkState.from_slot(player.state.to_slot())
    turn = Turn(player.script, player.state, Reply("/resume_followup", "resume_followup", 1.0, (), player.now, 0))
    goes_on = take_back(turn, how, **more)
    player.effects.extend(turn.effects)
    if goes_on:
        player._ask()
    else:
        player.said, player.state.lead = "".join(player.state.lead), []
    return goes_on


def begun(script: str = LOAN) -> tuple[Player, str]:
    """A talk at its first question, and that question."""
    player = Player(script)
    player.say("方便", "consent")
    return player, player.state.open


def test_the_bot_says_that_it_is_back_and_asks_the_same_question() -> None:
    player, question = begun()
    asked = player.said
    assert back(player)
    assert player.state.open == question
    assert player.said.startswith("同事这边已经处理好了")
    assert asked[-12:] in player.said
    assert player.said.index("智能助手") < player.said.index(asked[-12:])


def test_after_asking_for_a_person_it_goes_on_at_the_question_that_was_open() -> None:
    player, question = begun()
    buttons = player.buttons
    player.say("转人工", "request_human")
    assert player.state.outcome == Outcome.HANDED_OVER
    assert back(player)
    assert (player.state.open, player.state.outcome, player.buttons) == (question, "", buttons)
    player.say("朋友介绍的", "inform")
    assert player.answers


def test_out_of_hours_the_question_for_a_time_is_over_once_a_colleague_was_there() -> None:
    player = Player(LOAN, now=NIGHT)
    player.say("方便", "consent")
    question = player.state.open
    player.say("转人工", "request_human")
    assert player.state.open == st.CALLBACK
    assert back(player)
    assert player.state.open == question


def test_without_consent_it_is_asked_for_in_short() -> None:
    player = Player(LOAN)
    opening = player.said
    player.say("转人工", "request_human")
    assert back(player)
    assert player.state.open == st.CONSENT
    assert "方便" in player.said and opening not in player.said


def test_a_talk_that_did_not_remember_where_it_was_goes_on_at_the_next_question() -> None:
    player, question = begun()
    player.say("转人工", "request_human")
    player.state.resume_at = ""
    player.state.order = ["known"]
    assert back(player)
    assert player.state.open == question


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.COMPLAINED, Outcome.APPOINTED, Outcome.REFUSED])
def test_what_a_talk_had_come_to_stands_and_nothing_is_asked(outcome: Outcome) -> None:
    player, _ = begun()
    player.state.outcome, player.state.outcome_reason, player.state.open = outcome, "why", st.END
    assert not back(player)
    assert player.effects_of(SetOutcome) == [SetOutcome(outcome, "why")]
    assert "智能助手" in player.said and "？" not in player.said


def test_a_colleague_who_stayed_away_is_excused_and_the_bot_goes_on() -> None:
    player, question = begun()
    assert back(player, How.EXPIRED)
    assert player.said.startswith("让您久等了")
    assert player.state.open == question


def test_whoever_wants_no_contact_is_asked_nothing_more() -> None:
    player, _ = begun()
    assert not back(player, blocked=True)
    assert player.state.outcome == Outcome.DO_NOT_CONTACT
    assert player.said == ""


def test_a_visitor_has_the_word_again() -> None:
    player = Player("inbound_enquiry")
    player.say("转人工", "request_human")
    assert back(player)
    assert player.state.open == st.LISTENING
    assert "可以帮您" in player.said or "需要我帮忙" in player.said


def test_a_revision_without_these_sentences_says_who_is_speaking() -> None:
    player, question = begun()
    player.script = replace(player.script, wording={**player.script.wording, "handover": {"hours": player.script.wording["handover"]["hours"]}})
    assert back(player)
    assert "智能助手" in player.said and player.state.open == question


def test_what_the_colleague_ended_is_over_and_can_be_taken_up_later() -> None:
    player, question = begun()
    turn = Turn(player.script, player.state, Reply("/resume_followup", "resume_followup", 1.0, (), player.now, 0))
    part(turn, Outcome.COMPLETED, "谈妥了", None)
    assert (player.state.outcome, player.state.open, player.state.resume_at) == (Outcome.COMPLETED, st.END, question)
    assert "人工服务就到这里" in "".join(player.state.lead)


def test_an_appointment_is_read_back_with_its_time() -> None:
    player, _ = begun()
    turn = Turn(player.script, player.state, Reply("/resume_followup", "resume_followup", 1.0, (), player.now, 0))
    part(turn, Outcome.HANDED_OVER, "", player.now.replace(hour=15) + timedelta(days=1))
    assert "明天" in "".join(player.state.lead) and "下午3点" in "".join(player.state.lead)


@pytest.mark.parametrize("how", list(How))
def test_the_triggers_key_says_how_it_ended(how: How) -> None:
    assert How.of_key(how.key(7)) is how


@pytest.mark.parametrize("key", ["", "silence-81", "callback-7", "colleague", "colleague-x-1", "start"])
def test_other_triggers_tell_of_no_colleague(key: str) -> None:
    assert How.of_key(key) is None


def test_colleagues_are_there_now_or_on_their_next_day() -> None:
    hours = {"days": [1, 2, 3, 4, 5], "from": "9:00", "to": "18:00"}
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)
    assert next_hour_of_staff(hours, noon) == noon
    friday_evening = datetime(2026, 11, 27, 20, 0, tzinfo=SHANGHAI)
    assert next_hour_of_staff(hours, friday_evening) == datetime(2026, 11, 30, 10, 0, tzinfo=SHANGHAI)
