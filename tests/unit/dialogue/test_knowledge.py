"""Only what somebody wrote down is answered, and only in the trades it was written for."""

from __future__ import annotations

import re

from followup.dialogue.knowledge import KNOWLEDGE_DIR, known_answer
from followup.reading import lexicon
from followup.scripts.forbidden import from_rows, said_in
from ruamel.yaml import YAML


def test_how_to_eat_the_pear_is_told_where_pears_are_sold() -> None:
    assert "酥软" in (known_answer("faq/eat_pear", "e-commerce") or "")


def test_a_lender_knows_nothing_of_pears() -> None:
    assert known_answer("faq/eat_pear", "finance") is None


def test_the_same_question_has_another_answer_in_another_trade() -> None:
    assert "两年" in (known_answer("faq/warranty", "decoration") or "")
    assert "一年" in (known_answer("faq/warranty", "service") or "")


def test_what_nobody_wrote_down_is_not_guessed() -> None:
    assert known_answer("faq/other", "finance") is None


def test_every_topic_has_training_examples_and_no_forbidden_phrase() -> None:
    examples = (KNOWLEDGE_DIR.parent / "nlu" / "faq.yml").read_text(encoding="utf-8")
    forbidden = from_rows(lexicon.load("forbidden.yml"))
    for path in KNOWLEDGE_DIR.glob("*.yml"):
        for topic, entry in YAML(typ="safe").load(path.read_text(encoding="utf-8")).items():
            assert f"intent: faq/{topic}" in examples
            for one in entry if isinstance(entry, list) else [entry]:
                assert not list(said_in(one["say"], forbidden)), one["say"]
                assert not re.search(r"[\u4e00-\u9fff][,;:?!]", one["say"]), one["say"]
