"""Shares, means and rates out of counts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from followup.console.figures.results import chosen, mean, others, rate, scores_of, share


@pytest.mark.parametrize(("part", "whole", "shown"), [(1, 8, 12.5), (2, 3, None), (0, 0, None), (4, 4, None), (5, 5, 100), (0, 5, 0), (1, 2000, 0.1)])
def test_shares_are_of_five_or_more_and_rounded_half_up(part: int, whole: int, shown: float | None) -> None:
    assert share(part, whole) == shown


def test_a_mean_weighs_every_answer() -> None:
    assert mean([(8, 3), (3, 1)]) == Decimal("6.75")
    assert mean([(10, 2), (9.5, 1)]) == Decimal("9.83")
    assert mean([]) is None and mean([(5, 0)]) is None


@pytest.mark.parametrize(("part", "whole", "shown"), [(1, 2, "50%"), (2, 3, "66.7%"), (0, 3, "0%"), (3, 3, "100%"), (10, 100, "10%"), (0, 0, "—")])
def test_a_rate_of_nothing_is_a_dash(part: int, whole: int, shown: str) -> None:
    assert rate(part, whole) == shown


def test_only_numbers_are_scores() -> None:
    assert scores_of({"8": 2, "passed": 1, "nan": 1, "inf": 1, "7.5": 1, ("8", "9"): 1}) == [(8.0, 2), (7.5, 1)]


def test_an_option_is_counted_alone_and_among_several() -> None:
    values = {"头痛": 2, ("头痛", "发热"): 3, "passed": 1, "嗓子疼": 4, "咳": 4}
    assert chosen(values, "头痛") == 5 and chosen(values, "发热") == 3 and chosen(values, "没有这个") == 0
    assert others(values, ["头痛"], "passed") == {"咳": 4, "嗓子疼": 4, "发热": 3}
