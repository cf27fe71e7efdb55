"""What does not need a database: reasons and aspects."""

from __future__ import annotations

import pytest

from followup.console.figures import facts
from followup.console.labels import labels


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("利息太高了", {"price"}),
        ("不贵，就是慢", {"speed"}),
        ("贵姓", set()),
        ("服务态度差", {"attitude"}),
        ("不满意", set()),
        ("", set()),
    ],
)
def test_aspects_are_named_by_their_own_words_and_not_within_longer_ones(text: str, named: set[str]) -> None:
    assert set(facts.aspects_in(text)) == named


def test_every_kind_of_reason_has_a_name() -> None:
    assert {reason.id for reason in facts.reasons()} | {"unsaid", "other", "by_answer"} == set(labels()["refusal_reasons"])


@pytest.mark.parametrize("name", ["LENGTH", "SAID", "WAIT", "REPLY"])
def test_every_range_has_a_name(name: str) -> None:
    assert len(labels()["figure_ranges"][name.lower()].split("|")) == len(getattr(facts, name).keys)


@pytest.mark.parametrize(("text", "pair"), [("城市:上海", ("城市", "上海")), ("a:b:c", ("a", "b:c")), ("城市:", None), (":上海", None), ("城市", None)])
def test_a_group_is_a_column_and_a_value(text: str, pair: tuple[str, str] | None) -> None:
    assert facts.pair(text) == pair
