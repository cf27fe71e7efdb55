"""The talks shown in docs/zh/examples are as they would be held today, and there are enough of them."""

from __future__ import annotations

import pytest

from followup.scripts.load import script_files
from tests.e2e.dialogue_file import DialogueFile
from tests.e2e.examples import PAGES, PEOPLE, TRADES, index, page, shown, talk_files


def test_every_trade_with_scripts_has_a_page() -> None:
    assert set(TRADES) == {path.parent.name for path in script_files()} == {path.name for path in PEOPLE.iterdir()}


@pytest.mark.parametrize("trade", TRADES)
def test_a_trade_shows_three_persons_or_more(trade: str) -> None:
    persons = {DialogueFile.load(path).raw["person"] for path in talk_files(trade)}
    assert len(persons) == len(talk_files(trade)) >= 3


def test_every_script_is_spoken_by_somebody() -> None:
    spoken = {DialogueFile.load(path).raw["script"] for trade in TRADES for path in talk_files(trade)}
    assert spoken == {path.stem for path in script_files()}


@pytest.mark.parametrize("trade", TRADES)
def test_a_page_shows_what_was_really_said(trade: str) -> None:
    written = (PAGES / f"{trade}.md").read_text(encoding="utf-8")
    assert written == page(trade), "文档与现在的对话不同：执行 make examples"


def test_the_index_names_every_talk() -> None:
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index(), "执行 make examples"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "是"),
        (None, "（没有回答）"),
        (["转账汇款", "查账"], "转账汇款、查账"),
        ({"bad": 2, "total": 12, "amount": 11.33}, "坏2个，共12个，赔偿11.33元"),
        ({"bad": None, "total": None, "at_least_half": True}, "一半或者更多"),
        ({"first": "一般", "second": "不满意", "change": -1, "direction": "worse"}, "不如上次"),
        ({"items": 4, "percent": 75}, "75%（4项）"),
        ({"start": "2026-11-24T08:00:00", "end": "2026-11-24T12:00:00", "precision": "day_part"}, "11月24日（周二）上午"),
        ({"start": "2026-11-25T15:00:00", "end": "2026-11-25T15:00:00", "precision": "hour"}, "11月25日（周三）15:00"),
        ({"start": "2026-11-28T00:00:00", "end": "2026-11-29T23:59:00", "precision": "week"}, "11月28日（周六）到11月29日（周日）"),
    ],
)
def test_an_answer_reads_like_a_sentence(value: object, words: str) -> None:
    assert shown(value) == words
