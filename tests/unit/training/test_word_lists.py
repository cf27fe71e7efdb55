"""A word into a list of a YAML text and out of it again."""

from __future__ import annotations

import pytest

from followup.settings import PROJECT_DIR
from followup.training.word_lists import CannotWrite, add, line_of_question, read, remove, words_at

SCRIPT = """# 顶上的注释
questions:
- id: source
  type: choice
  options: [{value: 朋友介绍, say: [熟人, 亲戚]}, 网络广告]  # 两项
- id: wanted
  type: choice
  options:
  - value: 上门
    say:
    - 来家里  # 常说
    - 到家
  - 到店
- id: goods
  type: yes_no
  ask: 收到了吗？
  yes: 齐了
"""
WAYS = {
    "a list in brackets": (("questions", 0, "options", 0, "say"), "[熟人, 亲戚, 老乡]"),
    "an option that is only its value": (("questions", 0, "options", 1, "say"), "{value: 网络广告, say: [老乡]}]  # 两项"),
    "a list of lines": (("questions", 1, "options", 0, "say"), "    - 到家\n    - 老乡\n  - 到店"),
    "an option in a line of its own": (("questions", 1, "options", 1, "say"), "  - {value: 到店, say: [老乡]}\n"),
    "a single word": (("questions", 2, "yes"), "yes: [齐了, 老乡]"),
    "a list that is not there": (("questions", 2, "no"), "type: yes_no\n  no: [老乡]\n  ask"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_word_goes_to_its_place_and_the_rest_stays(way: str) -> None:
    path, wanted = WAYS[way]
    made = add(SCRIPT, path, "老乡")
    assert wanted in made and made.startswith("# 顶上的注释\n") and made.count("#") == SCRIPT.count("#")
    assert words_at(made, path)[-1] == "老乡" and add(made, path, "老乡") == made


@pytest.mark.parametrize("way", [way for way in WAYS if way != "a single word"])
def test_taking_it_back_leaves_the_text_as_it_was(way: str) -> None:
    path, _ = WAYS[way]
    assert remove(add(SCRIPT, path, "老乡"), path, "老乡") == SCRIPT


def test_a_word_that_yaml_would_read_otherwise_is_quoted() -> None:
    for word in ("true", "12", "a: b", "好, 很好", "#1", "“好”"):
        assert words_at(add(SCRIPT, ("questions", 0, "options", 0, "say"), word), ("questions", 0, "options", 0, "say"))[-1] == word


@pytest.mark.parametrize(
    ("name", "path"),
    [("aspects", ("price", "negative")), ("opinions", ("phrases", "-1")), ("products", ("red_pear", "words"))],
)
def test_a_lexicon_of_the_product_gets_one_word_and_at_most_one_line_more(name: str, path: tuple[str, ...]) -> None:
    text = (PROJECT_DIR / "data" / "lexicon" / f"{name}.yml").read_text("utf-8")
    made = add(text, path, "嘎嘎稀罕")
    assert words_at(made, path) == [*words_at(text, path), "嘎嘎稀罕"]
    assert len(made) - len(text) < 16 and made.count("\n") - text.count("\n") <= 1
    assert words_at(remove(made, path, "嘎嘎稀罕"), path) == words_at(text, path)


def test_what_would_change_somewhere_else_as_well_is_refused() -> None:
    with pytest.raises(CannotWrite):
        add("a: &same [x]\nb: *same\n", ("a",), "y")
    with pytest.raises(CannotWrite):
        add("a: [unclosed", ("a",), "y")
    with pytest.raises(CannotWrite):
        add("a: b\n", ("c", "d"), "y")


def test_a_script_of_the_product_takes_a_word_at_every_option_and_gives_it_back() -> None:
    text = (PROJECT_DIR / "data" / "scripts" / "decoration" / "decoration_event_invitation.yml").read_text("utf-8")
    for number, question in enumerate(read(text)["questions"]):
        for place in range(min(1, len(question.get("options", ())))):
            path = ("questions", number, "options", place, "say")
            assert remove(add(text, path, "嘎嘎稀罕"), path, "嘎嘎稀罕") == text


def test_a_question_is_found_by_its_line() -> None:
    assert [line_of_question(SCRIPT, name) for name in ("source", "goods", "nothing", "")] == [3, 14, 0, 0]
    assert line_of_question("questions: [", "source") == 0
