"""Answers taken, read ahead, acknowledged, corrected."""

from __future__ import annotations

import pytest

from followup.dialogue.effects import Outcome, RaiseTicket, StoreAnswer, TakeNote
from tests.unit.dialogue.player import Player


def car() -> Player:
    player = Player("auto_loan_satisfaction")
    player.say("方便", "consent")
    player.say("朋友介绍的", "inform")
    return player


def fruit() -> Player:
    player = Player("fruit_order")
    player.say("可以", "consent")
    return player


def test_an_answer_is_kept_with_its_words_and_how_it_was_read() -> None:
    player = car()
    (answer,) = player.effects_of(StoreAnswer)
    assert (answer.question_id, answer.value, answer.text) == ("source", "朋友介绍", "朋友介绍的")
    assert answer.how.startswith("choice:")


def test_a_reason_in_the_reply_is_acknowledged_and_not_asked_for() -> None:
    player = car()
    said = player.say("价格有点贵", "dissatisfied")
    assert "贷款期限" in said
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.kind, ticket.reason) == ("price", "dissatisfaction", "价格有点贵")


def test_a_bare_dissatisfaction_is_asked_why_and_how_to_improve() -> None:
    player = car()
    assert "哪方面" in player.say("不满意", "dissatisfied")
    assert "改善" in player.say("利息比银行高一倍", "dissatisfied")
    assert "贷款期限" in player.say("降一点", "suggest")
    assert player.answers["price.reason"] == "利息比银行高一倍"
    assert player.answers["price.improve"] == "降一点"
    assert {t.topic for t in player.effects_of(RaiseTicket)} == {"price"}


@pytest.mark.parametrize(("text", "intent"), [("不想说", "skip"), ("没什么", "nothing_to_add"), ("不知道", "inform")])
def test_who_does_not_say_why_is_not_pressed(text: str, intent: str) -> None:
    player = car()
    player.say("不满意", "dissatisfied")
    assert "贷款期限" in player.say(text, intent)
    assert "price.reason" not in player.answers


def test_what_is_said_about_later_questions_answers_them() -> None:
    player = car()
    said = player.say(
        "价格有点贵，期限还可以，服务很好", "dissatisfied",
        ("dissatisfied", "价格有点贵"), ("neutral", "期限还可以"), ("satisfied", "服务很好"),
    )  # fmt: skip
    assert "建议" in said
    assert (player.answers["price"], player.answers["term"], player.answers["service"]) == ("不满意", "一般", "很满意")


def test_everything_else_being_fine_does_not_soften_the_price() -> None:
    player = car()
    player.say("就是利率有点贵，别的还行", "dissatisfied", ("dissatisfied", "就是利率有点贵"), ("neutral", "别的还行"))
    assert player.answers["price"] == "不满意"


def test_a_count_given_with_the_verdict_is_not_asked_for() -> None:
    player = fruit()
    assert "什么样的坏果" in player.say("坏了三个，一共十二个", "inform")
    said = player.say("烂了", "inform")
    assert "17元" in said
    assert player.answers["compensation"] == {"bad": 3, "total": 12, "amount": 17}


def test_no_thanks_come_before_an_apology_for_spoiled_fruit() -> None:
    assert "感谢您的评价" not in fruit().say("有两个碰坏了，其他挺好", "satisfied")


def test_a_denial_of_spoiled_fruit_is_not_heard_as_one() -> None:
    assert "坏果" not in fruit().say("没有坏的，挺好", "satisfied")


def test_a_correction_supersedes_and_keeps_both() -> None:
    player = car()
    player.say("满意", "satisfied")
    said = player.say("刚才说错了，应该是一般", "correct")
    assert "改过来" in said and "贷款期限" in said
    stored = [(a.value, a.how) for a in player.effects_of(StoreAnswer) if a.question_id == "price"]
    assert stored[0][0] == "很满意" and stored[1] == ("一般", "corrected")
    assert any(note.kind == "correction" for note in player.effects_of(TakeNote))


def test_a_correction_that_names_its_subject_goes_to_that_question() -> None:
    player = car()
    player.say("满意", "satisfied")
    player.say("满意", "satisfied")
    player.say("刚才价格那个说错了，应该是一般", "correct")
    assert player.answers["price"] == "一般"
    assert player.answers["term"] == "很满意"


def test_a_correction_without_the_new_answer_asks_that_question_again() -> None:
    player = car()
    player.say("满意", "satisfied")
    assert "收费价格" in player.say("我刚才说错了", "correct")


def test_nothing_can_be_corrected_before_the_first_answer() -> None:
    player = Player("auto_loan_satisfaction")
    player.say("方便", "consent")
    assert "还没有可以修改" in player.say("刚才说错了", "correct")


def test_the_talk_is_completed_after_the_last_answer() -> None:
    player = car()
    for _ in range(3):
        player.say("满意", "satisfied")
    player.say("没有了", "nothing_to_add")
    assert player.state.outcome == Outcome.COMPLETED
    assert player.answers["suggestions"] == "无"


def test_the_same_closing_is_chosen_when_a_turn_is_repeated() -> None:
    def closing() -> str:
        player = Player("farm_product")
        for text, intent in [("是的", "consent"), ("可以", "consent"), ("不错", "satisfied"), ("没有", "deny"), ("不方便说", "skip")]:
            player.say(text, intent)
        return player.say("不想说", "skip")

    assert closing() == closing()


def test_no_talk_ends_because_a_reply_resembles_a_refusal_a_little() -> None:
    player = car()
    player.say("都做完了", "refuse", confidence=0.39)
    assert not player.state.over


def test_a_third_person_who_passes_it_on_is_thanked() -> None:
    player = Player("auto_loan_satisfaction")
    player.say("我是她儿子，她不在", "third_person")
    assert "非常感谢您" in player.say("好的，我转告她", "third_person")
