"""The test of two shares, against values of the textbooks."""

from __future__ import annotations

import pytest

from followup.campaigns.chance import Share, detectable, difference, drawn_as_set, p_value


def test_equal_shares_are_chance() -> None:
    assert p_value(Share(50, 100), Share(50, 100)) == pytest.approx(1)


def test_large_samples_are_tested_by_two_proportions() -> None:
    # z = (0.45 - 0.30) / sqrt(0.375 * 0.625 * 2 / 200) = 3.0984
    assert p_value(Share(60, 200), Share(90, 200)) == pytest.approx(0.00195, abs=2e-5)


def test_small_samples_are_tested_exactly() -> None:
    # Fisher's lady tasting tea: 3 of 4 against 1 of 4.
    assert p_value(Share(3, 4), Share(1, 4)) == pytest.approx(0.4857, abs=1e-4)
    assert p_value(Share(0, 10), Share(5, 10)) == pytest.approx(0.0325, abs=1e-4)


def test_which_side_is_named_first_does_not_matter() -> None:
    for a, b in ((Share(3, 40), Share(9, 60)), (Share(100, 300), Share(130, 300))):
        assert p_value(a, b) == pytest.approx(p_value(b, a))


def test_nothing_can_be_said_of_an_empty_side() -> None:
    assert p_value(Share(0, 0), Share(5, 9)) == 1
    assert Share(0, 0).rate is None


def test_everybody_or_nobody_on_both_sides_is_no_difference() -> None:
    assert p_value(Share(500, 500), Share(400, 400)) == pytest.approx(1)
    assert p_value(Share(0, 500), Share(0, 400)) == pytest.approx(1)


def test_the_true_difference_is_bounded_as_newcombe_did() -> None:
    # Newcombe 1998, example (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    low, high = difference(Share(48, 80), Share(56, 70))
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_more_customers_show_smaller_differences() -> None:
    few = detectable(Share(50, 100), Share(50, 100), 0.05)
    assert few == pytest.approx(2.8016 * 0.0707, abs=1e-3)
    assert detectable(Share(500, 1000), Share(500, 1000), 0.05) < few


def test_a_draw_that_cannot_have_come_of_its_share_is_noticed() -> None:
    assert drawn_as_set(500, 500, 0.5) and drawn_as_set(3, 0, 0.5) and drawn_as_set(0, 0, 0.5)
    assert not drawn_as_set(700, 300, 0.5)
