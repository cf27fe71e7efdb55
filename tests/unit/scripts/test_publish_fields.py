from __future__ import annotations

import pytest

from followup.scripts import load, published
from followup.scripts.publish_fields import fields, put
from followup.scripts.published import Kind

TEXT = """\
# 说明
opening: >-
  您好，{customer}！
  现在方便吗？

# 题目
questions:
- id: one                # 第一题
  ask: 好吗？   # 问句
  acknowledge: {"true": [好的。, "嗯，好。"]}
closing:
  completed:
  - {say: 谢谢您的建议！, if: {one: true}}
  - 谢谢！
"""
FILES = [*load.script_files(), load.SCRIPTS_DIR / load.SHARED, *sorted(published.KNOWLEDGE.glob("*.yml"))]


def said(text: str) -> dict[str, str]:
    return {field.key: field.value for field in fields(Kind.SCRIPT, text)}


def test_the_form_shows_what_the_customer_hears():
    assert said(TEXT) == {
        "opening": "您好，{customer}！现在方便吗？",
        "questions/0/ask": "好吗？",
        "questions/0/acknowledge/true/0": "好的。",
        "questions/0/acknowledge/true/1": "嗯，好。",
        "closing/completed/0/say": "谢谢您的建议！",
        "closing/completed/1": "谢谢！",
    }


def test_only_the_sentence_that_was_changed_is_written_anew():
    assert put(Kind.SCRIPT, TEXT, {**said(TEXT), "questions/0/ask": "还好吗？"}) == TEXT.replace("ask: 好吗？", "ask: 还好吗？")


def test_a_folded_sentence_stays_folded_and_the_comment_after_it_stays():
    changed = put(Kind.SCRIPT, TEXT, {"opening": "您好！\n方便吗？"})
    assert changed.startswith("# 说明\nopening: >-\n  您好！方便吗？\n\n# 题目\n")
    assert said(changed)["opening"] == "您好！方便吗？"


@pytest.mark.parametrize("sentence", ["{answer}，好的。", "好，对吗, 是", "a: b", "#一", '他说"好"', "true", "12", "", "- x", "[x]", "* y", "2026-11-22"])
@pytest.mark.parametrize("key", ["opening", "questions/0/ask", "questions/0/acknowledge/true/0", "closing/completed/1"])
def test_whatever_is_written_into_a_field_is_read_again(key: str, sentence: str):
    changed = put(Kind.SCRIPT, TEXT, {key: sentence})
    assert said(changed) == {**said(TEXT), key: sentence}


def test_keys_of_nothing_change_nothing():
    assert put(Kind.SCRIPT, TEXT, {"questions/0/id": "x", "nothing": "x", "": "x"}) == TEXT


def test_a_text_that_cannot_be_read_has_no_fields():
    assert fields(Kind.SCRIPT, "a: [") == []
    assert put(Kind.SCRIPT, "a: [", {"a": "b"}) == "a: ["
    assert fields(Kind.SCRIPT, "a: &x [*x]") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sentence_of_every_file_can_be_changed_and_comments_stay(path):
    name, text = published.name_of(path), published.file_text(path)
    before = fields(name.kind, text)
    assert before or path.stem == "_company"
    assert put(name.kind, text, {field.key: field.value for field in before}) == text
    changed = put(name.kind, text, {field.key: f"{field.value}，{{x}} #：" for field in before})
    assert [field.value for field in fields(name.kind, changed)] == [f"{field.value}，{{x}} #：" for field in before]
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in changed.splitlines() if line.lstrip().startswith("#")] == comments
