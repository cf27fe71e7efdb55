from __future__ import annotations

from datetime import date

from followup.console.campaigns.month import Month


def test_a_month_is_shown_in_whole_weeks_from_monday() -> None:
    month = Month(date(2026, 2, 1), {date(2026, 2, 28): 5})
    weeks = month.weeks
    assert weeks[0][0].day == date(2026, 1, 26) and not weeks[0][0].inside
    assert weeks[-1][-1].day == date(2026, 3, 1)
    assert [cell.content for week in weeks for cell in week if cell.content] == [5]
    assert (month.name, month.before, month.after) == ("2026年2月", "2026-01", "2026-03")


def test_the_year_turns_in_both_directions() -> None:
    assert (Month(date(2026, 12, 1), {}).after, Month(date(2026, 1, 1), {}).before) == ("2027-01", "2025-12")


def test_days_off_and_days_worked_instead_are_marked() -> None:
    notes = {cell.day: cell.note for week in Month(date(2026, 10, 1), {}).weeks for cell in week}
    assert notes[date(2026, 10, 1)] == "休" and notes[date(2026, 10, 14)] == ""
