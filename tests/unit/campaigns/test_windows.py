"""Windows: open when they say, never at night, never on a holiday nobody asked for."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from followup.campaigns.definition import EARLIEST, LATEST, Hours, Season, Window
from followup.campaigns.windows import is_open, next_open, stretches
from followup.settings import SHANGHAI

BEST = Hours()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-20 09:00", "2026-11-20 10:00"),
        ("2026-11-20 10:00", "2026-11-20 10:00"),
        ("2026-11-20 11:29", "2026-11-20 11:29"),
        ("2026-11-20 11:30", "2026-11-20 15:00"),
        ("2026-11-20 17:30", "2026-11-21 10:00"),
        ("2026-09-30 18:00", "2026-10-08 10:00"),
    ],
)
def test_the_next_open_moment(asked: str, opens: str) -> None:
    assert next_open(BEST, at(asked)) == at(opens)


def test_working_days_only_means_no_weekend_but_the_one_worked_in_exchange() -> None:
    office = Hours((Window(time(9), time(12), (1, 2, 3, 4, 5)),))
    assert not is_open(office, at("2026-11-21 10:00"))  # a Saturday
    assert is_open(office, at("2026-10-10 10:00"))  # a Saturday worked for the National Day


def test_whoever_asks_for_holidays_gets_them() -> None:
    assert is_open(Hours(holidays=True), at("2026-10-01 10:00"))


def test_nobody_is_contacted_early_or_at_night_whatever_the_window_says() -> None:
    always = Hours((Window(time(0), time(23, 59)),), holidays=True)
    assert stretches(always, date(2026, 3, 2)) == ((at("2026-03-02 08:30"), at("2026-03-02 21:00")),)


def test_summer_and_winter_hours_take_turns_over_the_new_year() -> None:
    hospital = Hours(
        (
            Window(time(15), time(18), season=Season((5, 1), (9, 30))),
            Window(time(14), time(17), season=Season((10, 1), (4, 30))),
        )
    )
    assert next_open(hospital, at("2026-07-02 13:00")) == at("2026-07-02 15:00")
    assert next_open(hospital, at("2027-01-05 13:00")) == at("2027-01-05 14:00")


def test_windows_that_touch_are_one() -> None:
    hours = Hours((Window(time(9), time(10)), Window(time(10), time(11)), Window(time(9, 30), time(10, 30))))
    assert stretches(hours, date(2026, 3, 2)) == ((at("2026-03-02 09:00"), at("2026-03-02 11:00")),)


def test_hours_that_never_open_are_found_out() -> None:
    assert next_open(Hours((Window(time(2), time(5)),)), at("2026-03-02 09:00")) is None
    assert next_open(Hours(()), at("2026-03-02 09:00")) is None


_clock = st.integers(0, 23 * 60 + 59).map(lambda minute: time(minute // 60, minute % 60))
_window = st.builds(Window, _clock, _clock, st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_window, max_size=3),
    st.booleans(),
    st.datetimes(datetime(2025, 12, 20), datetime(2026, 12, 31)),
)
def test_it_is_the_first_open_minute(windows: list[Window], holidays: bool, asked: datetime) -> None:
    hours = Hours(tuple(windows), holidays)
    asked = asked.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
    found = next_open(hours, asked)
    by_hand = next((m for m in (asked + timedelta(minutes=n) for n in range(3 * 24 * 60)) if is_open(hours, m)), None)
    if by_hand is not None:
        assert found == by_hand
    elif found is not None:
        assert found >= asked + timedelta(days=3)
    if found is not None:
        assert EARLIEST <= found.time() < LATEST
