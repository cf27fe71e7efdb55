"""Call-backs: kept as wished, moved to a proper hour, read back in plain words."""

from __future__ import annotations

from datetime import datetime

import pytest

from followup.dialogue import appoint
from followup.settings import SHANGHAI


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


NOW = at("2026-11-23T10:00")  # a Monday


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("2026-11-24T07:59", False),
        ("2026-11-24T08:00", True),
        ("2026-11-24T12:30", True),
        ("2026-11-24T21:00", True),
        ("2026-11-24T21:01", False),
        ("2026-11-24T03:00", False),
    ],
)
def test_a_time_the_customer_names_is_kept_from_eight_to_nine_in_the_evening(asked: str, kept: bool) -> None:
    assert appoint.in_wished_hours(at(asked)) is kept


@pytest.mark.parametrize(
    ("wish", "offer"),
    [("2026-11-24T03:00", "2026-11-24T08:30"), ("2026-11-24T23:00", "2026-11-24T20:00")],
)
def test_an_improper_hour_moves_to_the_nearest_proper_one(wish: str, offer: str) -> None:
    assert appoint.nearest_proper(at(wish)) == at(offer)


@pytest.mark.parametrize(
    ("ready", "then"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T06:10", "2026-11-23T08:30"),
        ("2026-11-23T12:20", "2026-11-23T13:00"),
        ("2026-11-23T19:00", "2026-11-24T08:30"),
        ("2026-11-30T22:00", "2026-12-01T08:30"),
    ],
)
def test_we_come_back_only_within_the_windows(ready: str, then: str) -> None:
    assert appoint.next_proper(at(ready)) == at(then)


def test_the_unwell_are_left_in_peace_for_three_days() -> None:
    assert appoint.later("unwell", NOW) == at("2026-11-26T10:00")


def test_who_drives_is_contacted_two_hours_later() -> None:
    assert appoint.later("driving", NOW) == at("2026-11-23T13:00")


@pytest.mark.parametrize(
    ("start", "end", "precision", "chosen"),
    [
        ("2026-11-24T15:00", "2026-11-24T15:00", "hour", "2026-11-24T15:00"),
        ("2026-11-24T08:00", "2026-11-24T12:00", "day_part", "2026-11-24T10:00"),
        ("2026-11-24T14:00", "2026-11-24T18:00", "day_part", "2026-11-24T15:00"),
        ("2026-11-24T18:00", "2026-11-24T21:00", "day_part", "2026-11-24T18:00"),
        ("2026-11-28T00:00", "2026-11-29T00:00", "day", "2026-11-28T10:00"),
    ],
)
def test_a_part_of_a_day_is_met_at_its_best_hour(start: str, end: str, precision: str, chosen: str) -> None:
    assert appoint.chosen_point(at(start), at(end), precision, NOW) == at(chosen)


def test_today_without_an_hour_is_not_in_the_past() -> None:
    now = at("2026-11-23T16:00")
    assert appoint.chosen_point(at("2026-11-23T00:00"), at("2026-11-24T00:00"), "day", now) > now


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("2026-11-23T15:00", "今天（11月23日，周一）下午3点"),
        ("2026-11-24T10:30", "明天（11月24日，周二）上午10点半"),
        ("2026-11-25T20:05", "后天（11月25日，周三）晚上8点05分"),
        ("2026-12-05T12:00", "12月5日（周六）中午12点"),
        ("2027-01-02T08:30", "2027年1月2日（周六）上午8点半"),
    ],
)
def test_a_time_is_said_as_people_say_it(time: str, words: str) -> None:
    assert appoint.spoken(at(time), NOW) == words
