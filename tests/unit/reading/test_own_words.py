"""Words that mean yes or no to one question only."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read

COMPLETE = Asked("yes_no", yes=("齐全", "完好"), no=("缺货", "少了", "破损"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("齐全", True),
        ("都挺齐全的，谢谢", True),
        ("不太齐全", False),
        ("没少了什么", True),
        ("少了一双筷子", False),
        ("齐全是齐全，就是少了说明书", False),
        ("都有", True),
        ("没有", False),
    ],
)
def test_its_own_words_are_heard_before_the_usual_ones(text: str, value: bool) -> None:
    reading = read(COMPLETE, Heard(text))
    assert reading is not None and reading.value is value


def test_a_question_back_is_no_answer() -> None:
    assert read(COMPLETE, Heard("缺货吗？")) is None
