"""Which talks are counted: out of an address and back."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from followup.console.figures.filters import between, end_of, read
from followup.console.figures.told import told
from followup.console.transcripts.filters import OF_FIGURES, TalkFilters, read_filters

TODAY = date(2026, 11, 22)


def test_without_days_the_last_thirty_are_counted_day_by_day() -> None:
    filters = read({}, TODAY)
    assert (filters.first, filters.last, filters.step) == (date(2026, 10, 24), TODAY, "day")
    assert filters.talks.demo == "no" and filters.talks.starts == "us"


@pytest.mark.parametrize(("first", "step"), [("2026-11-01", "day"), ("2026-09-01", "week"), ("2025-11-22", "month")])
def test_a_longer_period_is_counted_in_longer_steps(first: str, step: str) -> None:
    assert read({"first": first}, TODAY).step == step


def test_days_in_the_wrong_order_are_exchanged_and_a_period_has_an_end() -> None:
    filters = read({"first": "2026-12-01", "last": "2026-11-01"}, TODAY)
    assert (filters.first, filters.last) == (date(2026, 11, 1), date(2026, 12, 1))
    assert read({"first": "2000-01-01"}, TODAY).last < date(2006, 1, 1)


def test_an_address_leads_to_the_same_page() -> None:
    filters = read({"script": "fruit_order", "first": "2026-11-01", "group": "城市:上海", "by": "城市", "who": "agent", "demo": "1", "step": "week"}, TODAY)
    assert read(dict(parse_qsl(urlsplit(filters.link()).query)), TODAY) == filters


def test_enquiries_are_counted_when_their_script_is_asked_for() -> None:
    assert read({"script": "inbound_enquiry"}, TODAY).talks.starts == ""


def test_weeks_begin_on_monday_and_no_day_is_left_out() -> None:
    assert between(date(2026, 11, 1), date(2026, 11, 15), "week") == [date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 9)]
    assert [end_of(begin, "month") for begin in between(date(2026, 1, 31), date(2026, 3, 1), "month")] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert between(TODAY, TODAY, "day") == [TODAY]


@pytest.mark.parametrize("name", OF_FIGURES)
def test_every_filter_of_the_figures_is_told_above_the_list(name: str) -> None:
    value = {"starts": "us", "reached": "silent", "group": "城市:上海", "named": "agent:小尚"}.get(name, "1")
    filters = TalkFilters(**{name: value})
    assert read_filters(dict(filters.pairs())) == filters
    assert told(filters) != [] and told(TalkFilters()) == []
