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


def test_an_answer_that_ends_the_talk_ends_the_way():
    questions = [
        {"id": "drove", "type": "yes_no", "ends": {"false": {"outcome": "wrong_person"}}},
        {"id": "why", "type": "open", "ask_if": {"drove": False}},
        {"id": "service", "type": "scale3", "ask_if": {"drove": True}},
    ]
    ways = walk_all(questions)
    assert ways.reachable == {"drove", "service"} and ways.most_questions == 2


def test_what_stands_behind_an_end_of_every_answer_is_never_reached():
    ends = {"answered": {"outcome": "completed"}, "skipped": {"outcome": "ended_early"}}
    ways = walk_all([{"id": "ideas", "type": "open", "ends": ends}, {"id": "more", "type": "open"}])
    assert ways.reachable == {"ideas"} and ways.most_questions == 1


def test_a_passed_question_may_end_the_way_too():
    questions = [
        {"id": "ideas", "type": "open", "ends": {"skipped": {"outcome": "ended_early"}}},
        {"id": "more", "type": "open", "ask_if": {"ideas": "skipped"}},
    ]
    assert walk_all(questions).reachable == {"ideas"}


def test_both_sides_of_a_comparison_with_a_variable_are_ways():
    questions = [
        {"id": "notice", "type": "yes_no", "ask_if": {"policy_date": ">= 2007-07-09"}},
        {"id": "paper", "type": "yes_no", "ask_if": {"policy_date": "< 2007-07-09"}},
        {"id": "both", "type": "yes_no", "ask_if": {"notice": True, "paper": True}},
    ]
    ways = walk_all(questions, {"policy_date": {"demo": "2010-03-15"}})
    assert ways.reachable == {"notice", "paper"} and ways.most_questions == 1


def test_a_comparison_beyond_the_bounds_is_never_true():
    questions = [
        {"id": "rating", "type": "score"},
        {"id": "low", "type": "open", "ask_if": {"rating": "< 5"}},
        {"id": "never", "type": "open", "ask_if": {"rating": "> 10"}},
    ]
    assert walk_all(questions).reachable == {"rating", "low"}


def test_one_of_several_conditions_is_enough():
    questions = [
        {"id": "used", "type": "yes_no"},
        {"id": "rating", "type": "score"},
        {"id": "why", "type": "open", "ask_if": [{"used": False}, {"rating": "< 5"}]},
        {"id": "who", "type": "open", "ask_if": {"why": "answered", "used": True, "rating": 3}},
    ]
    assert walk_all(questions).reachable == {"used", "rating", "why", "who"}
