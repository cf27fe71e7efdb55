"""落实度 and 满意度 over many talks."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from followup.figures.forms import rates_form
from followup.figures.talks import Given, TalkAnswers
from followup.figures.workshop import Rate, RatesFigures, rates
from followup.scripts.compute import score_share, yes_share
from followup.scripts.load import load_script

FORM = rates_form("workshop_service_satisfaction")
SCRIPT = load_script(FORM.script)
YES = [item.question for item in FORM.items if item.kind == "yes"]
SCORES = [item.question for item in FORM.items if item.kind == "score"]


def talk(station: str = "城东服务站", **values: Any) -> TalkAnswers:
    return TalkAnswers("a", "张女士", {"station": station}, {key: Given(value) for key, value in values.items()})


def item(figures: RatesFigures, question: str) -> Rate:
    return figures.items[[one.question for one in FORM.items].index(question)]


def test_an_item_s_rate_is_the_share_of_yes_or_the_mean_score() -> None:
    figures = rates(FORM, [talk(invited=True, reception=9), talk(invited=False, reception=6), talk(invited=True, reception=4)])
    assert item(figures, "invited").percent == 66.7 and item(figures, "invited").low == 1
    assert item(figures, "reception").percent == 63.3 and item(figures, "reception").mean == 6.33
    assert item(figures, "reception").low == 1


def test_what_was_passed_or_never_asked_is_counted_apart() -> None:
    rate = item(rates(FORM, [talk(reception=8), talk(reception=None), talk(invited=True)]), "reception")
    assert (rate.answered, rate.passed, rate.not_asked, rate.percent) == (1, 1, 1, 80)


def test_without_an_answer_there_is_no_rate() -> None:
    figures = rates(FORM, [talk(invited=True)])
    assert item(figures, "reception").percent is None and item(figures, "reception").mean is None
    assert figures.total.satisfaction.percent is None


def test_every_answer_weighs_the_same_in_the_total() -> None:
    busy = talk(**dict.fromkeys(SCORES, 9))  # six scores
    brief = talk(reception=2)  # one
    assert rates(FORM, [busy, brief]).total.satisfaction.percent == 80  # (6 * 9 + 2) / 70


def test_the_total_of_one_talk_is_what_the_talk_itself_computed() -> None:
    values = {"invited": True, "refreshments": False, "done_at_once": None, "parts": True, "reception": 7, "charges": 6}
    total = rates(FORM, [talk(**values)]).total
    carried_out = yes_share(SCRIPT.question("carried_out_rate"), values, {})
    satisfaction = score_share(SCRIPT.question("satisfaction_rate"), values, {})
    assert carried_out is not None and satisfaction is not None
    assert (total.carried_out.percent, total.carried_out.passed) == (carried_out["percent"], carried_out["skipped"])
    assert total.satisfaction.percent == satisfaction["percent"]


def test_stations_stand_apart_and_together_are_the_total() -> None:
    figures = rates(FORM, [talk("城东", invited=True), talk("城西", invited=False), talk("城西", invited=True), talk("", invited=True)])
    assert [(g.name, g.talks, g.carried_out.percent) for g in figures.groups] == [
        ("没有写明", 1, 100), ("城东", 1, 100), ("城西", 2, 50)]  # fmt: skip
    assert (figures.total.talks, figures.total.carried_out.percent) == (4, 75)


def test_a_talk_that_ended_before_the_first_item_does_not_count() -> None:
    assert rates(FORM, [talk(visited=False)]).total.talks == 0


def test_the_form_and_the_script_compute_from_the_same_questions() -> None:
    assert YES == list(SCRIPT.question("carried_out_rate").of)
    assert SCORES == list(SCRIPT.question("satisfaction_rate").of)
    assert FORM.by in SCRIPT.variables


VALUES = st.fixed_dictionaries(
    {}, optional={**{q: st.sampled_from([True, False, None]) for q in YES}, **{q: st.none() | st.integers(1, 10) for q in SCORES}}
)


@given(st.lists(VALUES, max_size=12))
def test_rates_lie_between_nothing_and_everything_and_no_answer_is_lost(answers: list[dict[str, Any]]) -> None:
    figures = rates(FORM, [talk(**one) for one in answers])
    for rate in figures.items:
        assert rate.answered + rate.passed + rate.not_asked == figures.total.talks
        assert rate.percent is None or 0 <= rate.percent <= 100
    assert figures.total.carried_out.answered == sum(rate.answered for rate in figures.items if rate.kind == "yes")
