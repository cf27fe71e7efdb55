"""Dates of customer lists: every usual way of writing one, and what is told about the others."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.contacts.dates import DateError, is_date_header, looks_like_date, read_date

FIFTH_OF_MARCH = [
    "2026-03-05", "2026/3/5", "2026.3.5", "2026年3月5日", "2026年03月05号", "20260305", "46086", "2026-03-05 00:00:00",
    "２０２６－０３－０５", "'2026-03-05",
]  # fmt: skip


@pytest.mark.parametrize("written", FIFTH_OF_MARCH)
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert read_date(written) == "2026-03-05"


@pytest.mark.parametrize(
    "written",
    ["2026-03-05 14:30", "2026/3/5 14:30:20", "2026-03-05T14:30:00+08:00", "2026-03-05T06:30:00Z", "2026年3月5日下午2:30", "2026年3月5日 14时30分", "46086.6041667", "2026-3-5 2:30 PM", "202603051430"],
)  # fmt: skip
def test_a_time_is_kept_in_our_own_zone(written: str) -> None:
    assert read_date(written) == "2026-03-05 14:30"


@pytest.mark.parametrize("written", ["25/12/2026", "12/25/2026", "2026-12-25"])
def test_day_and_month_behind_each_other_are_told_apart_where_only_one_can_be(written: str) -> None:
    assert read_date(written) == "2026-12-25"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2月30日", "这一天不存在"),
        ("2026-02-30", "这一天不存在"),
        ("2026年2月29日", "这一天不存在"),
        ("13/13/2026", "这一天不存在"),
        ("05/03/2026", "分不清哪个是月、哪个是日"),
        ("3月5日", "没有写年份"),
        ("26-3-5", "年份不清楚"),
        ("0026-03-05", "年份不对"),
        ("2026-03-05 25:00", "时间不对"),
        ("2026-03-05 以后", "看不懂"),
        ("明天", "不是日期"),
        ("2026", "不是日期"),
        ("99999", "不是日期"),
    ],
)
def test_what_is_no_day_or_could_be_two_is_told(written: str, words: str) -> None:
    with pytest.raises(DateError, match=words):
        read_date(written)


@given(st.dates(date(1930, 1, 1), date(2099, 12, 31)), st.times())
def test_what_is_read_is_what_was_meant(day: date, time) -> None:
    at = datetime.combine(day, time.replace(second=0, microsecond=0))
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"):
        assert read_date(f"{day:{form}}") == day.isoformat()
    assert read_date(f"{at:%Y年%m月%d日 %H:%M}") == f"{at:%Y-%m-%d %H:%M}"


@given(st.text(max_size=30))
def test_whatever_is_written_it_is_a_date_or_told_in_chinese(written: str) -> None:
    try:
        datetime.fromisoformat(read_date(written))
    except DateError as error:
        assert "“" in str(error)


def test_headers_and_cells_that_hold_dates_are_known() -> None:
    assert all(map(is_date_header, ["签收日期", "购车时间", "生日", "delivery_date", "出厂日期*"]))
    assert not any(map(is_date_header, ["车型", "日期备注", "姓名"]))
    assert looks_like_date("2026-03-05") and not looks_like_date("20260305") and not looks_like_date("46086")


@pytest.mark.parametrize("written", ["2026-03-05T00:00:00-99:99", "2026-03-05 08:00 +25:00"])
def test_a_zone_that_there_is_not_is_told(written: str) -> None:
    with pytest.raises(DateError, match="时区不对"):
        read_date(written)
