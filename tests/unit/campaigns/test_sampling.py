"""Draws: the share at least, the same seed the same customers, and nobody loses a place when others come."""

import random

from hypothesis import given, settings, strategies as st

from followup.campaigns.definition import Stratum
from followup.campaigns.sampling import Counts, Member, draw, spread

STRATA = (Stratum("重点客户", ("VIP", "曾投诉"), 1.0), Stratum("普通客户", (), 0.3))


def members(count: int, start: int = 1) -> list[Member]:
    return [Member(n, frozenset({"VIP"} if n % 10 == 0 else set())) for n in range(start, start + count)]


def test_all_key_customers_and_three_tenths_of_the_others_are_drawn() -> None:
    key, ordinary = draw(7, STRATA, members(100))
    assert (key.population, len(key.chosen)) == (10, 10)
    assert (ordinary.population, ordinary.wanted, len(ordinary.chosen)) == (90, 27, 27)
    assert sorted(ordinary.chosen + ordinary.reserve + key.chosen) == list(range(1, 101))


def test_the_same_seed_draws_the_same_customers_in_whatever_order_they_stand() -> None:
    shuffled = members(200)
    random.Random(1).shuffle(shuffled)
    assert draw(7, STRATA, members(200)) == draw(7, STRATA, shuffled)
    assert draw(7, STRATA, members(200)) != draw(8, STRATA, members(200))


def test_whoever_comes_later_is_drawn_until_the_share_is_right_again() -> None:
    first = draw(7, STRATA, members(40))[1]
    later = draw(7, STRATA, members(60, 41), {"普通客户": Counts(first.population, len(first.chosen))})[1]
    assert later.population == 90
    assert len(first.chosen) + len(later.chosen) == 27


def test_a_single_ordinary_customer_is_drawn() -> None:
    assert len(draw(7, STRATA, members(1))[1].chosen) == 1


def test_a_customer_in_no_stratum_is_not_drawn() -> None:
    only_key = (Stratum("重点客户", ("VIP",), 1.0),)
    assert [s.population for s in draw(7, only_key, members(9))] == [0]


def test_three_tenths_of_ten_are_three_not_four() -> None:
    assert len(draw(7, (Stratum("全部", (), 0.3),), members(10))[0].chosen) == 3


@settings(max_examples=100, deadline=None)
@given(st.integers(), st.sets(st.integers(1, 10**9), max_size=60), st.floats(0, 1), st.integers(0, 60))
def test_two_draws_hold_the_share_of_both(seed: int, ids: set[int], share: float, cut: int) -> None:
    strata = (Stratum("全部", (), share),)
    everyone = [Member(n, frozenset()) for n in sorted(ids)]
    first = draw(seed, strata, everyone[:cut])[0]
    second = draw(seed, strata, everyone[cut:], {"全部": Counts(first.population, len(first.chosen))})[0]
    assert len(first.chosen) + len(second.chosen) >= share * len(ids) - 1e-6
    assert not set(first.chosen) & set(second.chosen)


def test_days_of_a_span_are_used_evenly() -> None:
    eighths = [int(spread(7, n) * 8) for n in range(8000)]
    assert all(800 < eighths.count(eighth) < 1200 for eighth in range(8))
