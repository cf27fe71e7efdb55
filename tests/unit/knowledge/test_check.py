"""An author is told in Chinese what is wrong with a knowledge file, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from followup.knowledge.check import ENOUGH_EXAMPLES, check_all, check_file, training_examples
from followup.scripts.checks.finding import Finding

RIGHT = """\
topic: hours
title: 营业时间
source: 样例资料第一段
variables:
  hours: {label: 营业时间, demo: 9点到18点}
answers:
- trades: [e-commerce]
  say: 我们{hours}都有人。
"""
Check = Callable[[str], list[Finding]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Findings for this text as hours.yml; faq/hours has examples enough."""
    examples = tmp_path / "faq.yml"
    rows = "".join(f"    - 几点开门{n}\n" for n in range(ENOUGH_EXAMPLES))
    examples.write_text(f"- intent: faq/hours\n  examples: |\n{rows}\n- intent: faq/rare\n  examples: |\n    - 一句\n", "utf-8")

    def run(text: str, name: str = "hours.yml") -> list[Finding]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return check_file(path, examples)

    return run


def test_what_is_delivered_is_without_a_fault() -> None:
    assert [str(finding) for finding in check_all()] == []


def test_every_topic_of_the_training_examples_but_the_rest_has_a_file() -> None:
    from followup.knowledge.load import load_topics

    assert set(training_examples()) - set(load_topics()) == {"other"}


def test_a_right_file_is_passed_without_a_word(check: Check) -> None:
    assert check(RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("source:", "sorce:", 3, "sorce"),
        ("say: 我们{hours}都有人。", "say: 我们{houres}都有人。", 8, "变量 {houres} 没有说明过"),
        ("say: 我们{hours}都有人。", "say: 这是规定，{hours}。", 8, "服务忌语"),
        ("say: 我们{hours}都有人。", "say: 我们{hours}都有人,您来吧。", 8, "半角标点"),
        ("trades: [e-commerce]", "trades: [e-comerce]", 7, "没有“e-comerce”这个行业"),
        ("topic: hours", "topic: opening", 1, "与文件名“hours”不同"),
        ("  say: 我们{hours}", "  needs: [days]\n  say: 我们{hours}", 8, "变量“days”没有说明过"),
        ("answers:", "  days: {label: 天数}\nanswers:", 6, "变量“days”没有用到"),
        ("- trades: [e-commerce]\n  say: 我们{hours}都有人。", "", 6, "answers"),
        ("topic: hours", "nlu: hours", 1, "Rasa"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line(check: Check, old: str, new: str, line: int, words: str) -> None:
    assert old in RIGHT
    found = check(RIGHT.replace(old, new, 1))
    assert any(words in finding.message and finding.line == line for finding in found), list(map(str, found))


def test_an_answer_that_is_never_reached_is_told(check: Check) -> None:
    (found,) = check(RIGHT + "- trades: [e-commerce]\n  say: 我们每天{hours}都有人。\n")
    assert "重复" in found.message and found.line == 9


def test_answers_to_different_words_do_not_repeat_each_other(check: Check) -> None:
    special = "answers:\n- trades: [e-commerce]\n  asked: [周末]\n  say: 周末{hours}有人。"
    assert check(RIGHT.replace("answers:", special, 1)) == []


def test_a_topic_nobody_can_ask_for_is_told(check: Check) -> None:
    (found,) = check(RIGHT.replace("hours\n", "closing\n", 1), "closing.yml")
    assert "没有 faq/closing 这个意图" in found.message


def test_too_few_examples_are_told(check: Check) -> None:
    (found,) = check(RIGHT.replace("hours\n", "rare\n", 1), "rare.yml")
    assert "只有1句" in found.message


def test_a_value_that_no_topic_uses_is_told(check: Check, tmp_path: Path) -> None:
    check(RIGHT)
    (found,) = check("values:\n  hour: 9点\n", "_company.yml")
    assert "没有哪个主题用到变量“hour”" in found.message and found.instead == "hours"


@pytest.mark.parametrize("text", ["", "[]", "topic: [", "answers: 1\n", "\t", "values: {a: }"])
def test_whatever_stands_in_a_file_is_told_and_never_a_crash(check: Check, text: str) -> None:
    assert check(text)
    assert check(text, "_company.yml")
