"""`followup knowledge new`."""

from __future__ import annotations

from pathlib import Path

import pytest

from followup.knowledge.check import ENOUGH_EXAMPLES, check_file
from followup.knowledge.load import load_topics
from followup.knowledge.new import CannotStart, start_topic


def test_a_new_topic_lacks_nothing_but_its_training_examples(tmp_path: Path) -> None:
    path = start_topic("hours", "营业时间", tmp_path)
    examples = tmp_path / "faq.txt"
    examples.write_text("- intent: faq/hours\n  examples: |\n" + "    - 几点开门\n" * ENOUGH_EXAMPLES, encoding="utf-8")
    assert [str(finding) for finding in check_file(path, examples)] == []


def test_a_new_topic_can_be_used_at_once(tmp_path: Path) -> None:
    start_topic("hours", "营业时间", tmp_path)
    assert load_topics(tmp_path)["hours"].title == "营业时间"


def test_a_topic_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    start_topic("hours", "营业时间", tmp_path).write_text("mine", encoding="utf-8")
    with pytest.raises(CannotStart, match="已经有了"):
        start_topic("hours", "营业时间", tmp_path)
    assert (tmp_path / "hours.yml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("topic", "title"), [("Hours", "营业"), ("../x", "营业"), ("", "营业"), ("hours", "营业: 时间"), ("hours", "")])
def test_a_name_that_cannot_be_is_refused_in_chinese(tmp_path: Path, topic: str, title: str) -> None:
    with pytest.raises(CannotStart, match="[\u4e00-\u9fff]"):
        start_topic(topic, title, tmp_path)
    assert list(tmp_path.iterdir()) == []
