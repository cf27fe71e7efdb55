"""Due times: working days, levels, late from the next second on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from followup.console.tickets.deadlines import is_due_soon, is_overdue, preset

FRIDAY = datetime.fromisoformat("2026-11-20T10:00:00+08:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("name", "now", "due"),
    [
        ("same_day", "2026-11-20T10:00", "2026-11-20T18:00"),
        ("same_day", "2026-11-20T16:59", "2026-11-20T18:00"),
        ("same_day", "2026-11-20T17:00", "2026-11-23T18:00"),  # too late on a Friday
        ("same_day", "2026-11-21T09:00", "2026-11-23T18:00"),
        ("two_days", "2026-11-19T10:00", "2026-11-23T18:00"),  # Thursday
        ("two_days", "2026-11-20T20:00", "2026-11-24T18:00"),
        ("two_days", "2026-09-30T10:00", "2026-10-09T18:00"),  # the national holiday lies between
        ("by_level", "2026-11-20T10:00", "2026-11-20T18:00"),
    ],
)
def test_a_preset_counts_working_days(name: str, now: str, due: str) -> None:
    assert preset(name, at(now), severity=3) == at(due)


def test_each_level_has_its_response_time() -> None:
    hours = [(preset("by_level", FRIDAY, level) - FRIDAY) / timedelta(hours=1) for level in (1, 2, 3, 4)]
    assert hours == [1, 1, 8, 12]


def test_a_ticket_is_late_only_after_the_working_day_has_ended() -> None:
    due = at("2026-11-20T18:00")
    assert not is_overdue("open", due, due) and is_overdue("working", due, due + timedelta(seconds=1))
    assert not is_overdue("solved", due, due + timedelta(days=9)) and not is_overdue("closed", due, due + timedelta(days=9))


def test_it_is_soon_due_in_the_last_two_hours() -> None:
    due = at("2026-11-20T18:00")
    times = ["2026-11-20T15:59", "2026-11-20T16:00", "2026-11-20T18:00", "2026-11-20T18:01"]
    assert [is_due_soon("open", due, at(time)) for time in times] == [False, True, True, False]
