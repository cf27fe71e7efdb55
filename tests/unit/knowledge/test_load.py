"""Knowledge files as they are used in talks: read again when they change, left out when they are broken."""

from __future__ import annotations

from pathlib import Path

from followup.knowledge.load import KNOWLEDGE_DIR, company_values, load_topics


def topic(folder: Path, name: str, text: str = "title: 试\nanswers: [{say: '好的,您说'}]\n") -> None:
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def test_a_topic_is_named_by_its_file(tmp_path: Path) -> None:
    topic(tmp_path, "hours")
    assert list(load_topics(tmp_path)) == ["hours"]


def test_half_width_punctuation_never_reaches_a_customer(tmp_path: Path) -> None:
    topic(tmp_path, "hours")
    assert load_topics(tmp_path)["hours"].answers[0].say == ("好的，您说",)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    topic(tmp_path, "hours")
    load_topics(tmp_path)
    topic(tmp_path, "hours", "title: 改过了\nanswers: [{say: 好}]\n")
    assert load_topics(tmp_path)["hours"].title == "改过了"


def test_a_broken_file_takes_nothing_else_with_it(tmp_path: Path) -> None:
    topic(tmp_path, "hours")
    topic(tmp_path, "broken", "answers: [")
    assert list(load_topics(tmp_path)) == ["hours"]


def test_values_that_are_not_filled_in_are_absent(tmp_path: Path) -> None:
    (tmp_path / "_company.yml").write_text("values: {carrier: 中通快递, gift: '', days: 3}\n", encoding="utf-8")
    assert company_values(tmp_path) == {"carrier": "中通快递", "days": "3"}


def test_no_company_file_is_no_value(tmp_path: Path) -> None:
    assert company_values(tmp_path) == {}


def test_every_topic_names_its_document() -> None:
    assert [topic.name for topic in load_topics(KNOWLEDGE_DIR).values() if not topic.source] == []
