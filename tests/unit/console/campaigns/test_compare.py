"""What the page says about two shares."""

from __future__ import annotations

from followup.campaigns.chance import Share
from followup.campaigns.comparison import Result
from followup.console.campaigns.compare import LIMIT, LIMIT_OF_OTHERS, lines, told


def test_few_customers_show_nothing_yet() -> None:
    text, differs = told(Share(1, 5), Share(19, 19), LIMIT)
    assert not differs and text == "人还太少（A 5 位，B 19 位），每边至少 20 位才看得出差别。"


def test_a_difference_that_may_be_chance_says_what_would_be_seen() -> None:
    text, differs = told(Share(50, 100), Share(58, 100), LIMIT)
    assert not differs and text.startswith("差别可能只是碰巧（A 100 位，B 100 位，p = 0.256）") and "20 个百分点以上" in text


def test_a_real_difference_is_told_with_its_bounds() -> None:
    text, differs = told(Share(60, 200), Share(90, 200), LIMIT)
    assert differs and "B 高出 15.0 个百分点，真实的差别大约在 5.5 到 24.1 个百分点之间" in text
    text, differs = told(Share(90, 200), Share(60, 200), LIMIT)
    assert differs and "B 低了 15.0 个百分点" in text


def test_measures_looked_at_beside_the_first_must_differ_more() -> None:
    a, b = Share(60, 200), Share(80, 200)  # p = 0.036
    assert told(a, b, LIMIT)[1] and not told(a, b, LIMIT_OF_OTHERS)[1]


def test_satisfaction_is_of_who_said_how_satisfied_they_are() -> None:
    first, second = Result("first", invited=40, rated=30, satisfied=28), Result("second", invited=40, rated=25, satisfied=20)
    shown = {line.what: line for line in lines(first, second)}
    assert (shown["satisfied"].first, shown["completed"].first) == (Share(28, 30), Share(0, 40))
    assert [line.what for line in shown.values() if line.is_primary] == ["completed"]
