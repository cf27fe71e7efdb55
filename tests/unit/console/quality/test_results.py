"""Means over filled sheets."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from followup.console.quality.results import Filled, period_of, results

SHEET = [{"id": "phrases", "name": "规范用语", "points": 60}, {"id": "records", "name": "记录", "points": 40}]


def filled(number: int, agent: int | None, at: str, phrases: int, records: int) -> Filled:
    name = f"坐席{agent}" if agent else ""
    scores = {"phrases": phrases, "records": records}
    return Filled(number, agent, name, datetime.fromisoformat(at), phrases + records, scores, SHEET)


def test_means_per_person_and_month_with_the_bot_last() -> None:
    found = results(
        [filled(1, None, "2026-10-05T10:00+08:00", 60, 40), filled(2, 7, "2026-10-06T10:00+08:00", 30, 20),
         filled(3, 7, "2026-10-07T10:00+08:00", 60, 30), filled(4, 7, "2026-11-01T10:00+08:00", 0, 10)],
        "month",
    )  # fmt: skip
    assert found.periods == ["2026-10", "2026-11"]
    assert found.people == [(7, "坐席7"), (None, "")]
    october = found.by_period[7, "2026-10"]
    assert (october.count, october.total, october.lowest, october.highest) == (2, 70.0, 50, 90)
    assert october.parts == {"phrases": 75.0, "records": 62.5}
    assert found.all_of[7].count == 3 and found.all_of[7].total == pytest.approx(50.0)
    assert (None, "2026-11") not in found.by_period
    assert found.criteria == {"phrases": "规范用语", "records": "记录"}


def test_sheets_of_other_points_are_compared_by_their_share() -> None:
    old = Filled(1, 7, "甲", datetime(2026, 1, 5, tzinfo=timezone.utc), 100, {"phrases": 100}, [{"id": "phrases", "name": "用语", "points": 100}])
    found = results([old, filled(2, 7, "2026-11-01T10:00+08:00", 30, 40)], "month")
    assert found.all_of[7].parts == {"phrases": 75.0, "records": 100.0}
    assert found.criteria == {"phrases": "规范用语", "records": "记录"}  # as it is called today


def test_nothing_filled_in_is_no_error() -> None:
    found = results([], "week")
    assert (found.people, found.periods, found.criteria) == ([], [], {})


@pytest.mark.parametrize(
    ("at", "by", "period"),
    [
        ("2026-10-31T16:00+00:00", "month", "2026-11"),  # midnight in Shanghai
        ("2026-10-31T15:59+00:00", "month", "2026-10"),
        ("2026-11-22T10:00+08:00", "week", "2026-11-16"),
        ("2026-11-23T00:00+08:00", "week", "2026-11-23"),
        ("2027-01-01T10:00+08:00", "week", "2026-12-28"),
    ],
)
def test_months_and_weeks_are_those_of_shanghai(at: str, by: str, period: str) -> None:
    assert period_of(datetime.fromisoformat(at), by) == period
