from __future__ import annotations

import pytest

from followup.scripts.load import load_script
from followup.scripts.model import Question, Script
from followup.scripts.walk import NOTHING, holds, next_question


def script(*questions: Question) -> Script:
    return Script("s", "样例", "demo", 1, {}, "您好！", "", questions, "", "", {}, {})


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ({}, {}, True),
        ({"used": True}, {"used": True}, True),
        ({"used": True}, {"used": False}, False),
        ({"used": False}, {}, False),
        ({"view": ["很满意", "一般"]}, {"view": "一般"}, True),
        ({"view": ["很满意", "一般"]}, {"view": "不满意"}, False),
        ({"view": "answered"}, {"view": "一般"}, True),
        ({"view": "answered"}, {"view": None}, False),
        ({"view": "answered"}, {"view": NOTHING}, False),
        ({"view": "answered"}, {}, False),
        ({"view": "skipped"}, {"view": None}, True),
        ({"view": "skipped"}, {"view": NOTHING}, True),
        ({"view": "skipped"}, {}, False),
        ({"view": "skipped"}, {"view": "一般"}, False),
        ({"amount.at_least_half": True}, {"amount": {"at_least_half": True}}, True),
        ({"amount.at_least_half": True}, {"amount": {"at_least_half": False}}, False),
        ({"amount.at_least_half": False}, {"amount": {}}, False),
        ({"amount.at_least_half": True}, {"amount": 3}, False),
        ({"source": "网络"}, {"source": ["朋友", "网络"]}, True),
        ({"source": ["报纸", "电视"]}, {"source": ["朋友", "网络"]}, False),
        ({"source": "answered"}, {"source": ["朋友"]}, True),
        ({"used": True, "view": "一般"}, {"used": True, "view": "很满意"}, False),
    ],
)
def test_a_condition_holds_when_every_entry_does(condition, values, expected):
    assert holds(condition, values) is expected


def test_questions_come_in_the_order_of_the_file():
    it = script(Question("a", "open"), Question("b", "open"))
    assert next_question(it, {}).id == "a"
    assert next_question(it, {"a": "好"}).id == "b"


def test_after_the_last_question_there_is_none():
    assert next_question(script(Question("a", "open")), {"a": "好"}) is None


def test_a_question_passed_without_an_answer_is_not_asked_again():
    assert next_question(script(Question("a", "open")), {"a": None}) is None


def test_a_question_whose_condition_does_not_hold_is_passed_by():
    it = script(Question("a", "yes_no"), Question("b", "open", ask_if={"a": True}), Question("c", "open"))
    assert next_question(it, {"a": False}).id == "c"
    assert next_question(it, {"a": True}).id == "b"


def test_a_question_answered_ahead_is_not_asked():
    it = script(Question("a", "open"), Question("b", "open"), Question("c", "open"))
    assert next_question(it, {"a": "好", "b": "早就说了"}).id == "c"


def test_what_only_talks_is_said_once():
    it = script(Question("hint", "tell"), Question("a", "open"))
    assert next_question(it, {}).id == "hint"
    assert next_question(it, {}, told=["hint"]).id == "a"


def test_fewer_than_half_spoiled_leads_to_the_compensation():
    values = {"product": "一般", "spoiled": True, "spoiled_kind": "烂了", "spoiled_amount": {"at_least_half": False}}
    assert next_question(load_script("fruit_order"), values).id == "compensation"


def test_half_spoiled_leads_to_the_customers_choice():
    values = {"product": "不满意", "spoiled": True, "spoiled_kind": "烂了", "spoiled_amount": {"at_least_half": True}}
    assert next_question(load_script("fruit_order"), values).id == "remedy"


def test_no_family_size_leads_to_the_customers_own_job():
    values = {"experience": "很满意", "suggestions": NOTHING, "family_size": None}
    assert next_question(load_script("farm_product"), values).id == "own_job"


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ({"reason": {"not": "车已经卖了"}}, {"reason": "太远"}, True),
        ({"reason": {"not": "车已经卖了"}}, {"reason": "车已经卖了"}, False),
        ({"reason": {"not": "车已经卖了"}}, {}, True),
        ({"reason": {"not": ["太远", "太贵"]}}, {"reason": "太贵"}, False),
        ({"spoiled": {"not": True}}, {}, True),
        ({"spoiled": {"not": True}}, {"spoiled": True}, False),
        ({"price": {"not": "answered"}}, {}, True),
        ({"attitude": {"not": "< 5"}}, {"attitude": 7}, True),
        ({"has_address": "answered"}, {"has_address": "上海市"}, True),
        ({"has_address": "answered"}, {"has_address": ""}, False),
        ({"has_address": "skipped"}, {"has_address": ""}, True),
    ],
)
def test_conditions_may_be_turned_round(condition: dict, values: dict, expected: bool) -> None:
    assert holds(condition, values) is expected
