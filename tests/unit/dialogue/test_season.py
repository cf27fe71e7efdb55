"""Greetings by the hour, wishes by the calendar, seasons by the month (b9e91, 8035c; catalogue D)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from followup.dialogue.season import care, festival_on, greeting, season, solar_term, wish
from followup.holidays import read_calendar
from followup.reading.time.festivals import festivals


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


def test_every_month_has_its_caring_word() -> None:
    assert len({care(datetime(2026, month, 1)) for month in range(1, 13)}) == 4
    assert "多喝水、多吃水果" in care(datetime(2026, 10, 20))


def test_the_weather_goes_before_the_season_where_it_is_known() -> None:
    assert "带伞" in care(datetime(2026, 7, 1), "雨")
    assert care(datetime(2026, 7, 1), "多云") == care(datetime(2026, 7, 1))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 23, 10), "工作顺利"),  # Monday
        (datetime(2026, 11, 27, 14, 59), "工作顺利"),  # Friday before three
        (datetime(2026, 11, 27, 15), "周末愉快"),
        (datetime(2026, 11, 28, 9), "周末愉快"),
        (datetime(2026, 11, 29, 9), "周末愉快"),
        (datetime(2026, 10, 10, 9), "工作顺利"),  # a Saturday worked in exchange
        (datetime(2026, 10, 9, 16), "工作顺利"),  # the Friday before it
        (datetime(2026, 10, 1, 9), "节日愉快"),
        (datetime(2026, 1, 2, 16), "新年快乐"),  # a Friday of the holiday
        (datetime(2026, 2, 17, 9), "新春快乐"),
        (datetime(2026, 2, 15, 9), "假期愉快"),  # off, but not yet New Year's Eve
        (datetime(2026, 9, 26, 9), "假期愉快"),  # the day after the Mid-Autumn Festival
        (datetime(2026, 4, 4, 9), "平安健康"),  # nobody is wished joy at the graves
        (datetime(2026, 4, 6, 9), "平安健康"),
    ],
)
def test_the_wish_follows_the_calendar(at: datetime, said: str) -> None:
    assert wish(at) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 1, 1, 10), "新年好"),
        (datetime(2026, 1, 4, 10), "上午好"),
        (datetime(2026, 2, 15, 10), "上午好"),
        (datetime(2026, 2, 16, 10), "除夕快乐"),
        (datetime(2026, 2, 17, 10), "新年好"),
        (datetime(2026, 2, 23, 10), "新年好"),
        (datetime(2026, 2, 24, 10), "上午好"),
        (datetime(2026, 4, 5, 10), "上午好"),
        (datetime(2026, 5, 3, 20), "劳动节快乐"),
        (datetime(2026, 6, 19, 10), "端午安康"),
        (datetime(2026, 6, 20, 10), "上午好"),
        (datetime(2026, 9, 24, 16), "下午好"),  # the day before
        (datetime(2026, 9, 25, 10), "中秋节快乐"),
        (datetime(2025, 10, 5, 10), "国庆节快乐"),
        (datetime(2025, 10, 6, 10), "中秋节快乐"),  # within the same holiday
        (datetime(2025, 10, 7, 10), "国庆节快乐"),
        (datetime(2028, 10, 3, 10), "中秋节快乐"),
        (datetime(2026, 12, 25, 10), "上午好"),  # no public holiday
    ],
)
def test_a_festival_is_greeted_on_its_days_only(at: datetime, said: str) -> None:
    assert greeting(at) == said


def test_no_festival_is_kept_on_an_ordinary_day() -> None:
    kept = {festival_on(date(2026, 1, 1) + timedelta(days=n)) for n in range(365)}
    assert kept == {"", "new_year", "new_years_eve", "spring", "qingming", "labour", "dragon_boat", "mid_autumn", "national"}
    assert festival_on(date(2026, 11, 11)) == ""


def test_every_festival_that_is_kept_is_a_known_one() -> None:
    for row in read_calendar("festivals.yml")["festivals"]:
        assert row["festival"] in festivals()
        assert row.get("greeting") or row.get("wish")


@pytest.mark.parametrize(("day", "name"), [(date(2026, 11, 6), "autumn"), (date(2026, 11, 7), "winter"), (date(2026, 11, 30), "winter")])
def test_winter_begins_with_its_solar_term(day: date, name: str) -> None:
    assert season(datetime(day.year, day.month, day.day, 9)) == name


@pytest.mark.parametrize(("year", "day"), [(2023, 8), (2024, 7), (2025, 7), (2026, 7), (2019, 8)])
def test_the_beginning_of_winter_moves_by_a_day(year: int, day: int) -> None:
    assert solar_term("lidong", year) == date(year, 11, day)
