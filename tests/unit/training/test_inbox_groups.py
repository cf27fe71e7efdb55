"""Lines that are alike come together, always in the same way, and never with their opposite."""

from __future__ import annotations

import random

from followup.training.inbox_groups import groups


def together(*texts: str) -> list[list[str]]:
    return [[texts[number] for number in group.ids] for group in groups(enumerate(texts))]


def test_what_differs_in_punctuation_spaces_and_numbers_is_one_group() -> None:
    assert together("这个得问我爱人！", "这个 得问我爱人", "给你打8分", "给你打10分。") == [["这个得问我爱人！", "这个 得问我爱人"], ["给你打8分", "给你打10分。"]]


def test_nearly_the_same_line_joins_the_more_frequent_one() -> None:
    (group,) = together("车子方向盘抖得厉害", "车子方向盘抖得很厉害", "车子方向盘抖得厉害")
    assert group == ["车子方向盘抖得厉害", "车子方向盘抖得厉害", "车子方向盘抖得很厉害"]


def test_the_opposite_never_joins() -> None:
    assert len(together("我对你们的服务很满意", "我对你们的服务很不满意")) == 2
    assert len(together("以后可以给我打电话的", "以后别给我打电话的")) == 2


def test_what_has_nothing_in_common_stays_alone() -> None:
    assert len(together("我在开车", "苹果烂了一半", "？？？", "👍")) == 4


def test_every_line_is_in_one_group_and_the_order_of_arrival_does_not_matter() -> None:
    draw = random.Random(7)
    words = ["车子", "方向盘", "抖", "得", "厉害", "不", "满意", "服务", "太", "慢"]
    lines = [(number, "".join(draw.choices(words, k=draw.randint(1, 6)))) for number in range(300)]
    found = groups(lines)
    assert sorted(number for group in found for number in group.ids) == list(range(300))
    draw.shuffle(lines)
    assert groups(lines) == found
    assert [len(group.ids) for group in found] == sorted((len(group.ids) for group in found), reverse=True)
