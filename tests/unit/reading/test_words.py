"""Open questions."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, Reading, read
from followup.reading.words import adds_a_wish


def test_the_words_are_kept_as_they_were_typed() -> None:
    assert read(Asked("open"), Heard("  價格再低一點,OK? ")) == Reading("價格再低一點,OK?", "open:words", "weak")


@pytest.mark.parametrize("text", ["没有了", "没有", "没什么建议", "暂时没有", "没了", "就这些", "沒有意見"])
def test_nothing_to_add_is_an_answer(text: str) -> None:
    reading = read(Asked("open"), Heard(text))
    assert reading and (reading.value, reading.how) == (text, "open:nothing")


def test_an_emoji_alone_says_nothing() -> None:
    assert read(Asked("open"), Heard("👍")) is None


@pytest.mark.parametrize("text", ["没啥意见，下次包厚点", "没什么，就是快一点就好", "没有，希望越做越好", "没，以后别老打电话", "没有 下次送货提前说一声"])
def test_a_wish_behind_a_no_is_a_wish(text: str) -> None:
    assert adds_a_wish(text)
    reading = read(Asked("open"), Heard(text, intent="nothing_to_add"))
    assert reading and (reading.value, reading.how) == (text, "open:words")


@pytest.mark.parametrize("text", ["没有了，再见", "没意见，挺好的", "没有，下次再聊吧", "暂时没有，以后再说", "没，以后有需要联系你", "没了，早点休息"])
def test_a_courtesy_behind_a_no_is_none(text: str) -> None:
    assert not adds_a_wish(text)
