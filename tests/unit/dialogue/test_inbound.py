"""A talk that the customer begins: listened to, answered, taken down; nothing about anybody is told."""

from __future__ import annotations

from datetime import datetime

import pytest

from followup.dialogue import state as st
from followup.dialogue.effects import (
    BookCallback,
    IdentifyCustomer,
    Outcome,
    RaiseTicket,
    Reopen,
    StopContact,
    TakeNote,
)
from followup.dialogue.hear import hear
from followup.dialogue.reply import Act, Reply
from followup.dialogue.turn import Turn, Verdict
from followup.settings import SHANGHAI
from tests.unit.dialogue.player import Player

FRIDAY_NIGHT = datetime(2026, 11, 27, 20, 30, tzinfo=SHANGHAI)


@pytest.fixture
def visitor() -> Player:
    return Player("inbound_enquiry")


def departments(player: Player) -> list[tuple[str, str]]:
    return [(ticket.topic, ticket.department) for ticket in player.effects_of(RaiseTicket)]


def test_the_bot_says_who_it_is_and_gives_the_word_to_the_customer(visitor):
    assert "智能助手" in visitor.said and "不是真人" in visitor.said and "有什么可以帮您" in visitor.said
    assert "方便" not in visitor.said
    assert visitor.state.open == st.LISTENING


def test_a_fault_is_apologised_for_passed_on_and_a_number_asked_for(visitor):
    said = visitor.say("你好，我买的梨坏了", "greet", ("greet", "你好"), ("inform", "我买的梨坏了"))
    assert "售后部" in said and "两个工作日" in said and "手机号" in said
    assert departments(visitor) == [("quality", "售后部")]


def test_a_fault_in_traditional_characters_is_the_same_fault(visitor):
    visitor.say("我買的梨壞掉了", "greet", confidence=0.4)
    assert departments(visitor) == [("quality", "售后部")]


def test_what_is_denied_is_no_fault(visitor):
    visitor.say("梨没坏，挺好的", "satisfied")
    assert visitor.effects_of(RaiseTicket) == []


def test_two_faults_in_one_reply_go_to_two_departments(visitor):
    said = visitor.say("箱子破了，而且客服态度很差", "dissatisfied")
    assert departments(visitor) == [("quality", "售后部"), ("staff", "客户服务部")]
    assert "售后部和客户服务部" in said


def test_a_second_fault_is_not_apologised_for_in_the_same_words_nor_the_number_asked_again(visitor):
    visitor.say("梨坏了", "dissatisfied")
    visitor.say("不方便", "busy")
    said = visitor.say("你们发货也太慢了", "dissatisfied")
    assert "一并记下" in said and "手机号" not in said


def test_a_bare_complaint_is_asked_what_happened_and_stands_as_a_ticket_already(visitor):
    assert "说一说" in visitor.say("我要投诉", "complain")
    assert departments(visitor) == [("concern", "客户服务部")]
    said = visitor.say("箱子送来就破了", "dissatisfied")
    assert "售后部" in said
    assert departments(visitor)[-1] == ("concern", "售后部")


def test_who_complains_ends_as_a_complaint(visitor):
    visitor.say("我要投诉你们扣错我的钱", "complain")
    visitor.say("不方便", "busy")
    visitor.say("没有了", "nothing_to_add")
    assert visitor.state.outcome == Outcome.COMPLAINED


def test_a_known_question_is_answered_and_no_number_asked_for(visitor):
    said = visitor.say("梨怎么吃", "faq/eat_pear")
    assert "酥软" in said and "手机号" not in said
    assert "再见" in visitor.say("谢谢", "thank")
    assert visitor.state.outcome == Outcome.COMPLETED


def test_an_unknown_question_is_taken_down_and_never_guessed(visitor):
    said = visitor.say("你们有没有实体店", "faq/other")
    assert "不能随意答复" in said and "手机号" in said
    assert [note.kind for note in visitor.effects_of(TakeNote)] == ["colleague_question"]
    assert departments(visitor) == [("question", "客户服务部")]


def test_a_number_given_with_the_matter_is_not_asked_for_again(visitor):
    said = visitor.say("梨坏了，我电话13812345678", "dissatisfied")
    assert "13812345678" in said and "怎么称呼" in said
    assert visitor.effects_of(IdentifyCustomer) == [IdentifyCustomer(phone="13812345678")]


def test_who_came_by_a_link_is_not_asked_for_a_number():
    player = Player("inbound_enquiry", given={"known": "yes"})
    assert "手机号" not in player.say("梨坏了", "dissatisfied")


def test_in_hours_a_person_takes_over_once_a_number_is_left_or_refused(visitor):
    assert "手机号" in visitor.say("转人工", "request_human")
    assert "请您稍等" in visitor.say("不方便", "busy")
    assert visitor.state.outcome == Outcome.HANDED_OVER


def test_who_insists_on_a_person_is_asked_nothing_more(visitor):
    visitor.say("转人工", "request_human")
    assert "请您稍等" in visitor.say("转人工", "request_human")
    assert visitor.state.outcome == Outcome.HANDED_OVER


def test_out_of_hours_the_call_is_booked_for_a_time_when_colleagues_work():
    player = Player("inbound_enquiry", now=FRIDAY_NIGHT)
    assert "下班" in player.say("转人工", "request_human")
    player.say("明天上午十点", "propose_time")
    player.say("13812345678", "inform")
    assert "11月30日" in player.say("我姓李", "inform")
    assert [booked.at.day for booked in player.effects_of(BookCallback)] == [30]
    assert player.state.outcome == Outcome.HANDED_OVER  # a colleague calls; the bot must not take the talk up again


def test_out_of_hours_who_insists_is_called_back_without_a_time():
    player = Player("inbound_enquiry", now=FRIDAY_NIGHT)
    player.say("转人工", "request_human")
    player.say("转人工", "request_human")
    assert player.state.outcome == Outcome.HANDED_OVER
    assert [booked.at for booked in player.effects_of(BookCallback)] == [None]


def test_an_opt_out_holds_for_the_visitor_at_once_and_for_the_number_when_it_is_known(visitor):
    assert "哪个手机号" in visitor.say("别再联系我", "do_not_contact")
    assert visitor.effects_of(StopContact) == [StopContact("别再联系我")]
    assert "登记免打扰" in visitor.say("13812345678", "inform")
    kinds = [type(effect) for effect in visitor.effects]
    assert kinds.index(IdentifyCustomer) < len(kinds) - 1 - kinds[::-1].index(StopContact)
    assert visitor.state.outcome == Outcome.DO_NOT_CONTACT


def test_an_opt_out_with_a_number_given_before_ends_at_once(visitor):
    visitor.say("梨坏了，电话13812345678", "dissatisfied")
    visitor.say("以后别联系我", "do_not_contact")
    assert visitor.state.outcome == Outcome.DO_NOT_CONTACT


def test_only_announcing_a_question_is_answered_with_an_ear(visitor):
    said = visitor.say("我想咨询一下", "wait")
    assert "先忙" not in said and "？" not in said


def test_what_is_told_without_a_fault_is_kept_and_the_wish_asked_for(visitor):
    assert "有什么可以帮您" in visitor.say("我上周买了一箱红啤梨", "inform")
    assert visitor.effects_of(TakeNote) == [TakeNote("enquiry", "我上周买了一箱红啤梨")]


def test_off_topic_is_declined_a_few_times_and_then_the_talk_ends(visitor):
    for _ in range(5):
        assert not visitor.state.over
        visitor.say("今天天气怎么样", "out_of_scope")
    assert visitor.state.outcome == Outcome.ENDED_EARLY


def test_what_is_never_understood_is_taken_down_and_then_left(visitor):
    for _ in range(3):
        said = visitor.say("呜啦啦", "")
    assert "手机号" in said and departments(visitor) == [("question", "客户服务部")]
    visitor.say("不方便", "busy")
    for _ in range(3):
        visitor.say("呜啦啦", "")
    assert visitor.state.outcome == Outcome.ENDED_EARLY


def test_a_bare_ok_is_left_in_peace_and_the_second_one_ends(visitor):
    visitor.say("梨怎么吃", "faq/eat_pear")
    assert "？" not in visitor.say("好的", "consent")
    visitor.say("好的", "consent")
    assert visitor.state.outcome == Outcome.COMPLETED


def test_silence_puts_the_talk_down_and_calls_nobody(visitor):
    visitor.say("梨坏了", "dissatisfied")
    visitor.silence()
    visitor.silence()
    assert visitor.state.outcome == Outcome.ENDED_EARLY
    assert visitor.effects_of(BookCallback) == []


def test_after_the_end_thanks_are_returned_and_a_new_matter_opens_the_talk(visitor):
    visitor.say("梨怎么吃", "faq/eat_pear")
    visitor.say("没有了", "nothing_to_add")
    assert "？" not in visitor.say("谢谢", "thank")
    assert visitor.state.over
    assert "售后部" in visitor.say("对了，苹果烂了好几个", "dissatisfied")
    assert visitor.effects_of(Reopen) and not visitor.state.over


def test_a_time_agreed_does_not_end_the_talk_before_the_number_is_asked_for():
    player = Player("inbound_enquiry", now=FRIDAY_NIGHT)
    player.say("转人工", "request_human")
    act = Act("propose_time", 0.95, "明天上午十点")
    turn = Turn(player.script, player.state, Reply(act.text, act.intent, 0.95, (act,), FRIDAY_NIGHT, 9))
    assert hear(turn) is Verdict.GO_ON  # what the form goes by, whatever the state says
    assert player.state.question_id == "phone"
