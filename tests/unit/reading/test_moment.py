"""Times as an answer, and times left to us."""

from __future__ import annotations

from datetime import datetime

import pytest

from followup.reading import Asked, Heard, Reading, read

NOW = datetime(2026, 11, 23, 10, 0)


def moment(text: str, any_time: bool = True) -> Reading | None:
    return read(Asked("datetime", any_time=any_time), Heard(text, reference=NOW))


@pytest.mark.parametrize("text", ["随时都行", "什么时候都可以", "我哪天都行", "都可以", "都行吧，你们定", "随便哪天", "时间你们定吧"])
def test_who_is_always_free_is_offered_the_next_day(text: str) -> None:
    reading = moment(text)
    assert reading is not None
    assert (reading.value["start"], reading.value["precision"]) == ("2026-11-24T00:00:00", "day")
    assert (reading.how, reading.fit) == ("datetime:any", "weak")


@pytest.mark.parametrize("text", ["越快越好", "尽快吧", "早点好"])
def test_who_cannot_wait_is_offered_the_next_day(text: str) -> None:
    reading = moment(text)
    assert reading is not None and reading.how == "datetime:soon"


@pytest.mark.parametrize("text", ["不是随时都行", "都不行", "可以", "没时间", "我再看看"])
def test_what_leaves_no_time_open_is_no_answer(text: str) -> None:
    assert moment(text) is None


def test_a_named_time_goes_before_an_open_one() -> None:
    reading = moment("明天下午随时都行")
    assert reading is not None and reading.value["start"] == "2026-11-24T14:00:00"


def test_where_no_time_was_asked_nothing_is_left_to_us() -> None:
    assert moment("都可以", any_time=False) is None
