"""Due times: true to the calendar, inside the windows, with their deadline."""

from datetime import datetime

import pytest
from hypothesis import given, settings, strategies as st

from followup.campaigns.definition import Amount, Hours, Rule, Unit
from followup.campaigns.schedule import due_at, read_base
from followup.campaigns.windows import is_open
from followup.settings import SHANGHAI

BEST = Hours()


def due(rule: Rule, base: str, occurrence: int = 0, spread: float = 0.0) -> str:
    found = due_at(rule, read_base(base), BEST, occurrence, spread).due_at
    return found.strftime("%Y-%m-%d %H:%M") if found else ""


def after(number: int, unit: Unit, **more: object) -> Rule:
    return Rule("r", "签收日期", Amount(number, unit), **more)


@pytest.mark.parametrize(
    ("rule", "base", "expected"),
    [
        (after(2, Unit.HOURS), "2026-03-05 09:00", "2026-03-05 11:00"),
        (after(2, Unit.HOURS), "2026-03-05 10:00", "2026-03-05 15:00"),  # noon is nobody's time
        (after(2, Unit.HOURS), "2026-03-05 22:30", "2026-03-06 10:00"),
        (after(2, Unit.HOURS), "2026-03-05", "2026-03-06 10:00"),  # nobody knows when that day
        (after(0, Unit.DAYS, evening=True), "2026-03-05 10:00", "2026-03-05 17:00"),
        (after(0, Unit.DAYS, evening=True), "2026-03-05 19:00", "2026-03-06 10:00"),
        (after(1, Unit.DAYS), "2026-03-05 16:00", "2026-03-06 10:00"),
        (after(3, Unit.DAYS), "2026-09-29", "2026-10-08 10:00"),  # the National Day is over
        (after(3, Unit.WEEKS), "2026-03-05", "2026-03-26 10:00"),
        (after(3, Unit.MONTHS), "2026-11-30", "2027-02-28 10:00"),
        (after(1, Unit.MONTHS), "2028-01-31", "2028-02-29 10:00"),
    ],
)
def test_when_a_contact_is_due(rule: Rule, base: str, expected: str) -> None:
    assert due(rule, base) == expected


def test_months_after_and_months_between_are_counted_in_one_step() -> None:
    assert due(after(1, Unit.MONTHS, every=3), "2026-11-30", 1) == "2027-03-30 10:00"  # by way of February it would be the 28th


def test_every_month_is_counted_from_the_first_day_not_from_the_last_contact() -> None:
    monthly = after(0, Unit.MONTHS, every=1)
    days = [due(monthly, "2026-01-31", number)[:10] for number in range(4)]
    assert days == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_a_span_of_days_is_used_from_its_first_to_its_last_day() -> None:
    rule = after(8, Unit.DAYS, latest=Amount(15, Unit.DAYS))
    days = {due(rule, "2026-03-05", spread=n / 8)[:10] for n in range(8)}
    assert days == {f"2026-03-{day:02}" for day in range(13, 21)}
    assert due_at(rule, read_base("2026-03-05"), BEST, spread=0.999).not_after == datetime(2026, 3, 21, tzinfo=SHANGHAI)


def test_a_deadline_of_days_holds_until_the_end_of_its_day() -> None:
    rule = after(3, Unit.DAYS, deadline=Amount(2, Unit.DAYS))
    assert due_at(rule, read_base("2026-03-05"), BEST).not_after == datetime(2026, 3, 11, tzinfo=SHANGHAI)


def test_windows_that_open_after_the_deadline_give_no_time() -> None:
    rule = after(1, Unit.DAYS, deadline=Amount(2, Unit.DAYS))
    assert due_at(rule, read_base("2026-09-30"), BEST).due_at is None  # seven days of holiday


@pytest.mark.parametrize("text", ["", "2026-02-30", "3月5日", "2026/03/05", "明天"])
def test_what_is_no_iso_date_is_no_base(text: str) -> None:
    assert read_base(text) is None


_rules = st.builds(
    after,
    st.integers(0, 40),
    st.sampled_from(Unit),
    every=st.integers(0, 6),
    evening=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(_rules, st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)), st.integers(0, 5), st.booleans())
def test_a_due_time_is_never_before_its_event_nor_outside_the_windows(
    rule: Rule, base: datetime, occurrence: int, with_time: bool
) -> None:
    base = read_base(base.strftime("%Y-%m-%d %H:%M" if with_time else "%Y-%m-%d"))
    found = due_at(rule, base, BEST, occurrence)
    if found.due_at is not None:
        assert found.due_at >= base.at
        assert found.due_at < found.not_after
        assert is_open(BEST, found.due_at)
