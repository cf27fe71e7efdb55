"""A reason that was given is not asked for again."""

from __future__ import annotations

import pytest

from followup.dialogue.reason import states_reason


@pytest.mark.parametrize(
    "text",
    ["价格有点贵", "太慢了", "等了两个星期", "业务员爱理不理的", "手续太麻烦", "合同上写的跟说的不一样", "利息比银行高", "包装都压扁了", "不满意，因为没人管"],
)
def test_these_say_why(text: str) -> None:
    assert states_reason(text)


@pytest.mark.parametrize(
    "text",
    ["不满意", "不太满意", "很不满意", "不怎么样", "不是很好", "一点都不满意", "我觉得不行", "服务不好", "价格不满意吧", "差劲", "说实话不太满意"],
)
def test_these_only_say_that_it_was_bad(text: str) -> None:
    assert not states_reason(text)
