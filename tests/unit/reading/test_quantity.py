"""How many of how many (fruit_order: from one half on the customer chooses)."""

from __future__ import annotations

from typing import Any

import pytest

from followup.reading import Asked, Heard, read


def quantity(text: str) -> dict[str, Any] | None:
    reading = read(Asked("quantity_of"), Heard(text))
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "bad", "total", "half"), [
    ("三个坏了,一共十二个", 3, 12, False), ("十二个里坏了三个", 3, 12, False), ("3/12", 3, 12, False), ("12个里面有3个是坏的", 3, 12, False), ("一共12个坏了3个", 3, 12, False),
    ("收到10个,烂了6个", 6, 10, True), ("十个坏了六个", 6, 10, True), ("一箱十二个烂了五个", 5, 12, False), ("总共二十个,只有三个好的", 17, 20, True), ("坏的有4个 总共9个", 4, 9, False),
    ("烂了两斤,买了五斤", 2, 5, False), ("两个,一共十个", 2, 10, False), ("一共十个全坏了", 10, 10, True), ("十个里有五个不能吃", 5, 10, True), ("壞了兩個,總共八個", 2, 8, False),
])
def test_both_numbers(text: str, bad: int, total: int, half: bool) -> None:
    value = quantity(text)
    assert value == {"bad": bad, "total": total, "ratio": round(bad / total, 4), "at_least_half": half}


@pytest.mark.parametrize(("text", "bad"), [("就两个", 2), ("三个", 3), ("坏了三个", 3), ("2个坏的", 2), ("两箱里有五个坏的", 5), ("坏了五六个", 5)])
def test_only_the_bad_ones(text: str, bad: int) -> None:
    assert quantity(text) == {"bad": bad, "total": None, "ratio": None, "at_least_half": None}


@pytest.mark.parametrize(("text", "ratio", "half"), [
    ("一半", 0.5, True), ("百分之三十", 0.3, False), ("60%", 0.6, True), ("三分之一", 0.3333, False), ("三分之二", 0.6667, True), ("三成", 0.3, False), ("全坏了", 1.0, True), ("都烂了", 1.0, True),
    ("一半多", None, True), ("坏了一大半", None, True), ("大部分都烂了", None, True), ("不到一半", None, False), ("一小半", None, False), ("坏了一点点", None, False),
])
def test_a_share(text: str, ratio: float | None, half: bool) -> None:
    assert quantity(text) == {"bad": None, "total": None, "ratio": ratio, "at_least_half": half}


@pytest.mark.parametrize("text", ["没坏", "没有坏的", "都是好的", "一个都没坏"])
def test_none_is_bad(text: str) -> None:
    value = quantity(text)
    assert value is not None and value["bad"] == 0 and value["at_least_half"] is False


@pytest.mark.parametrize("text", ["不知道", "坏了几个", "三天", "还没看", "十二个里坏了三十个"])
def test_no_quantity(text: str) -> None:
    assert quantity(text) is None


def test_a_spot_on_a_fruit_is_not_a_number_of_fruits() -> None:
    assert read(Asked("quantity_of"), Heard("烂了一小块，路上压的吧")) is None


@pytest.mark.parametrize("text", ["对 赔一半就行", "退我一半的钱", "一箱12个", "补发两个"])
def test_what_is_asked_for_or_what_the_box_held_is_no_count_of_what_is_spoiled(text: str) -> None:
    assert quantity(text) is None


def test_what_is_bruised_is_spoiled_too() -> None:
    assert quantity("嗯还行就是有三个磕坏了") == {"bad": 3, "total": None, "ratio": None, "at_least_half": None}
