"""Open questions."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, Reading, read


def test_the_words_are_kept_as_they_were_typed() -> None:
    assert read(Asked("open"), Heard("  價格再低一點,OK? ")) == Reading("價格再低一點,OK?", "open:words", "weak")


@pytest.mark.parametrize("text", ["没有了", "没有", "没什么建议", "暂时没有", "没了", "就这些", "沒有意見"])
def test_nothing_to_add_is_an_answer(text: str) -> None:
    reading = read(Asked("open"), Heard(text))
    assert reading and (reading.value, reading.how) == (text, "open:nothing")


def test_an_emoji_alone_says_nothing() -> None:
    assert read(Asked("open"), Heard("👍")) is None
