"""Greetings by the hour, wishes by the calendar, seasons by the month (b9e91, 8035c; catalogue D)."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from followup.dialogue.season import festival_on, greeting, season, wish


@pytest.mark.parametrize(
    ("hour", "said"),
    [(0, "您好"), (4, "您好"), (5, "早上好"), (8, "早上好"), (9, "上午好"), (11, "上午好"), (12, "中午好"),
     (13, "中午好"), (14, "下午好"), (17, "下午好"), (18, "晚上好"), (22, "晚上好"), (23, "您好")],
)  # fmt: skip
def test_the_greeting_follows_the_hour(hour: int, said: str) -> None:
    assert greeting(datetime(2026, 11, 23, hour, 59)) == said


@pytest.mark.parametrize(
    ("month", "name"), [(2, "winter"), (3, "spring"), (5, "spring"), (6, "summer"), (8, "summer"), (9, "autumn"), (12, "winter")]
)
def test_the_season_follows_the_month(month: int, name: str) -> None:
    assert season(datetime(2026, month, 1)) == name


def test_every_season_has_its_caring_word() -> None:
    from followup.scripts.load import content

    care = content("fruit_order")["wording"]["care"]
    assert set(care) == {season(datetime(2026, month, 1)) for month in range(1, 13)}


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 23, 10), "工作顺利"),  # Monday
        (datetime(2026, 11, 27, 14, 59), "工作顺利"),  # Friday before three
        (datetime(2026, 11, 27, 15), "周末愉快"),
        (datetime(2026, 11, 28, 9), "周末愉快"),
        (datetime(2026, 11, 29, 9), "周末愉快"),
        (datetime(2026, 10, 1, 9), "节日愉快"),  # a Thursday
        (datetime(2027, 1, 1, 16), "节日愉快"),  # a Friday afternoon
    ],
)
def test_the_wish_follows_the_calendar(at: datetime, said: str) -> None:
    assert wish(at) == said


@pytest.mark.parametrize(
    ("day", "festival"),
    [
        (date(2026, 2, 16), ""),  # New Year's Eve is no public holiday of its own
        (date(2026, 2, 17), "spring"),
        (date(2026, 2, 23), "spring"),
        (date(2026, 2, 24), ""),
        (date(2026, 5, 1), "labour"),
        (date(2026, 12, 25), ""),
    ],
)
def test_a_public_holiday_lasts_its_days(day: date, festival: str) -> None:
    assert festival_on(day) == festival
