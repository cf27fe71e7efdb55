"""Days off and days worked, as announced; later only what the law names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from followup.holidays import is_worked_weekend, is_working_day, next_working_day, public_holiday, read_calendar, works_on


def days_off(year: int) -> int:
    return sum(public_holiday(date(year, 1, 1) + timedelta(days=n)) is not None for n in range(365))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-20", True),  # Friday
        ("2026-11-21", False),  # Saturday
        ("2026-10-01", False),  # Thursday, National Day
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),  # a Saturday worked in exchange
        ("2026-02-14", True),  # likewise
        ("2026-02-16", False),  # New Year's Eve
        ("2026-02-23", False),
        ("2025-10-08", False),
    ],
)
def test_a_day_is_worked_or_not_as_announced(day: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(("year", "days"), [(2025, 28), (2026, 33)])
def test_the_days_off_are_as_many_as_announced(year: int, days: int) -> None:
    assert days_off(year) == days  # 1+8+3+5+3+8 and 3+9+3+5+3+3+7


def test_a_year_not_announced_yet_has_the_days_of_the_law_only() -> None:
    assert days_off(2027) == 13
    assert not is_working_day(date(2027, 2, 8)) and is_working_day(date(2027, 2, 9))  # the third day of spring
    assert not is_working_day(date(2027, 10, 2)) and not is_working_day(date(2027, 10, 3)) and is_working_day(date(2027, 10, 4))


def test_two_festivals_share_one_holiday() -> None:
    holiday = public_holiday(date(2025, 10, 6))
    assert holiday is not None and holiday.festivals == ("national", "mid_autumn")


def test_the_next_working_day_is_the_day_itself_or_after_the_holiday() -> None:
    assert next_working_day(date(2026, 9, 30)) == date(2026, 9, 30)
    assert next_working_day(date(2026, 10, 1)) == date(2026, 10, 8)
    assert next_working_day(date(2026, 10, 10)) == date(2026, 10, 10)


def test_who_works_on_saturdays_too_is_off_on_holidays_and_who_works_every_day_is_not() -> None:
    saturday, national_day = date(2026, 11, 21), date(2026, 10, 1)
    assert works_on(saturday, [1, 2, 3, 4, 5, 6]) and not works_on(national_day, [1, 2, 3, 4, 5, 6])
    assert works_on(national_day, [1, 2, 3, 4, 5, 6, 7])


def test_every_announced_arrangement_is_in_order() -> None:
    for year, spec in read_calendar("public_holidays.yml")["years"].items():
        assert "国务院办公厅" in spec["source"]
        last = date(year, 1, 1) - timedelta(days=1)
        for row in spec["holidays"]:
            assert last < row["from"] <= row["to"] and row["from"].year == row["to"].year == year, row
            last = row["to"]
            for day in row.get("working", ()):
                assert day.isoweekday() >= 6 and is_worked_weekend(day) and public_holiday(day) is None, day
