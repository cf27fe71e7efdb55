"""Every row of the catalogue's part B, at every open item of every script (catalogue B), without Rasa."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

import pytest

from followup.dialogue import state as st
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, SetOutcome, StopContact, TakeNote
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording
from followup.scripts.load import load_all
from tests.unit.dialogue.player import Player

SCRIPTS = {script.id: script for script in load_all() if not script.customer_led}


def items(script_id: str) -> list[str]:
    """Everything that can be open in a talk of this script."""
    script = SCRIPTS[script_id]
    asked = [q for q in script.questions if not q.is_step]
    probed = [q.id for q in asked if q.probe_if]
    return [
        *([st.IDENTITY] if script.identity_ask else []),
        st.CONSENT,
        st.RESUME,
        *(st.QUESTION + q.id for q in asked),
        *(st.REASON + i for i in probed),
        *(st.IMPROVE + i for i in probed),
    ]


def takes(script_id: str, item: str, intent: str) -> bool:
    """Whether the open question takes this interruption for its answer ("太忙了" to "为什么没来？")."""
    if not item.startswith(st.QUESTION):
        return False
    question = SCRIPTS[script_id].question(item.removeprefix(st.QUESTION))
    says = [word for option in question.options for word in option.say]
    return intent in question.takes or intent == "busy" and any("忙" in word for word in says)


def at_every_item(test: Callable[..., None]) -> Callable[..., None]:
    """`test(script_id, item, ...)` at everything that can be open: one test a script, which names all the items that fail.

    A test of its own for each item took longer to keep count of than to run.
    """

    @functools.wraps(test)
    def of_script(script_id: str, **given: object) -> None:
        failed = []
        for item in items(script_id):
            try:
                test(script_id, item, **given)
            except AssertionError as error:
                failed.append(f"{item}: {error}")
        assert not failed, "\n".join(failed)

    named = inspect.signature(test)
    of_script.__signature__ = named.replace(parameters=[p for name, p in named.parameters.items() if name != "item"])  # type: ignore[attr-defined]
    return pytest.mark.parametrize("script_id", SCRIPTS)(of_script)


def at(script_id: str, item: str) -> Player:
    """A talk in which `item` has just been asked and everything before it was answered."""
    player = Player(script_id)
    state: TalkState = player.state
    state.open = item
    for question in SCRIPTS[script_id].questions:
        if st.QUESTION + question.id == item or item.endswith(":" + question.id):
            break
        state.told.append(question.id) if question.is_step else state.values.setdefault(question.id, "一般")
    if item == st.RESUME:
        state.resume_at = st.QUESTION + SCRIPTS[script_id].questions[0].id
    return player


ENDINGS = [
    ("我在开车呢", "driving", Outcome.APPOINTED, "注意行车安全"),
    ("在开会", "in_meeting", Outcome.APPOINTED, "正在开会"),
    ("正吃饭呢", "dining", Outcome.APPOINTED, "用餐愉快"),
    ("我不舒服", "unwell", Outcome.APPOINTED, "早日康复"),
    ("在睡觉", "resting", Outcome.APPOINTED, "打扰您休息"),
    ("打错了", "wrong_person", Outcome.WRONG_PERSON, "打扰您了"),
    ("别再打了", "do_not_contact", Outcome.DO_NOT_CONTACT, "免打扰"),
]


@pytest.mark.parametrize(("text", "intent", "outcome", "words"), ENDINGS, ids=[e[1] for e in ENDINGS])
@at_every_item
def test_what_ends_a_talk_ends_it_everywhere_with_one_sentence_and_no_question(
    script_id: str, item: str, text: str, intent: str, outcome: Outcome, words: str
) -> None:
    if takes(script_id, item, intent):
        return  # an answer here
    if intent == "wrong_person" and SCRIPTS[script_id].other_user and item in (st.IDENTITY, st.CONSENT):
        return  # somebody else may be the user: asked first
    player = at(script_id, item)
    said = player.say(text, intent)
    assert words in said
    assert "？" not in said
    assert player.buttons == ()
    assert [e.outcome for e in player.effects_of(SetOutcome)] == [outcome]


@at_every_item
def test_an_opt_out_is_written_down_with_the_words_and_books_nothing(script_id: str, item: str) -> None:
    player = at(script_id, item)
    player.say("退订", "do_not_contact")
    assert [e.words for e in player.effects_of(StopContact)] == ["退订"]
    assert player.effects_of(BookCallback) == []


@at_every_item
def test_busy_without_a_time_is_asked_when_and_read_back(script_id: str, item: str) -> None:
    if takes(script_id, item, "busy"):
        return  # an answer here
    player = at(script_id, item)
    optional = item.startswith(st.QUESTION) and SCRIPTS[script_id].question(player.state.question_id).optional
    said = player.say("我现在忙着呢", "busy")
    assert Wording(player.script, player.state).say("busy.ask_when") in said or optional
    said = player.say("明天下午三点", "propose_time")
    assert "下午3点" in said
    (callback,) = player.effects_of(BookCallback)
    assert callback.at is not None and callback.at.isoformat() == "2026-11-24T15:00:00+08:00"
    assert callback.confirmed


@at_every_item
def test_after_a_call_back_the_talk_goes_on_at_the_unanswered_item(script_id: str, item: str) -> None:
    if item in (st.IDENTITY, st.CONSENT, st.RESUME) or takes(script_id, item, "in_meeting"):
        return
    player = at(script_id, item)
    player.say("我要开会了，明天上午十点吧", "in_meeting", ("in_meeting", "我要开会了"), ("propose_time", "明天上午十点吧"))
    assert player.state.outcome == Outcome.APPOINTED
    assert "您现在方便吗" in player.resume()
    player.say("方便", "consent")
    assert player.state.open == item


QUESTIONS = [
    ("你是谁", "ask_who"),
    ("找我干嘛", "ask_purpose"),
    ("怎么有我电话", "ask_source"),
    ("要多久", "ask_duration"),
    ("会泄露吗", "ask_privacy"),
    ("你是机器人吗", "bot_challenge"),
]


@pytest.mark.parametrize(("text", "intent"), QUESTIONS, ids=[q[1] for q in QUESTIONS])
@at_every_item
def test_a_question_to_us_is_answered_and_the_open_item_stays_open(
    script_id: str, item: str, text: str, intent: str
) -> None:
    player = at(script_id, item)
    words = Wording(player.script, player.state).say(f"answers.{intent}")
    said = player.say(text, intent)
    assert words in said
    assert said.endswith(("？", "。", "：")) and len(said) > len(words)
    assert player.state.open == item
    assert not player.state.over


@at_every_item
def test_refusing_ends_with_one_polite_close(script_id: str, item: str) -> None:
    if takes(script_id, item, "refuse"):
        return  # an answer here
    player = at(script_id, item)
    said = player.say("没兴趣，别问了", "refuse")
    optional = item.startswith(st.QUESTION) and SCRIPTS[script_id].question(item.removeprefix(st.QUESTION)).optional
    if not optional:  # an optional question is only passed over
        assert "？" not in said
        assert player.state.outcome in (Outcome.REFUSED, Outcome.ENDED_EARLY)


@at_every_item
def test_a_third_person_hears_nothing_of_the_business(script_id: str, item: str) -> None:
    if takes(script_id, item, "third_person"):
        return  # an answer here
    player = at(script_id, item)
    said = player.say("我是她老公，她不在", "third_person")
    if player.state.open == "other_user":  # they may be the one who drives the car (63714 三日回访 ②)
        said = player.say("不是", "deny")
    business = [str(player.state.variables.get(name, "—")) for name in ("product", "bought_on")] + ["车贷", "企贷", "满意度"]
    assert Wording(player.script, player.state).say("third_person.ask") in said
    assert not [word for word in business if word in said]
    said = player.say("你们什么事", "ask_purpose")
    assert not [word for word in business if word in said]


@at_every_item
def test_a_complaint_is_heard_and_becomes_a_ticket(script_id: str, item: str) -> None:
    player = at(script_id, item)
    player.say("我要投诉", "complain")
    said = player.say("业务员骗人，说好的不算数", "complain")
    assert "道歉" in said and "两个工作日" in said
    assert player.state.outcome == Outcome.COMPLAINED
    assert any(t.kind == "complaint" and "业务员骗人" in t.reason for t in player.effects_of(RaiseTicket))


@at_every_item
def test_insults_are_reminded_twice_and_then_the_talk_ends(script_id: str, item: str) -> None:
    player = at(script_id, item)
    player.say("滚", "abuse")
    assert not player.state.over
    player.say("神经病", "abuse")
    assert not player.state.over
    assert "？" not in player.say("有病", "abuse")
    assert player.state.outcome == Outcome.ENDED_EARLY


@at_every_item
def test_what_is_never_understood_is_passed_over_at_the_third_time(script_id: str, item: str) -> None:
    player = at(script_id, item)
    for _ in range(3):
        assert player.state.open == item
        player.say("说啥", "not_understood")
    assert player.state.open != item or player.state.over
    assert any(note.kind == "unclear" for note in player.effects_of(TakeNote))


@at_every_item
def test_who_asks_for_a_human_gets_one_in_working_hours(script_id: str, item: str) -> None:
    player = at(script_id, item)
    assert "人工同事" in player.say("转人工", "request_human")
    assert player.state.outcome == Outcome.HANDED_OVER
    assert any(t.kind == "request" for t in player.effects_of(RaiseTicket))


@at_every_item
def test_silence_is_asked_after_once_and_then_left_in_peace(script_id: str, item: str) -> None:
    player = at(script_id, item)
    assert "您还在吗" in player.silence()
    assert not player.state.over
    assert "先不打扰您了" in player.silence()
    assert player.state.over
