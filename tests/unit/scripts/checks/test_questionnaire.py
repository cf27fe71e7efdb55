"""Questionnaire design (8035c 问卷设计): reminders."""

from __future__ import annotations

from pathlib import Path

import pytest

from followup.scripts.check import check_all

MANY = "".join(f"- {{id: q{n}, type: yes_no, ask: 第{n}件事办好了吗？}}\n" for n in range(10))
ASK = "ask: 您对我们的服务是否满意？"


def test_no_reminder_is_an_error(check):
    found = check(MANY)
    assert found and not any(finding.is_error for finding in found)


def test_more_than_nine_questions_on_one_path(check, told):
    assert told(check(MANY), "提醒", "最多会问到10道题", "不超过9道", line=11)


def test_questions_on_different_paths_are_not_added_up(check):
    many = "".join(f"- {{id: a{n}, type: yes_no, ask: 甲事办好了吗？, ask_if: {{used: true}}}}\n" for n in range(5))
    many += "".join(f"- {{id: b{n}, type: yes_no, ask: 乙事办好了吗？, ask_if: {{used: false}}}}\n" for n in range(5))
    assert check("- {id: used, type: yes_no, ask: 您以前办过吗？}\n" + many) == []


def test_more_than_three_minutes(check, told):
    many = "".join(f"- {{id: q{n}, type: open, ask: {'请您谈一谈这方面的感受，' * 3}好吗？}}\n" for n in range(8))
    assert told(check(many), "提醒", "最长的一条路大约要3.", "不超过3分钟")


def test_a_promise_of_more_than_three_minutes(check, told):
    assert told(check(more="length: {minutes: 10}\n"), "提醒", "打算用10分钟", "minutes: 3", line=11)


def test_a_promise_that_will_not_be_kept(check, told):
    many = "".join(f"- {{id: q{n}, type: open, ask: 请您谈一谈第{n}个方面，好吗？}}\n" for n in range(6))
    found = check(many, more="length: {minutes: 1, questions: 4}\n")
    assert told(found, "提醒", "对客户说1分钟，最长大约要", "minutes: ")
    assert told(found, "提醒", "写的是4道题，最多会问到6道", "questions: 6")


@pytest.mark.parametrize("kind", ["phone", "address", "name", "date"])
def test_personal_questions_come_last(check, told, kind):
    ask = f"- {{id: who, type: {kind}, ask: 方便留一下吗？}}\n"
    other = "- {id: used, type: yes_no, ask: 您以前办过吗？}\n"
    assert told(check(ask + other), "提醒", "“who”问的是个人信息", "放到最后问", line=12)
    assert check(other + ask) == []


def test_open_questions_come_after_closed_ones(check, told):
    found = check("- {id: ideas, type: open, ask: 您有什么建议吗？}\n- {id: used, type: yes_no, ask: 您以前办过吗？}\n")
    assert told(found, "提醒", "开放题“ideas”在封闭题“used”前面", line=12)


def test_an_open_question_that_follows_up_a_closed_one_stays_beside_it(check):
    found = check(
        """\
        - {id: used, type: yes_no, ask: 您以前办过吗？}
        - {id: view, type: open, ask: 您觉得哪里不同？, ask_if: {used: true}}
        - {id: again, type: yes_no, ask: 您还会再来吗？}
        """
    )
    assert found == []


def test_two_questions_in_one(check, told):
    found = check(swap=(ASK, "ask: 您对服务是否满意？您还会再来吗？"))
    assert told(found, "提醒", "问了不止一个问题", "只问一件事", line=13)


@pytest.mark.parametrize(
    "ask",
    [
        "您对收费是否满意？如果有自己的看法，也欢迎您一起告诉我。",
        "您对收费是否满意？方便的话，能说说原因吗？",
        "是什么样的坏果呢？比如磕碰、软烂，还是发霉？",
    ],
)
def test_a_soft_addition_is_no_second_question(check, ask):
    assert check(swap=(ASK, f"ask: {ask}")) == []


@pytest.mark.parametrize("topics", ["价格和期限", "服务及人员", "速度、态度"])
def test_two_topics_in_one_scale(check, told, topics):
    assert told(check(swap=(ASK, f"ask: 您对我们的{topics}是否满意？")), "提醒", f"“{topics}”是两件事", "分成两道题")


@pytest.mark.parametrize(
    "ask",
    [
        "您是不是很满意我们的服务？",
        "您对我们的服务应该很满意吧？",
        "我们的服务不错吧？",
        "难道您不满意我们的服务？",
        "您一定会喜欢我们的服务，对吗？",
    ],
)
def test_leading_questions(check, told, ask):
    assert told(check(swap=(ASK, f"ask: {ask}")), "提醒", "带有诱导", "是否满意")


def test_a_scale_without_simpler_words(check, told):
    found = check(swap=("  on_unclear: 很满意、一般，还是不满意呢？\n", ""))
    assert told(found, "提醒", "“service”没有写 on_unclear", "on_unclear:", line=12)


def test_a_scale_without_department(check, told):
    assert told(check(swap=("  department: 客户服务部\n", "")), "提醒", "没有写 department", "department:")


def test_a_script_without_source(check, told):
    assert told(check(swap=("source: 样例资料第一段\n", "")), "提醒", "没有写出处", "source:")


def test_a_variable_nobody_uses(check, told):
    found = check(swap=("  company:", "  product: {label: 商品, demo: 苹果}\n  company:"))
    assert told(found, "提醒", "变量“product”没有用到", "{product}", line=7)


LONGER_BY_THE_DOCUMENT = {
    "workshop_service_satisfaction": "63714 风行汽车: three screening questions and ten items",
    "car_delivery_third_day": "63714 三日回访: announces five minutes",
    "satisfaction_survey_form": "63714 客户满意度调查统计表: the whole table",
    "decoration_satisfaction": "58741 第二篇: nine people and works, then supervision, changes and faults",
    "insurance_new_policy": "63714 主体话术: address, telephone, beneficiary and three signatures",
    "vip_card_event": "58741 活动售卡: five questions whose right answers are read back",
}
"""Scripts whose own document asks for more than the general rule allows."""


def test_the_shipped_scripts_keep_to_the_length_rules():
    """Catalogue D, length: at most three minutes, fewer than ten questions where it can be."""
    signs = ("一次谈话最多会问到", "最长的一条路", "打算用")
    told_lengths = [
        str(finding)
        for finding in check_all()
        if finding.message.startswith(signs) and Path(finding.file).stem not in LONGER_BY_THE_DOCUMENT
    ]
    assert told_lengths == []


def test_the_shipped_scripts_say_how_long_they_are():
    signs = ("对客户说", "写的是")
    assert [str(finding) for finding in check_all() if finding.message.startswith(signs)] == []
