"""What a remark is about, and whom it names."""

from __future__ import annotations

import pytest

from followup.dialogue.aspects import may_be_said_of_somebody, speaks_of_another_side, subjects_in


def test_two_words_for_the_same_person_are_one_subject() -> None:
    assert subjects_in("工长不错") == subjects_in("对工人、工队满意吗？") != frozenset()
    assert subjects_in("设计师不错").isdisjoint(subjects_in("工长不错"))
    assert subjects_in("都挺好") == frozenset()


def test_who_is_waited_for_is_not_spoken_of() -> None:
    assert subjects_in("等大夫等了俩小时") == frozenset()
    assert subjects_in("大夫让我等了俩小时") == subjects_in("医生")


@pytest.mark.parametrize(
    ("text", "asked", "another"),
    [
        ("药有点贵", ("environment",), True),
        ("价格太高", ("staff", "attitude"), True),
        ("干活太慢了", ("staff", "attitude"), False),  # slow work is a fault of who does it
        ("有点贵，服务也差", ("service",), False),
        ("不太满意", ("environment",), False),
        ("药有点贵", (), False),
    ],
)
def test_a_price_is_none_of_the_rooms(text: str, asked: tuple[str, ...], another: bool) -> None:
    assert speaks_of_another_side(text, asked) is another


def test_patience_is_somebodys_a_price_is_not() -> None:
    assert may_be_said_of_somebody("挺有耐心") and may_be_said_of_somebody("还行")
    assert not may_be_said_of_somebody("有点贵")
