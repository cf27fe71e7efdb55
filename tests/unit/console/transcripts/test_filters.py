"""Filters of talks in addresses."""

from __future__ import annotations

from datetime import date

import pytest

from followup.console.transcripts.filters import TalkFilters, read_filters, talk_link, talks_link


def test_what_is_written_into_an_address_is_read_out_of_it() -> None:
    filters = TalkFilters(q="利率 100%", script="fruit_order", first=date(2026, 11, 1), demo="no", unsure=True, contact=7, sort="oldest")
    assert read_filters(dict(filters.pairs())) == filters


def test_only_what_is_given_stands_in_the_address() -> None:
    assert TalkFilters().link() == "/console/talks"
    assert talks_link(script="x", unsure=True) == "/console/talks?script=x&unsure=1"
    assert talk_link("a" * 32, TalkFilters(outcome="refused")) == f"/console/talks/{'a' * 32}?outcome=refused"


def test_an_unknown_filter_is_a_programmers_slip() -> None:
    with pytest.raises(TypeError):
        talks_link(colour="red")


@pytest.mark.parametrize(
    "query",
    [{"first": "2026-13-01"}, {"last": "x" * 9000}, {"contact": "-1"}, {"contact": "９"}, {"sort": "random"}, {"demo": "maybe"}, {"unsure": "0"}, {"q": "\0"}, {"colour": "red"}],
)
def test_what_cannot_be_read_counts_as_not_given(query: dict[str, str]) -> None:
    assert read_filters(query) == TalkFilters()


def test_a_search_is_cut_to_a_length_that_a_database_bears() -> None:
    assert len(read_filters({"q": "贵" * 50_000}).q) == 200
    assert len(read_filters({"q": "a b c d e f g"}).words) == 5


def test_names_are_no_filter_for_who_does_not_see_them() -> None:
    assert read_filters({"customer": "王", "contact": "7", "sort": "customer"}, personal=False) == TalkFilters()
