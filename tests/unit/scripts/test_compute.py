from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.scripts.compute import COMPUTATIONS, compensation_by_share, score_change, score_share, yes_share
from followup.scripts.load import load_script

BOX = {"box_price": 68, "box_count": 12}


QUESTION = load_script("fruit_order").question("compensation")


def compensation(amount, variables=BOX):
    return compensation_by_share(QUESTION, {"spoiled_amount": amount}, variables)


def test_the_spoiled_fruits_share_of_the_price_is_paid():
    assert compensation({"bad": 3, "total": 12}) == {"bad": 3, "total": 12, "amount": 17}


def test_the_customers_own_count_goes_before_the_orders():
    assert compensation({"bad": 3, "total": 10})["amount"] == 20.4


def test_the_orders_count_is_used_when_the_customer_gives_none():
    assert compensation({"bad": 3})["amount"] == 17


def test_a_share_without_a_number_is_enough():
    assert compensation({"ratio": 0.25}) == {"bad": 3, "total": 12, "amount": 17}


def test_cents_are_rounded_half_up():
    assert compensation({"bad": 1, "total": 8}, {"box_price": "0.2", "box_count": 8})["amount"] == 0.03


def test_prices_from_a_table_may_be_text():
    assert compensation({"bad": 3}, {"box_price": "68.00", "box_count": "12"})["amount"] == 17


@pytest.mark.parametrize(
    ("amount", "variables"),
    [
        (None, BOX),
        ({}, BOX),
        ({"bad": 3}, {"box_price": 68}),
        ({"bad": 3}, {"box_count": 12}),
        ({"bad": 3}, {"box_price": "面议", "box_count": 12}),
        ({"bad": 3}, {"box_price": 68, "box_count": 0}),
        ({"bad": None, "ratio": None}, BOX),
    ],
)
def test_without_the_figures_nothing_is_promised(amount, variables):
    assert compensation(amount, variables) is None


@settings(deadline=None)
@given(bad=st.integers(1, 500), good=st.integers(0, 500), cents=st.integers(0, 1_000_000))
def test_never_more_than_the_price_never_less_than_nothing(bad, good, cents):
    total = bad + good
    result = compensation({"bad": bad, "total": total or None}, {"box_price": cents / 100, "box_count": total})
    if total == 0:
        assert result is None
    else:
        assert 0 <= result["amount"] <= cents / 100


def test_the_script_names_a_computation_that_exists():
    assert QUESTION.compute in COMPUTATIONS


def test_no_spoiled_fruit_is_no_compensation():
    assert compensation({"bad": 0, "total": 12}, {"box_price": 68, "box_count": 12}) is None


# —— shares ————————————————————————————————————————————————————————————————

WORKSHOP = load_script("workshop_service_satisfaction")
CARRIED_OUT = WORKSHOP.question("carried_out_rate")
SATISFACTION = WORKSHOP.question("satisfaction_rate")


def test_the_rates_are_made_of_the_items_the_document_marks():
    """63714: 2.1, 2.5, 2.8, 2.9 are marked 落实度; 2.2-2.4, 2.6, 2.7, 2.10 满意度."""
    numbered = [q.id for q in WORKSHOP.questions if q.type in ("yes_no", "score")][1:]  # without 1.2
    kinds = {number + 1: name for number, name in enumerate(numbered)}
    assert [kinds[n] for n in (1, 5, 8, 9)] == list(CARRIED_OUT.of)
    assert [kinds[n] for n in (2, 3, 4, 6, 7, 10)] == list(SATISFACTION.of)


def test_three_of_four_carried_out_are_75_percent():
    values = {"invited": True, "refreshments": False, "done_at_once": True, "parts": True}
    assert yes_share(CARRIED_OUT, values, {}) == {"percent": 75, "items": 4, "skipped": 0}


def test_a_passed_item_lowers_no_rate_and_is_counted():
    values = {"invited": True, "refreshments": None, "done_at_once": True, "parts": False}
    assert yes_share(CARRIED_OUT, values, {}) == {"percent": 66.7, "items": 3, "skipped": 1}
    assert score_share(SATISFACTION, {"reception": 9, "attention": None}, {}) == {"percent": 90, "items": 1, "skipped": 1}


def test_an_item_that_was_never_asked_is_not_counted_as_passed():
    assert yes_share(CARRIED_OUT, {"invited": False}, {}) == {"percent": 0, "items": 1, "skipped": 0}


def test_without_any_answer_there_is_no_rate():
    assert yes_share(CARRIED_OUT, {"invited": None}, {}) is None
    assert score_share(SATISFACTION, {}, {}) is None


def test_the_mean_of_the_scores_in_percent_of_ten():
    values = dict(zip(SATISFACTION.of, (9, 8, 10, 7, 9, 6), strict=True))
    assert score_share(SATISFACTION, values, {})["percent"] == 81.7


def test_true_is_no_score():
    assert score_share(SATISFACTION, {"reception": True}, {}) is None


# —— compared with before ——————————————————————————————————————————————————

COMPARISON = load_script("after_service_satisfaction").question("comparison")


def change(first, second):
    return score_change(COMPARISON, {"satisfaction": second}, {"first_score": first})


@pytest.mark.parametrize(
    ("first", "second", "steps", "direction"),
    [
        ("不满意", "很满意", 2, "better"),
        ("不满意", "一般", 1, "better"),
        ("一般", "一般", 0, "same"),
        ("不满意", "不满意", 0, "same"),
        ("满意", "很满意", 0, "same"),  # 很满意 is the best of three: 满意 was no less
        ("非常满意", "一般", -1, "worse"),
        ("很满意", "不满意", -2, "worse"),
        ("非常不满意", "不满意", 0, "same"),
        ("满意", "非常满意", 1, "better"),  # five steps
        (6, 8, 2, "better"),
        ("8分", 7.5, -0.5, "worse"),  # from a table
    ],
)
def test_the_second_opinion_is_held_against_the_first(first, second, steps, direction):
    assert change(first, second) == {"first": first, "second": second, "change": steps, "direction": direction}


@pytest.mark.parametrize("first", ["", None, "还行", 7, True])
def test_without_a_first_opinion_of_the_same_kind_nothing_is_compared(first):
    assert change(first, "一般") == {"first": None, "second": "一般", "change": None, "direction": "unknown"}


def test_a_word_before_and_a_score_now_are_not_compared():
    assert change("满意", 9)["direction"] == "unknown"


def test_without_a_second_opinion_there_is_no_result():
    assert change("一般", None) is None
