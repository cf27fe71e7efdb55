"""`followup figures`: what is refused before anything is read, and the period when none is named."""

from __future__ import annotations

from datetime import date

import click
import pytest

from followup.cli import main
from followup.cli.figures import _days


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["survey", "--from", "2026-13-01"], "“2026-13-01”不是日期，请写成 2026-11-01 这样。"),
        (["survey", "--from", "11月1日"], "“11月1日”不是日期"),
        (["survey", "--from", "2026-11-30", "--to", "2026-11-01"], "请调换过来"),
        (["survey", "--out", "统计表.csv"], "请把“统计表.csv”改成“统计表.xlsx”"),
        (["survey", "--script", "tyre_care"], "话术“tyre_care”没有这种统计表。有的是：satisfaction_survey_form"),
        (["workshop", "--script", "satisfaction_survey_form"], "有的是：workshop_service_satisfaction"),
    ],
)
def test_bad_input_is_told_in_chinese(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["figures", *arguments])
    assert stopped.value.code != 0
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (None, None, ("2026-10-01", "2026-10-31")),  # last month
        (None, "2026-09-15", ("2026-09-01", "2026-09-15")),
        ("2026-10-10", None, ("2026-10-10", "2026-10-31")),
        ("2026-11-01", None, ("2026-11-01", "2026-11-23")),  # this month, up to now
        ("2026-11-05", "2026-11-05", ("2026-11-05", "2026-11-05")),
    ],
)
def test_without_dates_it_is_last_month(
    first: str | None, last: str | None, days: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-11-23T00:30")
    begin, end = (date.fromisoformat(day) if day else None for day in (first, last))
    assert _days(begin, end) == tuple(map(date.fromisoformat, days))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(click.ClickException):
        _days(date(2026, 11, 2), date(2026, 11, 1))
