"""The score sheet's file, and the reading of a filled one."""

from __future__ import annotations

from typing import Any

import pytest

from followup.console.quality.sheet import BadScore, Criterion, SheetError, criteria_of, kept, read_scores, read_sheet, sheet

TWO = [{"id": "phrases", "name": "规范用语", "points": 60}, {"id": "records", "name": "记录", "points": 40}]


def test_the_consoles_sheet_adds_up_and_every_criterion_is_described() -> None:
    assert sum(one.points for one in sheet().criteria) == 100
    assert all(one.description for one in sheet().criteria)
    assert {"phrases", "accuracy", "empathy", "records"} <= {one.id for one in sheet().criteria}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "没有 criteria"),
        ([{"id": "phrases", "name": "规范用语", "points": 60}], "相加是 60"),
        ([*TWO[:1], {"id": "phrases", "name": "又一次", "points": 40}], "出现了两次"),
        ([{"id": "规范", "name": "规范用语", "points": 100}], "第 1 项"),
        ([*TWO[:1], {"id": "records", "points": 40}], "第 2 项"),
        ([{"id": "a", "name": "甲", "points": True}, TWO[1]], "第 1 项"),
        ([{"id": "a", "name": "甲", "points": -1}, TWO[1]], "第 1 项"),
        (["规范用语"], "第 1 项"),
    ],
)
def test_a_sheet_that_cannot_be_used_says_where(rows: Any, words: str) -> None:
    with pytest.raises(SheetError, match=words):
        read_sheet({"criteria": rows})


def test_scores_from_nothing_to_the_most_are_taken() -> None:
    assert read_scores(read_sheet({"criteria": TWO}).criteria, {"score_phrases": "0", "score_records": " 40 "}) == {"phrases": 0, "records": 40}


@pytest.mark.parametrize("score", ["", "41", "-1", "4.5", "四十", "４０", "1e1", "0x1", "9" * 50_000, "1; DROP TABLE users"])
def test_a_score_that_is_none_is_refused(score: str) -> None:
    with pytest.raises(BadScore) as refused:
        read_scores(read_sheet({"criteria": TWO}).criteria, {"score_phrases": "60", "score_records": score})
    assert refused.value.criterion.id == "records"


def test_a_filled_sheet_keeps_its_criteria_when_the_file_changes() -> None:
    old = (Criterion("gone", "已经取消的项目", 30), Criterion("phrases", "规范用语", 70))
    assert [(one.id, one.name, one.points) for one in criteria_of(kept(old))] == [("gone", "已经取消的项目", 30), ("phrases", "规范用语", 70)]
    assert criteria_of(None) == sheet().criteria
