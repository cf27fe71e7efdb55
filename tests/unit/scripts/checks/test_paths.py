from __future__ import annotations

from followup.scripts.checks.paths import walk_all


def test_what_no_condition_looks_at_makes_no_further_ways():
    questions = [{"id": f"q{n}", "type": "scale3", "ask": "好吗？"} for n in range(60)]
    ways = walk_all(questions)
    assert ways.complete and ways.most_questions == 60


def test_what_only_talks_is_reached_but_is_no_question():
    ways = walk_all([{"id": "hint", "type": "tell", "say": "顺便说一句。"}])
    assert ways.reachable == {"hint"} and ways.most_questions == 0


def test_a_choice_of_several_meets_the_conditions_on_each():
    questions = [
        {"id": "source", "type": "choice", "multiple": True, "options": ["甲", "乙"]},
        {"id": "both", "type": "open", "ask_if": {"source": "甲"}},
        {"id": "too", "type": "open", "ask_if": {"source": "乙", "both": "answered"}},
    ]
    assert walk_all(questions).reachable == {"source", "both", "too"}


def test_a_skipped_question_is_a_way_of_its_own():
    questions = [
        {"id": "people", "type": "number", "low": 1, "high": 9},
        {"id": "names", "type": "open", "ask_if": {"people": "answered"}},
        {"id": "job", "type": "open", "ask_if": {"people": "skipped"}},
        {"id": "three", "type": "open", "ask_if": {"people": 3}},
    ]
    ways = walk_all(questions)
    assert ways.reachable == {"people", "names", "job", "three"} and ways.most_questions == 3


def test_too_many_ways_are_given_up_and_say_so():
    questions = [{"id": f"q{n}", "type": "yes_no"} for n in range(16)]
    questions.append({"id": "last", "type": "open", "ask_if": {f"q{n}": True for n in range(16)}})
    ways = walk_all(questions)
    assert not ways.complete and "last" in ways.reachable
