"""What a correction's form gives, held against what reading would have given."""

from __future__ import annotations

from typing import Any

import pytest

from followup.console.transcripts.controls import NOTHING_SAID, OTHER, BadValue, Control, control_of, value_of
from followup.reading import Asked, Heard, read
from followup.scripts.model import Option, Question

SOURCE = Question("source", "choice", options=(Option("朋友介绍"), Option("网络广告")), other=True)
NEEDS = Question("needs", "choice", options=(Option("试驾"), Option("报价")), multiple=True, other=True)


@pytest.mark.parametrize(
    ("question", "form", "value"),
    [
        (Question("price", "scale3"), {"value": "很满意"}, "很满意"),
        (Question("price", "scale5"), {"value": "非常不满意"}, "非常不满意"),
        (SOURCE, {"value": "网络广告"}, "网络广告"),
        (SOURCE, {"value": OTHER, "other": " 路过 "}, "路过"),
        (Question("arrived", "yes_no"), {"value": "true"}, True),
        (Question("arrived", "confirm"), {"value": "false"}, False),
        (Question("score", "score", low=1, high=10), {"value": "8"}, 8),
        (Question("score", "score", low=1, high=10), {"value": "7.5"}, 7.5),
        (Question("age", "number"), {"value": "-3"}, -3),
        (Question("bad", "quantity_of"), {"bad": "3", "total": "6"}, {"bad": 3, "total": 6, "ratio": 0.5, "at_least_half": True}),
        (Question("bad", "quantity_of"), {"bad": "0", "total": ""}, {"bad": 0, "total": None, "ratio": 0.0, "at_least_half": False}),
        (Question("when", "datetime"), {"value": "2026-11-23T15:00"}, {"start": "2026-11-23T15:00:00", "end": "2026-11-23T15:00:00", "precision": "minute"}),
        (Question("birthday", "date"), {"value": "02-29"}, "02-29"),
        (Question("phone", "phone"), {"value": "138 1234 5678"}, "13812345678"),
        (Question("suggestions", "open"), {"value": "没有"}, "无"),
        (Question("suggestions", "open"), {"value": "再快一点"}, "再快一点"),
        (Question("price", "scale3"), {"value": NOTHING_SAID}, None),
        (Question("suggestions", "open"), {"value": "", "none": "1"}, None),
    ],
)
def test_a_form_gives_the_value_that_reading_would_give(question: Question, form: dict[str, str], value: Any) -> None:
    given = value_of(control_of(question, None), form)
    assert given == value and type(given) is type(value)


def test_several_options_come_in_their_own_order_with_other_words_last() -> None:
    control = control_of(NEEDS, None)
    assert value_of(control, {"other": "看现车"}, [OTHER, "报价", "试驾"]) == ["试驾", "报价", "看现车"]
    assert value_of(control, {}, []) == []


def test_the_total_of_the_order_completes_a_quantity() -> None:
    control = control_of(Question("bad", "quantity_of", total="box_count"), None, "12")
    assert value_of(control, {"bad": "3", "total": ""}) == {"bad": 3, "total": 12, "ratio": 0.25, "at_least_half": False}


@pytest.mark.parametrize(
    ("question", "form", "key"),
    [
        (Question("price", "scale3"), {"value": "满意"}, "bad_option"),
        (SOURCE, {"value": OTHER, "other": " "}, "no_text"),
        (Question("arrived", "yes_no"), {"value": "是"}, "bad_option"),
        (Question("score", "score", low=1, high=10), {"value": "11"}, "out_of_bounds"),
        (Question("score", "score", low=1, high=10), {"value": "nan"}, "bad_number"),
        (Question("score", "score", low=1, high=10), {"value": "1e3"}, "bad_number"),
        (Question("bad", "quantity_of"), {"bad": "7", "total": "6"}, "bad_quantity"),
        (Question("bad", "quantity_of"), {"bad": "0", "total": "0"}, "bad_quantity"),
        (Question("bad", "quantity_of"), {"bad": "", "total": "6"}, "bad_quantity"),
        (Question("bad", "quantity_of"), {"bad": "1", "total": "六"}, "bad_quantity"),
        (Question("when", "datetime"), {"value": "明天"}, "bad_time"),
        (Question("when", "datetime"), {"value": "2026-11-23"}, "bad_time"),
        (Question("when", "datetime"), {"value": "2026-11-23T15:00+08:00"}, "bad_time"),
        (Question("birthday", "date"), {"value": "02-30"}, "bad_date"),
        (Question("phone", "phone"), {"value": "12345"}, "bad_phone"),
        (Question("suggestions", "open"), {"value": "  "}, "no_text"),
        (Question("sum", "compute"), {"value": "1"}, "bad_option"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(question: Question, form: dict[str, str], key: str) -> None:
    with pytest.raises(BadValue) as refused:
        value_of(control_of(question, None), form)
    assert refused.value.key == key


def test_an_option_from_elsewhere_is_refused() -> None:
    with pytest.raises(BadValue):
        value_of(control_of(NEEDS, None), {}, ["试驾", "<b>"])


@pytest.mark.parametrize(("bad", "total"), [(3, 6), (2, 12), (0, 6), (6, 6)])
def test_a_quantity_is_the_same_as_the_one_read_from_words(bad: int, total: int) -> None:
    reading = read(Asked("quantity_of"), Heard(f"{total}个里坏了{bad}个"))
    assert reading is not None
    assert value_of(Control("quantity"), {"bad": str(bad), "total": str(total)}) == reading.value


@pytest.mark.parametrize(("value", "kind"), [(True, "yes_no"), (8, "number"), ("很满意", "text"), ({"a": 1}, "none"), (None, "text")])
def test_an_unknown_question_gets_a_form_that_suits_the_value(value: Any, kind: str) -> None:
    assert control_of(None, value).kind == kind
