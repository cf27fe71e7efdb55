"""A comparison in words: the sentence, the bounds one by one, old and partial reports."""

from __future__ import annotations

from typing import Any

import pytest

from followup.console.models.report import bounds_of, checks, flips_of, intent_name, intents, summary, tally
from followup.settings import PROJECT_DIR
from followup.training.bounds import Bounds, load_rules
from tests.integration.console.made_up_models import figures, flip, report

BOUNDS = load_rules(PROJECT_DIR).bounds


def failed(told: dict[str, Any], bounds: Bounds = BOUNDS) -> list[str]:
    return [one.name for one in checks(told, bounds) if not one.passed]


@pytest.mark.parametrize(("accuracy", "said"), [(0.96, "从 95.0% 升到 96.0%"), (0.94, "从 95.0% 降到 94.0%"), (0.95, "正确率还是 95.0%")])
def test_the_sentence_says_which_way_it_went(accuracy: float, said: str) -> None:
    assert said in "".join(summary(report(accuracy=accuracy)))


def test_without_a_live_model_nothing_is_compared() -> None:
    told = report(flips=[])
    told["frozen"] |= {"live": None, "intents": []}
    assert summary(told)[:2] == ["没有可以比较的模型。", "在 3,550 句固定测试句上，正确率是 95.5%。"]
    assert [one.found for one in checks(told, BOUNDS)][:3] == ["95.5%", "94.5%", "没有可比的"]
    assert failed(told) == []


def test_a_report_without_any_line_can_be_read() -> None:
    nothing = {"lines": 0, "live": None, "candidate": None, "intents": [], "flips": []}
    told = report(frozen=nothing, speed={})
    assert "没有可以比较的模型。" in summary(told) and failed(told) == [] and intents(told["frozen"]) == []


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"accuracy": 0.944}, "固定测试句的正确率"),
        ({"speed": {"live_ms": 1.0, "candidate_ms": 1.6, "ratio": 1.6}}, "听懂一句话的用时"),
        ({"talks": {"played": 3, "broken": [{"talk": "a", "why": "b"}], "failing": []}}, "原来走得通、现在走不通的会话"),
        ({"flips": [flip("别打了", "do_not_contact", "do_not_contact", "busy")]}, "安全和客户权利的意图"),
        ({"probe": [{"line": "我在开车", "wanted": "driving", "found": "busy"}]}, "接手前试读的句子"),
    ],
)
def test_what_is_beyond_its_bound_fails_at_its_own_check_and_no_other(parts: dict[str, Any], name: str) -> None:
    told = report(**parts)
    assert failed(told) == [name]
    assert [reason for one in checks(told, BOUNDS) for reason in one.reasons] == told["blocked"]


def test_calibration_and_customers_lines_have_checks_of_their_own() -> None:
    told = report(corrected=[flip("", "busy", "busy", "wait", message_id=1)])
    told["frozen"]["candidate"] = figures(0.95, calibration=0.05)
    told["corrected"]["candidate"] = figures(0.7)
    assert failed(told) == ["同事标注过的客户原话", "把握与实际正确率的差距"]


def test_a_report_keeps_to_the_bounds_it_was_measured_by() -> None:
    loose = {"accuracy_drop": 0.5, "never_lose": ["driving"], "of_a_later_version": 1}
    kept = bounds_of({"bounds": loose}, BOUNDS)
    assert (kept.accuracy_drop, kept.never_lose) == (0.5, ("driving",))
    assert bounds_of({}, BOUNDS) == BOUNDS


def test_what_got_worse_comes_first() -> None:
    flips = [flip("一", "busy", "wait", "busy"), flip("二", "busy", "wait", "deny"), flip("三", "busy", "busy", "wait")]
    told = report(flips=flips, corrected=[flip("", "busy", "busy", "deny", message_id=1)])
    assert [one.text for one in flips_of(told)] == ["", "三", "二", "一"]
    assert tally(flips_of(told)) == {"better": 1, "worse": 2, "neither": 1}
    assert [one.text for one in flips_of(told, "worse", "frozen")] == ["三"]


def test_intents_have_chinese_names() -> None:
    assert (intent_name("driving"), intent_name("faq/eat_pear"), intent_name("unheard_of")) == ("在开车", "业务咨询 eat_pear", "unheard_of")
