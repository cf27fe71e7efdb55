"""服务忌语: what counts as saying them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from followup.scripts.forbidden import Forbidden, from_rows, said_in
from followup.scripts.load import SCRIPTS_DIR


def test_a_phrase_is_heard_anywhere_in_a_sentence():
    assert Forbidden("这是规定").said_in("没有办法，这是规定。")


def test_you_and_you_are_one():
    assert Forbidden("你到底要不要").said_in("您到底要不要办？")


def test_punctuation_and_blanks_do_not_hide_a_phrase():
    assert Forbidden("我不知道").said_in("我 不，知道")


@pytest.mark.parametrize(("text", "said"), [("什么？", True), ("您说，什么", True), ("请问您什么时候方便？", False)])
def test_some_phrases_are_forbidden_only_as_a_whole_clause(text, said):
    assert Forbidden("什么", whole=True).said_in(text) is said


@pytest.mark.parametrize(
    ("text", "said"), [("您找财务部去问", True), ("您找去问", False), ("您找我，我替您到别的部门去问", False)]
)
def test_crosses_stand_for_a_few_words(text, said):
    assert Forbidden("你找××去问").said_in(text) is said


def test_rows_without_a_phrase_are_passed_over():
    assert from_rows([{"instead": "好"}, None, {"phrase": "？"}, {"phrase": "喂", "whole": True}]) == [
        Forbidden("喂", whole=True)
    ]


def test_the_shipped_list_forbids_something_and_offers_something_better():
    path = Path(SCRIPTS_DIR.parent, "lexicon", "forbidden.yml")
    phrases = from_rows(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    assert len(phrases) > 20
    assert [p.phrase for p in phrases if not (p.instead and p.source)] == []
    assert [p.phrase for p in phrases if list(said_in(p.instead, phrases))] == []
