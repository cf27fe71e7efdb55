"""Endings by an answer, tickets for some answers, comparisons, landlines, other users, computed shares."""

from __future__ import annotations

from datetime import datetime

import pytest

from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, SetOutcome, StoreAnswer, TakeNote
from followup.scripts.model import Script
from followup.settings import SHANGHAI
from tests.unit.dialogue.player import Player, script_of

IDEAS = "- {id: ideas, type: open, ask: 您有什么建议吗？}\n"


def agreed(script: Script, **given: object) -> Player:
    """A talk whose customer has said that now is convenient."""
    player = Player(script, given=dict(given))
    player.say("方便", "consent")
    return player


# —— endings by an answer —————————————————————————————————————————————

DROVE = """\
- id: drove
  type: yes_no
  ask: 请问是您本人开车来的吗？
  optional: true
  ends:
    "false": {outcome: wrong_person, say: 好的，那我就不多问了，抱歉打扰您。}
    skipped: {outcome: ended_early}
"""


def test_an_answer_ends_the_talk_with_its_own_words() -> None:
    player = agreed(script_of(DROVE + IDEAS))
    assert player.say("不是", "deny") == "好的，那我就不多问了，抱歉打扰您。"
    assert player.state.outcome == Outcome.WRONG_PERSON
    assert player.answers == {"drove": False}


def test_another_answer_goes_on() -> None:
    player = agreed(script_of(DROVE + IDEAS))
    assert "您有什么建议吗" in player.say("是的", "affirm")
    assert not player.state.over


def test_passing_a_question_may_end_the_talk_with_the_usual_closing() -> None:
    player = agreed(script_of(DROVE + IDEAS))
    said = player.say("不方便透露", "skip")
    assert player.state.outcome == Outcome.ENDED_EARLY
    assert "今天先聊到这里" in said and "？" not in said


def test_any_answer_may_end_the_talk_and_is_read_back() -> None:
    end = '- {id: who, type: name, ask: 请问您怎么称呼？, ends: {answered: {outcome: completed, say: "谢谢{answer}，再见！"}}}\n'
    player = agreed(script_of(end + IDEAS))
    assert player.say("李明", "inform") == "谢谢李明，再见！"
    assert player.state.outcome == Outcome.COMPLETED


def test_nothing_to_say_counts_as_passed() -> None:
    end = "- {id: ideas, type: open, ask: 您有什么建议吗？, ends: {skipped: {outcome: completed, say: 好的，再见！}}}\n"
    player = agreed(script_of(end + IDEAS.replace("ideas", "more")))
    assert player.say("没有了", "nothing_to_add") == "好的，再见！"


COMPLAINT = "我要投诉你们把车刮花了"


def test_a_complaint_in_an_ending_answer_is_heard_out() -> None:
    player = agreed(script_of(DROVE + IDEAS))
    player.say(f"不是，{COMPLAINT}", "complain", ("deny", "不是"), ("complain", COMPLAINT))
    assert [ticket.kind for ticket in player.effects_of(RaiseTicket)] == ["complaint"]
    assert [effect.outcome for effect in player.effects_of(SetOutcome)] == [Outcome.COMPLAINED]


def test_a_complaint_with_the_last_answer_is_heard_out_too() -> None:
    player = agreed(script_of("- {id: drove, type: yes_no, ask: 请问是您本人开车来的吗？}\n"))
    player.say(f"是的，{COMPLAINT}", "complain", ("affirm", "是的"), ("complain", COMPLAINT))
    assert player.state.outcome == Outcome.COMPLAINED and player.answers == {"drove": True}


# —— tickets ——————————————————————————————————————————————————————————

SIGNED = """\
- id: signed
  type: yes_no
  ask: 请问投保单是您亲笔签名的吗？
  ticket: {kind: request, department: 保全部, severity: 2, if: [false]}
"""


def test_a_ticket_only_for_the_answer_it_names() -> None:
    player = agreed(script_of(SIGNED + IDEAS))
    player.say("不是我签的", "deny")
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.kind, ticket.department, ticket.severity) == ("signed", "request", "保全部", 2)
    assert (ticket.reason, ticket.data) == ("不是我签的", {"answer": False})


def test_no_ticket_for_other_answers() -> None:
    player = agreed(script_of(SIGNED + IDEAS))
    player.say("是的", "affirm")
    assert player.effects_of(RaiseTicket) == []


def test_a_ticket_without_condition_is_for_every_answer() -> None:
    player = agreed(script_of(SIGNED.replace(", if: [false]", "") + IDEAS))
    player.say("是的", "affirm")
    assert [ticket.topic for ticket in player.effects_of(RaiseTicket)] == ["signed"]


def test_an_answer_may_be_probed_and_have_its_own_ticket() -> None:
    rating = "- {id: rating, type: score, ask: 您打几分？, probe_if: ['< 5'], ticket: {kind: complaint, department: 客户关系部, if: ['< 3']}}\n"
    player = agreed(script_of(rating + IDEAS))
    assert "哪方面" in player.say("2分", "give_score")
    assert [ticket.kind for ticket in player.effects_of(RaiseTicket)] == ["complaint", "dissatisfaction"]


def test_what_is_only_told_may_raise_a_ticket_too() -> None:
    step = "- {id: promise, type: tell, say: 我请同事联系您。, ask_if: {drove: true}, ticket: {kind: request, department: 前台}}\n"
    player = agreed(script_of(DROVE + step + IDEAS))
    player.say("是的，是我", "affirm")
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.topic, ticket.department, ticket.reason) == ("promise", "前台", "是的，是我")


# —— conditions ————————————————————————————————————————————————————————

NOTICE = '- {id: notice, type: yes_no, ask: 请问投保提示书是您签的吗？, ask_if: {policy_date: ">= 2007-07-09"}}\n'


@pytest.mark.parametrize(("date", "asked"), [("2007-07-09", True), ("2010-01-01", True), ("2007-07-08", False)])
def test_a_question_only_from_a_date_on(date: str, asked: bool) -> None:
    player = agreed(script_of(NOTICE + IDEAS), policy_date=date)
    assert ("投保提示书" in player.said) is asked


ANY_OF = """\
- {id: rating, type: score, ask: 您打几分？}
- {id: used, type: yes_no, ask: 您以前办过吗？}
- {id: why, type: open, ask: 能细说一下吗？, ask_if: [{rating: "<= 4"}, {used: false}]}
- {id: ideas, type: open, ask: 您有什么建议吗？}
"""


@pytest.mark.parametrize(
    ("score", "used", "intent", "asked"),
    [("3分", "办过", "affirm", True), ("9分", "没有", "deny", True), ("9分", "是的", "affirm", False)],
)
def test_one_of_several_conditions_is_enough(score: str, used: str, intent: str, asked: bool) -> None:
    player = agreed(script_of(ANY_OF))
    player.say(score, "give_score")
    assert ("能细说一下吗" in player.say(used, intent)) is asked


# —— consent on a landline, another user ————————————————————————————————————

LANDLINE = "consent: {landline: true}\n"


def test_a_landline_with_its_number_is_taken_at_once() -> None:
    player = Player(script_of(IDEAS, LANDLINE))
    said = player.say("打我座机吧，021-65432100", "call_later")
    assert "021" in said and "65432100" in said and "？" not in said
    assert player.state.outcome == Outcome.HANDED_OVER
    (ticket,) = player.effects_of(RaiseTicket)
    assert "65432100" in str(ticket.data["phone"])
    assert [note.kind for note in player.effects_of(TakeNote)] == ["landline"]
    assert [callback.reason for callback in player.effects_of(BookCallback)] == ["landline"]


def test_a_landline_without_number_is_asked_for_it() -> None:
    player = Player(script_of(IDEAS, LANDLINE))
    assert player.say("你打我办公室电话吧", "call_later") == "好的，请问您的固定电话号码是多少？"
    said = player.say("02165432100", "inform")
    assert "65432100" in said and player.state.outcome == Outcome.HANDED_OVER


def test_a_landline_number_that_is_not_given_after_all() -> None:
    player = Player(script_of(IDEAS, LANDLINE))
    player.say("打我座机吧", "call_later")
    assert "什么时间方便" in player.say("算了，不用了", "deny")
    assert not player.effects_of(RaiseTicket)


def test_without_that_consent_a_landline_is_a_wish_for_another_time() -> None:
    player = Player(script_of(IDEAS))
    assert "固定电话号码" not in player.say("你打我座机吧", "call_later")


OTHER_USER = """\
identity: {ask: "请问是{customer}{title}吗？", other_user: "请问{plate}这款车是您在使用吗？"}
"""


def test_somebody_else_who_uses_the_car_is_recorded_and_asked() -> None:
    player = Player(script_of(IDEAS, OTHER_USER))
    assert "请问沪A00000这款车是您在使用吗" in player.say("不是", "deny")
    assert "怎么称呼" in player.say("是我在开", "affirm")
    said = player.say("李明", "inform")
    assert "您现在方便吗" in said
    (note,) = player.effects_of(TakeNote)
    assert (note.kind, note.topic) == ("other_user", "李明")
    assert "您有什么建议吗" in player.say("方便", "consent")


def test_somebody_else_who_does_not_use_the_car_is_left_in_peace() -> None:
    player = Player(script_of(IDEAS, OTHER_USER))
    player.say("打错了", "wrong_person")
    said = player.say("不是", "deny")
    assert player.state.outcome == Outcome.WRONG_PERSON and "？" not in said


# —— messages apart, answers read back ————————————————————————————————————————


def test_an_accompanying_message_stands_apart() -> None:
    text = "- {id: text, type: tell, apart: true, say: '【{company}】感谢您选择我们。'}\n"
    player = agreed(script_of(DROVE + text + IDEAS))
    player.say("是的", "affirm")
    assert len(player.parts) == 3 and player.parts[1] == "【演示公司】感谢您选择我们。"
    assert "您有什么建议吗" in player.parts[2]


def test_an_accompanying_message_stands_apart_from_the_closing_too() -> None:
    text = "- {id: text, type: tell, apart: true, say: 这是随后的短信。}\n"
    player = agreed(script_of(IDEAS + text))
    player.say("没有了", "nothing_to_add")
    assert player.state.outcome == Outcome.COMPLETED
    assert player.parts[-2] == "这是随后的短信。" and "再见" in player.parts[-1]


def test_what_is_told_belongs_to_the_message_otherwise() -> None:
    player = agreed(script_of("- {id: hint, type: tell, say: 顺便说一句。}\n" + IDEAS))
    assert player.parts == ["顺便说一句。您有什么建议吗？"]


VISIT = '- {id: visit, type: datetime, ask: 您哪天方便过来呢？, acknowledge: {answered: ["好的，{answer}，我们等您。"]}}\n'


@pytest.mark.parametrize(
    ("words", "spoken"),
    [
        ("明天下午三点", "好的，明天（11月24日，周二）下午3点，我们等您。"),
        ("周五上午吧", "好的，周五上午，我们等您。"),
    ],
)
def test_a_time_is_read_back_in_plain_words(words: str, spoken: str) -> None:
    player = agreed(script_of(VISIT + IDEAS))
    assert player.say(words, "propose_time").startswith(spoken)


# —— probing ——————————————————————————————————————————————————————————

SERVICE = "- {id: service, type: scale3, ask: 您对服务满意吗？, department: 客服部, %s}\n"


def test_only_the_reason_is_asked_where_the_script_says_so() -> None:
    player = agreed(script_of(SERVICE % "probes: [reason]" + IDEAS))
    assert "哪方面" in player.say("不满意", "dissatisfied")
    said = player.say("等了一个小时", "inform")
    assert "改善" not in said and "您有什么建议吗" in said
    assert player.answers["service.reason"] == "等了一个小时"


def test_reason_and_improvement_are_asked_otherwise() -> None:
    player = agreed(script_of(SERVICE % "required: true" + IDEAS))
    player.say("不满意", "dissatisfied")
    assert "改善" in player.say("等了一个小时", "inform")


def test_an_apology_and_a_ticket_without_any_question() -> None:
    player = agreed(script_of(SERVICE % "probes: []" + IDEAS))
    said = player.say("不满意", "dissatisfied")
    assert "您有什么建议吗" in said and "哪方面" not in said
    assert [ticket.kind for ticket in player.effects_of(RaiseTicket)] == ["dissatisfaction"]


def test_a_low_score_is_probed_and_a_high_one_is_not() -> None:
    rating = "- {id: rating, type: score, ask: 您打几分？, probe_if: ['< 5']}\n"
    assert "哪方面" in agreed(script_of(rating + IDEAS)).say("4分", "give_score")
    assert "您有什么建议吗" in agreed(script_of(rating + IDEAS)).say("5分", "give_score")


# —— computed shares ————————————————————————————————————————————————————————

SHARES = """\
- {id: greeted, type: yes_no, ask: 有人接待您吗？}
- {id: explained, type: yes_no, ask: 向您说明费用了吗？}
- {id: attitude, type: score, ask: 态度您打几分？}
- {id: speed, type: score, ask: 速度您打几分？}
- {id: done, type: compute, compute: yes_share, of: [greeted, explained]}
- {id: liked, type: compute, compute: score_share, of: [attitude, speed], say: "{items}项得分率{percent}%。"}
- {id: thanks, type: tell, say: 分数不错。, ask_if: {liked.percent: ">= 85"}}
"""


def test_the_shares_are_kept_as_answers_and_said_where_the_script_says_them() -> None:
    player = agreed(script_of(SHARES))
    for words, intent in (("有的", "affirm"), ("没有", "deny"), ("9分", "give_score")):
        player.say(words, intent)
    said = player.say("8分", "give_score")
    assert player.answers["done"] == {"percent": 50, "items": 2, "skipped": 0}
    assert player.answers["liked"] == {"percent": 85, "items": 2, "skipped": 0}
    assert "2项得分率85%。分数不错。" in said
    computed = {answer.question_id: answer for answer in player.effects_of(StoreAnswer)}
    assert (computed["done"].how, computed["done"].text) == ("compute:yes_share", "有的；没有")


def test_what_was_not_answered_does_not_count() -> None:
    player = agreed(script_of(SHARES))
    for words, intent in (("有的", "affirm"), ("跳过", "skip"), ("跳过", "skip"), ("跳过", "skip")):
        player.say(words, intent)
    assert player.answers["done"] == {"percent": 100, "items": 1, "skipped": 1}
    assert "liked" not in player.answers and player.state.outcome == Outcome.COMPLETED


# —— greetings of the day ——————————————————————————————————————————————————

OF_TODAY = 'opening: "{greeting}，请问您现在方便吗？"\nclosing: {completed: "{care}祝您{wish}，再见！"}\n'


@pytest.mark.parametrize(
    ("at", "greeting", "closing"),
    [
        (datetime(2026, 10, 23, 9, 30), "上午好", "秋天天气干燥，提醒您多喝水、多吃水果，注意保养身体。祝您工作顺利，再见！"),
        (datetime(2026, 7, 18, 15, 0), "下午好", "天气炎热，请您注意防暑，多喝水。祝您周末愉快，再见！"),
        (datetime(2026, 10, 1, 19, 0), "国庆节快乐", "祝您节日愉快，再见！"),
        (datetime(2026, 4, 5, 15, 0), "下午好", "祝您平安健康，再见！"),
    ],
)
def test_the_words_of_the_day(at: datetime, greeting: str, closing: str) -> None:
    player = Player(script_of(IDEAS, OF_TODAY), now=at.replace(tzinfo=SHANGHAI))
    assert player.said == f"{greeting}，请问您现在方便吗？"
    player.say("方便", "consent")
    assert player.say("没有了", "nothing_to_add").endswith(closing)


def test_a_trade_may_have_a_caring_word_of_its_own() -> None:
    own = OF_TODAY + "wording: {care: {winter: 冬天护眼，少看手机。}}\n"
    player = agreed(script_of(IDEAS, own))
    assert "冬天护眼，少看手机。" in player.say("没有了", "nothing_to_add")


def test_the_weather_is_spoken_of_where_it_is_known() -> None:
    player = agreed(script_of(IDEAS, OF_TODAY), weather="雨")
    assert "今天有雨，您出门记得带伞" in player.say("没有了", "nothing_to_add")


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (datetime(2026, 9, 30, 10), Outcome.HANDED_OVER),
        (datetime(2026, 10, 1, 10), None),  # a Thursday, but National Day
        (datetime(2026, 10, 10, 10), Outcome.HANDED_OVER),  # a Saturday worked in exchange
    ],
)
def test_nobody_is_handed_over_on_a_public_holiday(at: datetime, outcome: Outcome | None) -> None:
    player = Player(script_of(IDEAS), now=at.replace(tzinfo=SHANGHAI))
    player.say("转人工", "request_human")
    assert (player.state.outcome or None) == outcome


# —— an opinion compared with the one before ————————————————————————————————————————

COMPARED = """\
- {id: service, type: scale3, ask: 您对处理满意吗？, probes: []}
- {id: comparison, type: compute, compute: score_change, of: [service], before: first_score, say: "上次{first}，这次{second}。"}
- id: worse
  type: tell
  say: 我会请经理过问。
  ask_if: {comparison.direction: worse, service: [一般, 不满意]}
  ticket: {topic: comparison, department: 经理, severity: 2}
"""
def compared(first: str) -> Player:
    return agreed(script_of(COMPARED + IDEAS), first_score=first)


def test_a_worse_opinion_goes_to_the_manager_with_both() -> None:
    player = compared("很满意")
    said = player.say("一般般", "neutral")
    assert "上次很满意，这次一般。" in said and "我会请经理过问" in said
    (ticket,) = player.effects_of(RaiseTicket)
    assert (ticket.department, ticket.reason) == ("经理", "一般般")
    assert ticket.data == {"first": "很满意", "second": "一般", "change": -1, "direction": "worse"}
    assert player.answers["comparison"] == ticket.data


def test_without_an_opinion_before_nothing_is_said_of_it_and_the_second_is_kept() -> None:
    player = compared("")
    assert "上次" not in player.say("很满意", "satisfied")
    assert player.answers["comparison"] == {"first": None, "second": "很满意", "change": None, "direction": "unknown"}


def test_an_answer_changed_later_changes_what_was_computed_from_it() -> None:
    player = compared("很满意")
    player.say("很满意", "satisfied")
    player.say("刚才说错了，应该是一般", "correct")
    assert player.answers["comparison"] == {"first": "很满意", "second": "一般", "change": -1, "direction": "worse"}
    assert "我会请经理过问" in player.say("没有了", "nothing_to_add")
