from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.scripts.compute import COMPUTATIONS, compensation_by_share
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
