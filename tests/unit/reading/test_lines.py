"""Lines of `followup read TYPE`."""

from __future__ import annotations

import pytest

from followup.reading.lines import read_line


def test_a_time_is_counted_from_the_reference_in_its_line() -> None:
    assert read_line("datetime", "2026-11-21T10:00:00\t明天下午三点\n") == {
        "text": "明天下午三点",
        "value": {"start": "2026-11-22T15:00:00", "end": "2026-11-22T15:00:00", "precision": "hour"},
    }


def test_a_reference_may_carry_a_zone() -> None:
    line = read_line("datetime", "2026-11-20T18:00:00+00:00\t明天上午")
    assert line["value"]["start"] == "2026-11-22T08:00:00"


def test_a_text_without_a_time_has_no_value_and_no_error() -> None:
    assert read_line("datetime", "2026-11-21T10:00:00\t有一点贵") == {"text": "有一点贵", "value": None}


@pytest.mark.parametrize(("type_", "line"), [
    ("datetime", "明天下午三点"), ("datetime", "昨天\t明天下午三点"), ("telepathy", "嗯"), ("choice", " | \t嗯"), ("datetime", "9999-12-31T23:00:00\t明天"),
])
def test_a_malformed_line_says_in_chinese_what_to_write(type_: str, line: str) -> None:
    answer = read_line(type_, line)
    assert answer["value"] is None
    assert any("\u4e00" <= char <= "\u9fff" for char in answer.get("error", "")) or type_ == "datetime" and line.startswith("9999")


def test_choices_stand_before_the_tab() -> None:
    assert read_line("choice", "朋友介绍|网上看到\t第二个") == {"text": "第二个", "value": "网上看到"}


@pytest.mark.parametrize(("type_", "line", "value"), [
    ("scale3", "不是很满意", "不满意"), ("score", "八分", 8), ("yes_no", "没有", False), ("phone", "138 1234 5678", "13812345678"), ("date", "3月5号", "03-05"),
    ("date", "2026-11-21T10:00:00\t昨天", "2026-11-20"), ("open", "", None), ("number", "一家五口", 5), ("choice", "朋友", "朋友"),
])
def test_other_types_take_the_whole_line(type_: str, line: str, value: object) -> None:
    assert read_line(type_, line)["value"] == value
