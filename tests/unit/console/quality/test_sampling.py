"""Which talks a draw takes."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.console.quality.sampling import MOST, Wish, WishError, allocate, choose, read_seed, read_wish, stored_wish

TALKS = {f"{number:032x}": ("loan" if number % 10 else "fruit") for number in range(200)}


def test_the_same_seed_takes_the_same_talks_in_whatever_order_they_come() -> None:
    first = choose(TALKS, Wish(20), 7)
    assert first == choose(dict(reversed(TALKS.items())), Wish(20), 7)
    assert len(first) == len(set(first)) == 20
    assert first != choose(TALKS, Wish(20), 8)


def test_more_of_the_same_draw_contains_the_less() -> None:
    assert choose(TALKS, Wish(50), 7)[:20] == choose(TALKS, Wish(20), 7)


def test_a_talk_that_came_in_later_moves_at_most_one_other_out() -> None:
    before = set(choose(TALKS, Wish(20), 7))
    after = set(choose({**TALKS, "f" * 32: "loan"}, Wish(20), 7))
    assert len(before - after) <= 1


@pytest.mark.parametrize(("number", "taken"), [(10, 20), (1, 2), (100, 200)])
def test_a_share_is_rounded_up(number: int, taken: int) -> None:
    assert len(choose(TALKS, Wish(number, "percent"), 1)) == taken
    assert len(choose(dict(list(TALKS.items())[:3]), Wish(1, "percent"), 1)) == 1


def test_more_than_there_are_takes_all() -> None:
    assert set(choose(TALKS, Wish(500), 1)) == set(TALKS)


def test_nothing_and_too_much_are_told() -> None:
    with pytest.raises(WishError) as error:
        choose({}, Wish(20), 1)
    assert error.value.key == "nothing_found"
    with pytest.raises(WishError) as error:
        choose({f"{number:032x}": "loan" for number in range(1000)}, Wish(51, "percent"), 1)
    assert (error.value.key, error.value.values) == ("too_many", {"count": 510})


def test_by_script_each_has_its_share_and_at_least_one() -> None:
    talks = {**TALKS, "f" * 32: "rare"}
    counts = Counter(talks[case_id] for case_id in choose(talks, Wish(20, by_script=True), 3))
    assert counts == {"loan": 17, "fruit": 2, "rare": 1}
    assert choose(talks, Wish(20, by_script=True), 3) == choose(talks, Wish(20, by_script=True), 3)


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 400), min_size=1, max_size=12), st.integers(1, MOST))
def test_shares_add_up_and_none_is_more_than_there_is(sizes: dict[str, int], wanted: int) -> None:
    shares = allocate(sizes, wanted)
    assert sum(shares.values()) == min(wanted, sum(sizes.values()))
    assert all(0 <= shares[name] <= size for name, size in sizes.items())
    assert wanted < len(sizes) or all(shares.values())


def test_a_wish_comes_back_as_it_was_stored() -> None:
    wish = read_wish({"number": "10", "unit": "percent", "first": "2026-11-01", "last": "2026-11-30", "script": "loan", "who": "12", "channel": "web", "complaint": "1", "by_script": "1", "demo": "1"})
    assert wish == Wish(10, "percent", date(2026, 11, 1), date(2026, 11, 30), "loan", "12", "web", True, True, True)
    assert stored_wish(wish.stored()) == wish
    assert stored_wish(Wish(5).stored()) == Wish(5)


@pytest.mark.parametrize("number", ["", "0", "-1", "501", "1.5", "二十", "９", "1e2", "9" * 50_000])
def test_a_number_that_cannot_be_is_refused(number: str) -> None:
    with pytest.raises(WishError, match="bad_number"):
        read_wish({"number": number})


def test_a_share_above_all_is_refused_and_nonsense_elsewhere_counts_as_not_given() -> None:
    with pytest.raises(WishError, match="bad_number"):
        read_wish({"number": "101", "unit": "percent"})
    assert read_wish({"number": "5", "first": "2026-99-99", "last": "x", "who": "1 OR 1=1", "unit": "dozen"}) == Wish(5)


@pytest.mark.parametrize(("text", "seed"), [("", None), ("0", 0), ("999999999", 999_999_999)])
def test_a_seed_is_a_number_or_left_open(text: str, seed: int | None) -> None:
    assert read_seed(text) == seed


@pytest.mark.parametrize("text", ["-1", "1.0", "abc", "1234567890", "１２"])
def test_any_other_seed_is_refused(text: str) -> None:
    with pytest.raises(WishError, match="bad_seed"):
        read_seed(text)
