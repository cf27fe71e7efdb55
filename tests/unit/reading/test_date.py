"""Birthdays and other dates."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from followup.reading import Asked, Heard, read

NOW = datetime(2026, 11, 25, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai"))


def day(text: str, now: datetime | None = NOW) -> str | None:
    reading = read(Asked("date"), Heard(text, reference=now))
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "value"), [
    ("1990年3月5号", "1990-03-05"), ("90年3月5日", "1990-03-05"), ("一九九〇年三月五日", "1990-03-05"), ("19900305", "1990-03-05"), ("1990.3.5", "1990-03-05"), ("2026-11-20", "2026-11-20"),
    ("三月五号", "03-05"), ("3月5号", "03-05"), ("我生日是十二月二十五", "12-25"), ("11/20", "11-20"), ("2月29号", "02-29"), ("昨天", "2026-11-24"), ("前天买的", "2026-11-23"), ("上周五", "2026-11-20"),
    ("三天前", "2026-11-22"), ("一个月前", "2026-10-25"), ("去年十月一号", "2025-10-01"), ("上个月15号", "2026-10-15"), ("明天", "2026-11-26"), ("3月5号,不对,3月6号", "03-06"),
])
def test_a_date_is_read(text: str, value: str) -> None:
    assert day(text) == value


@pytest.mark.parametrize("text", ["2月30日", "2025年2月29日", "13月1号", "农历八月十五", "八月初五", "不知道", "下个月", "保密"])
def test_no_usable_date(text: str) -> None:
    assert day(text) is None


def test_a_relative_date_needs_the_moment_of_speaking() -> None:
    assert day("昨天", None) is None
    assert day("1990年3月5号", None) == "1990-03-05"
