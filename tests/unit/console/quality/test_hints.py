"""What stands out in a talk before a person judges it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from followup.console.quality.hints import Hint, hints
from followup.console.quality.sheet import sheet
from followup.console.transcripts.detail import Line
from followup.settings import SHANGHAI

BEGIN = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


def line(number: int, text: str, *, mine: bool = True, speaker: str = "", intent: str | None = None, seconds: int = 0, failed: bool = False) -> Line:
    return Line(
        id=number, mine=mine, speaker=speaker, text=text, at=BEGIN + timedelta(seconds=seconds), intent=intent, confidence=0.9,
        unsure=False, acts=[], buttons=[], failed=failed, to_colleague=False, delivery=None,
    )  # fmt: skip


def view(*lines: Line, outcome: str | None = "completed", **more: Any) -> Any:
    case = SimpleNamespace(outcome=outcome, status=more.pop("status", "closed"))
    return SimpleNamespace(lines=lines, case=case, **{"answers": [], "tickets": [], "callbacks": [], **more})


def found(talk: Any, criterion: str) -> list[Hint]:
    return [hint for hint in hints(talk, sheet()) if hint.criterion == criterion]


def test_a_good_talk_gives_no_hint() -> None:
    assert hints(view(line(1, "您好！请问您对我们的服务满意吗？"), line(2, "满意", mine=False, intent="satisfied"), line(3, "谢谢您。")), sheet()) == []


def test_forbidden_phrases_are_found_in_our_lines_only() -> None:
    (hint,) = found(view(line(1, "我不知道", mine=False), line(2, "这个嘛，我不知道。", speaker="小王")), "phrases")
    assert hint.message_id == 2 and "小王" in hint.text


@pytest.mark.parametrize(("reply", "count"), [("好的，下一个问题。", 1), ("非常抱歉，给您添麻烦了。", 0), ("我理解您的心情。", 0)])
def test_an_upset_customer_should_be_comforted_before_the_next_question(reply: str, count: int) -> None:
    talk = view(line(1, "太差了", mine=False, intent="complain"), line(2, "嗯。"), line(3, reply), line(4, "好", mine=False))
    assert len(found(talk, "empathy")) == count


def test_comfort_that_comes_after_the_customer_spoke_again_is_too_late() -> None:
    talk = view(line(1, "太差了", mine=False, intent="dissatisfied"), line(2, "下一题。"), line(3, "喂", mine=False), line(4, "抱歉。"))
    assert [hint.message_id for hint in found(talk, "empathy")] == [1]


def test_what_nobody_answered_is_no_lack_of_comfort() -> None:
    assert found(view(line(1, "太差了", mine=False, intent="complain")), "empathy") == []


@pytest.mark.parametrize(("seconds", "speaker", "count"), [(120, "小王", 0), (121, "小王", 1), (121, "", 0)])
def test_a_colleague_who_lets_the_customer_wait_is_told(seconds: int, speaker: str, count: int) -> None:
    talk = view(line(1, "在吗", mine=False), line(2, "还在吗", mine=False, seconds=100), line(3, "在的。", speaker=speaker, seconds=seconds))
    assert len(found(talk, "procedure")) == count


@pytest.mark.parametrize(
    ("more", "count"),
    [({"outcome": "complained"}, 1), ({"outcome": "complained", "tickets": [1]}, 0), ({"outcome": "appointed", "status": "waiting"}, 1),
     ({"outcome": "appointed", "callbacks": [1]}, 0), ({"outcome": None}, 1), ({"outcome": None, "status": "open"}, 0)],
)  # fmt: skip
def test_records_that_are_missing_are_told(more: dict[str, Any], count: int) -> None:
    assert len(found(view(**more), "records")) == count


def test_what_was_not_sent_is_told() -> None:
    assert [hint.message_id for hint in found(view(line(1, "您好", failed=True)), "accuracy")] == [1]
