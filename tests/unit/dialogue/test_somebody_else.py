"""Somebody else than the customer replies (63714 三日回访)."""

from __future__ import annotations

from followup.dialogue.effects import BookCallback, Outcome, TakeNote
from tests.unit.dialogue.player import Player

CAR = "car_delivery_third_day"


def test_neither_customer_nor_user_is_asked_when_the_customer_can_be_reached() -> None:
    player = Player(CAR)
    assert "是您在使用吗" in player.say("不是", "deny")
    assert "什么时候能联系到" in player.say("不是我在开", "deny")
    said = player.say("晚上七点吧", "propose_time")
    assert "非常感谢" in said and player.state.outcome == Outcome.APPOINTED
    (callback,) = player.effects_of(BookCallback)
    assert callback.reason == "third_person" and callback.at.hour == 19


def test_neither_of_them_and_no_help_either_ends_politely() -> None:
    player = Player(CAR)
    player.say("不是", "deny")
    player.say("不是", "deny")
    assert "再见" in player.say("不知道，别问我", "refuse")
    assert player.state.outcome == Outcome.WRONG_PERSON


def test_a_third_person_is_asked_whether_they_use_the_car() -> None:
    player = Player(CAR)
    assert "是您在使用吗" in player.say("我是他爱人", "third_person")
    player.say("是我在开", "consent")
    player.say("我叫李明", "inform")
    assert [note.topic for note in player.effects_of(TakeNote) if note.kind == "other_user"] == ["李明"]


def test_a_third_person_who_says_when_is_not_asked_about_the_car() -> None:
    player = Player(CAR)
    player.say("他不在，晚上七点打给他", "third_person")
    assert player.state.outcome == Outcome.APPOINTED


def test_a_wrong_number_is_not_asked_about_the_car() -> None:
    player = Player(CAR)
    assert "使用" not in player.say("你打错了，我不认识这个人", "wrong_person")
    assert player.state.outcome == Outcome.WRONG_PERSON


def test_who_asks_who_we_are_is_told_without_a_word_of_the_business() -> None:
    player = Player("hospital_after_surgery")
    said = player.say("我是她儿子，你哪位？", "third_person", ("third_person", "我是她儿子"), ("ask_who", "你哪位？"))
    assert "我是演示医院的智能助手" in said and "手术" not in said
    said = player.say("我怎么知道你是不是真的", "ask_source")
    assert "谨慎" in said and not player.state.over
    player.say("那也不行", "ask_source")
    assert player.state.outcome == Outcome.WRONG_PERSON


def test_the_time_somebody_else_names_is_said_back() -> None:
    player = Player("hospital_after_surgery")
    player.say("我是她儿子", "third_person")
    assert "今天（11月23日，周一）下午3点再联系她本人" in player.say("下午三点以后吧", "propose_time")


def test_a_time_given_after_the_doubts_is_kept() -> None:
    player = Player("hospital_after_surgery")
    player.say("我是她儿子", "third_person")
    player.say("不方便", "refuse")
    said = player.say("那你晚上七点以后再联系吧，她散步回来", "propose_time")
    assert "晚上7点" in said
    (callback,) = player.effects_of(BookCallback)
    assert callback.at is not None and callback.at.hour == 19 and not callback.confirmed
    assert player.state.outcome == Outcome.APPOINTED


def test_the_user_of_the_car_without_a_title_is_not_called_by_a_bare_surname() -> None:
    player = Player(CAR)
    player.say("不是", "deny")
    player.say("是我在开", "consent")
    player.say("姓何", "inform")
    player.say("明天上午十点再说", "propose_time")
    assert "何，" not in player.said and "您，那您" not in player.said
