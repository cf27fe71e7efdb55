"""A candidate beside the live model: what flips, what blocks, and that no customer's words come into the report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from followup.training.bounds import Bounds
from followup.training.compare import Read, by_intent, comparison
from followup.training.frozen import Line, frozen_lines
from followup.training.obstacles import obstacles
from followup.settings import PROJECT_DIR

LINES = [*(Line(f"满意{n}", "satisfied", "replies") for n in range(20)), *(Line(f"开车{n}", "driving", "replies") for n in range(20))]
RIGHT = [Read(line.intent, 1.0) for line in LINES]
BOUNDS = Bounds(never_lose=("driving",))


def otherwise(reads: list[Read], places: range, intent: str) -> list[Read]:
    return [Read(intent, 1.0) if number in places else read for number, read in enumerate(reads)]


def report(live: list[Read] | None, candidate: list[Read], **parts: Any) -> dict[str, Any]:
    nothing = comparison([], None, [])
    return {
        "frozen": comparison(LINES, live, candidate),
        "corrected": nothing,
        "speed": {},
        "probe": [],
        "talks": {"played": 1, "broken": [], "failing": []},
        **parts,
    }


def test_the_same_model_is_not_blocked() -> None:
    assert obstacles(report(RIGHT, RIGHT), BOUNDS) == []


def test_a_better_one_is_not_blocked_and_its_flips_are_told() -> None:
    told = report(otherwise(RIGHT, range(3), "neutral"), RIGHT)
    assert obstacles(told, BOUNDS) == []
    assert [(flip["text"], flip["live"][0], flip["candidate"][0], flip["better"]) for flip in told["frozen"]["flips"]] == [
        (f"满意{n}", "neutral", "satisfied", True) for n in range(3)
    ]


def test_a_flip_from_one_mistake_to_another_is_neither_better_nor_worse() -> None:
    told = report(otherwise(RIGHT, range(1), "neutral"), otherwise(RIGHT, range(1), "inform"))
    assert [flip["better"] for flip in told["frozen"]["flips"]] == [None]


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (otherwise(RIGHT, range(3), "neutral"), ["固定测试句的正确率从 100.0% 降到 92.5%", "意图“satisfied”的正确率从 100.0% 降到 85.0%"]),
        (otherwise(RIGHT, range(20, 21), "neutral"), ["原来能听懂“driving”的 1 句测试句现在听错了，例如“开车0”"]),
        (otherwise(RIGHT, range(5), "driving"), ["判为“driving”的准确率从 100.0% 降到 80.0%"]),
        ([Read(read.intent, 0.9) for read in RIGHT], ["把握与实际正确率的差距从 0.000 变成 0.100"]),
    ],
)
def test_what_is_worse_than_allowed_blocks(candidate: list[Read], words: list[str]) -> None:
    found = obstacles(report(RIGHT, candidate), BOUNDS)
    for each in words:
        assert any(each in reason for reason in found), found


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"speed": {"ratio": 2.0}}, "2.0 倍"),
        ({"talks": {"played": 9, "broken": [{"talk": "busy/a", "why": "x"}], "failing": []}}, "busy/a"),
        ({"probe": [{"line": "我在开车", "wanted": "driving", "found": "busy"}]}, "我在开车"),
    ],
)
def test_slow_broken_and_misread_block_too(parts: dict[str, Any], words: str) -> None:
    (reason,) = obstacles(report(RIGHT, RIGHT, **parts), BOUNDS)
    assert words in reason and reason.endswith("。") or words in reason


def test_talks_that_failed_before_do_not_block() -> None:
    talks = {"played": 9, "broken": [], "failing": [{"talk": "busy/a", "why": "x"}]}
    assert obstacles(report(RIGHT, RIGHT, talks=talks), BOUNDS) == []


def test_an_intent_of_few_lines_is_not_judged_alone() -> None:
    bounds = Bounds(accuracy_drop=1, macro_recall_drop=1, calibration_error_rise=1, intent_min_lines=21)
    assert obstacles(report(RIGHT, otherwise(RIGHT, range(15), "neutral")), bounds) == []


def test_without_a_live_model_there_is_nothing_to_be_worse_than() -> None:
    told = report(None, otherwise(RIGHT, range(20), "neutral"))
    assert obstacles(told, BOUNDS) == []
    assert told["frozen"]["flips"] == []


def test_what_staff_corrected_counts_and_a_customers_words_stay_out() -> None:
    lines = [Line(f"客户的原话{n}", "busy", "corrected", message_id=n) for n in range(10)]
    right, wrong = [Read("busy", 0.9)] * 10, [Read("refuse", 0.9)] * 10
    told = report(RIGHT, RIGHT, corrected=comparison(lines, right, wrong))
    (reason,) = obstacles(told, BOUNDS)
    assert "10 句客户原话" in reason
    assert [flip["message_id"] for flip in told["corrected"]["flips"]] == list(range(10))
    assert "原话0" not in json.dumps(told, ensure_ascii=False)


def test_shares_of_an_intent() -> None:
    found = by_intent(LINES, otherwise(RIGHT, range(5), "driving"))
    assert (found["satisfied"].recall, found["satisfied"].precision) == (0.75, 1.0)
    assert (found["driving"].recall, found["driving"].precision) == (1.0, 0.8)


def test_the_frozen_sentences_are_there() -> None:
    lines = frozen_lines(PROJECT_DIR / "tests" / "nlu")
    assert len(lines) > 2000
    assert not [line for line in lines if not line.text or line.text.startswith("# ")]
    assert {line.origin for line in lines} == {"late", "replies"}
