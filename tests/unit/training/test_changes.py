"""Trainers' changes in example files: what is asked for happens, and not one other character changes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pytest

from followup.nlu.examples import load_examples
from followup.settings import PROJECT_DIR
from followup.training.changes import NEW_FILE, apply, examples_in

ANSWERS = """version: "3.1"

# 回答类语料。

nlu:
# 同意。
- intent: consent
  examples: |
    - 可以
    - 行吧你问
    # 下面是口语。
    - 好啊好啊

# 业务问题，要带编号。
- intent: faq/eat_pear
  examples: |
    - [梨](product)怎么吃
"""
SPEECH = """version: "3.1"
nlu:
- intent: consent   # 电话里说的
  examples: |
    - 嗯那你问吧
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "answers.yml").write_text(ANSWERS, "utf-8")
    (tmp_path / "speech.yml").write_text(SPEECH, "utf-8")
    return tmp_path


def difference(folder: Path) -> list[str]:
    """Every line that went or came."""
    now = [line for name in ("answers.yml", "speech.yml") for line in (folder / name).read_text("utf-8").split("\n")]
    lines = difflib.unified_diff([*ANSWERS.split("\n"), *SPEECH.split("\n")], now, lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def examples(folder: Path) -> set[tuple[str, str]]:
    return {(one.text, one.intent) for one in load_examples([folder])}


def test_a_new_example_stands_behind_the_last_one_of_its_intent(folder: Path) -> None:
    assert apply([Change("add", "中，你说", "consent")], folder) == 1
    assert difference(folder) == ["+    - 中，你说"]
    assert "    - 嗯那你问吧\n    - 中，你说\n" in (folder / "speech.yml").read_text("utf-8")


def test_an_example_goes_and_its_neighbours_and_comments_stay(folder: Path) -> None:
    assert apply([Change("delete", "行吧你问", "consent")], folder) == 1
    assert difference(folder) == ["-    - 行吧你问"]


def test_a_moved_example_takes_its_entities_along(folder: Path) -> None:
    assert apply([Change("move", "梨怎么吃", "faq/eat_pear", new_intent="deny")], folder) == 1
    assert difference(folder) == ["-    - [梨](product)怎么吃", "+    - [梨](product)怎么吃"]
    assert ("梨怎么吃", "deny") in examples(folder)


def test_an_edited_example_stays_where_it_is(folder: Path) -> None:
    assert apply([Change("edit", "行吧你问", "consent", new_text="行吧，你问")], folder) == 1
    assert difference(folder) == ["-    - 行吧你问", "+    - 行吧，你问"]


def test_edited_and_moved_at_once(folder: Path) -> None:
    assert apply([Change("edit", "可以", "consent", new_text="不可以", new_intent="deny")], folder) == 1
    assert difference(folder) == ["-    - 可以", "+    - 不可以"]
    assert ("不可以", "deny") in examples(folder)


def test_edited_to_what_stands_already_it_stands_once(folder: Path) -> None:
    apply([Change("edit", "行吧你问", "consent", new_text="可以")], folder)
    assert difference(folder) == ["-    - 行吧你问"]


@pytest.mark.parametrize(
    "change",
    [
        Change("add", "中，你说", "consent"),
        Change("delete", "可以", "consent"),
        Change("move", "梨怎么吃", "faq/eat_pear", new_intent="deny"),
        Change("edit", "行吧你问", "consent", new_text="行吧，你问"),
        Change("add", "全新的话", "brand_new"),
    ],
)
def test_twice_comes_to_the_same_as_once(folder: Path, change: Change) -> None:
    apply([change], folder)
    before = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert apply([change], folder) == 0
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == before


def test_what_is_there_is_not_added_again_whatever_file_it_is_in(folder: Path) -> None:
    assert apply([Change("add", "可以", "consent"), Change("add", "梨怎么吃", "faq/eat_pear")], folder) == 0
    assert difference(folder) == []


def test_what_is_not_there_cannot_be_deleted(folder: Path) -> None:
    assert apply([Change("delete", "可以", "deny")], folder) == 0
    assert difference(folder) == []


def test_a_new_intent_gets_a_block_of_its_own(folder: Path) -> None:
    apply([Change("add", "一", "faq/new"), Change("add", "二", "faq/new"), Change("add", "三", "other_new")], folder)
    assert difference(folder) == []
    assert {("一", "faq/new"), ("二", "faq/new"), ("三", "other_new")} <= examples(folder)
    assert (folder / NEW_FILE).read_text("utf-8").endswith("    - 二\n\n- intent: other_new\n  examples: |\n    - 三\n")


def test_a_text_that_looks_like_yaml_is_only_a_text(folder: Path) -> None:
    apply([Change("add", "intent: 是什么: #1", "consent"), Change("add", "- intent: deny", "deny")], folder)
    assert {("intent: 是什么: #1", "consent"), ("- intent: deny", "deny")} <= examples(folder)
    assert apply([Change("add", "真的", "deny")], folder) == 1
    assert ("真的", "deny") in examples(folder)


@pytest.mark.parametrize("text", ["", "  ", "一\n二", "一\u2028二"])
def test_an_example_is_one_line(folder: Path, text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        apply([Change("add", text, "consent")], folder)
    assert difference(folder) == []


def test_every_example_of_the_product_can_be_taken_out_and_only_it_goes(tmp_path: Path) -> None:
    for path in (PROJECT_DIR / "data" / "nlu").glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    before = load_examples([tmp_path])
    chosen = before[:: len(before) // 60]
    assert apply([Change("delete", one.text, one.intent) for one in chosen], tmp_path) == len(set(chosen))
    assert load_examples([tmp_path]) == [one for one in before if one not in set(chosen)]


def test_the_examples_are_those_that_are_trained_on() -> None:
    folder = PROJECT_DIR / "data" / "nlu"
    assert examples_in(folder) == [(one.text, one.intent) for one in load_examples([folder])]
