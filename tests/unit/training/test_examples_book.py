"""What trainers see is what the files will hold, and what may not be trained on is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from followup.console.transcripts.masking import Mask
from followup.training.changes import apply, examples_in
from followup.training.examples_book import Book, overlay
from followup.training.examples_near import Frozen, Index

LINES = [("挺满意的", "satisfied"), ("服务态度特别好", "satisfied"), ("一般般吧", "neutral"), ("没有了", "nothing_to_add"), ("不是", "deny")]
FROZEN = Frozen([("师傅手艺真不错啊", "satisfied"), ("行吧", "neutral")])
FILE = """version: "3.1"
nlu:
- intent: satisfied
  examples: |
    - 挺满意的
    # 一句注释
    - [服务态度](aspect)特别好
- intent: neutral
  examples: |
    - 一般般吧
- intent: nothing_to_add
  examples: |
    - 没有了
- intent: deny
  examples: |
    - 不是
"""


@dataclass
class Change:
    kind: str
    text: str
    intent: str
    new_text: str = ""
    new_intent: str = ""


def book(*changes: Change) -> Book:
    return Book(LINES, changes, FROZEN)


@pytest.mark.parametrize(
    "changes",
    [
        [Change("add", "真好", "satisfied")],
        [Change("delete", "挺满意的", "satisfied"), Change("delete", "没有这句", "satisfied")],
        [Change("move", "一般般吧", "neutral", new_intent="satisfied")],
        [Change("move", "谁也没说过", "neutral", new_intent="satisfied")],
        [Change("edit", "服务态度特别好", "satisfied", new_text="服务特别好")],
        [Change("edit", "谁也没说过", "satisfied", new_text="服务特别好")],
        [Change("edit", "挺满意的", "satisfied", new_text="服务态度特别好")],
        [Change("edit", "挺满意的", "satisfied", new_text="还凑合", new_intent="neutral")],
        [Change("add", "真好", "satisfied"), Change("edit", "真好", "satisfied", new_text="真不错"), Change("delete", "真不错", "satisfied")],
    ],
)
def test_what_is_shown_is_what_the_files_will_hold(changes: list[Change], tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(FILE, "utf-8")
    before = examples_in(tmp_path)
    apply(changes, tmp_path)
    assert set(overlay(before, changes)) == set(examples_in(tmp_path))


@pytest.mark.parametrize(
    ("text", "intent", "why"),
    [
        ("价格也很公道", "satisfied", ""),
        ("  ", "satisfied", "empty"),
        ("好" * 201, "satisfied", "too_long"),
        ("很好\n谢谢", "satisfied", "several_lines"),
        ("价格也很公道", "happy", "unknown_intent"),
        ("我电话13812345678", "satisfied", "personal"),
        ("我电话138****5678", "satisfied", "personal"),
        ("我是李**先生", "satisfied", "personal"),
        ("家住人民路18号3单元", "satisfied", "personal"),
        ("师傅手艺真不错啊！", "satisfied", "frozen"),
        ("师傅的手艺真不错啊", "neutral", ""),
        ("行吧", "satisfied", "frozen"),
        ("行吧", "neutral", ""),
        ("一般般吧。", "satisfied", "conflict"),
        ("挺满意的", "satisfied", "there_already"),
    ],
)
def test_what_may_not_be_trained_on_is_refused(text: str, intent: str, why: str) -> None:
    assert book().check(text, intent) == why


def test_the_customers_own_name_is_found_by_the_talk_it_came_from() -> None:
    assert book().check("小满这边都挺顺利", "satisfied") == ""
    assert book().check("小满这边都挺顺利", "satisfied", Mask(["小满"])) == "personal"


def test_an_edit_is_not_in_conflict_with_what_it_replaces() -> None:
    assert book().check("一般般吧！", "satisfied", instead_of=("一般般吧", "neutral")) == ""


def test_while_typing_the_same_elsewhere_stands_apart_from_what_is_only_near() -> None:
    found = book(Change("add", "服务态度特别好啊", "neutral")).look("服务态度特别好", "neutral")
    assert [one.text for one in found.same_elsewhere] == ["服务态度特别好"]
    assert [one.text for one in found.near_here] == ["服务态度特别好啊"]
    assert found.refused == "conflict"


def test_counts_follow_the_open_changes() -> None:
    assert book(Change("add", "真好", "satisfied"), Change("delete", "不是", "deny")).counts == {"neutral": 1, "nothing_to_add": 1, "satisfied": 3}


def test_changed_examples_come_first() -> None:
    assert [one.text for one in book(Change("add", "真好", "satisfied")).examples("satisfied")][0] == "真好"


def test_votes_come_from_the_examples_that_share_most() -> None:
    assert Index(LINES).votes("你们服务态度好")[0][0] == "satisfied"
    assert Index(LINES).votes("！！") == []
