"""The figures by which systems are compared (bench/understanding)."""

import pytest

from bench.understanding.figures import by_intent, mixture, quality
from bench.understanding.frozen import Reply

REPLIES = [
    Reply("好", "consent", "chat", "late"),
    Reply("行", "consent", "chat", "late"),
    Reply("对", "consent", "speech", "late"),
    Reply("开车呢", "driving", "speech", "late"),
]
RANKINGS = [
    [("consent", 0.9), ("deny", 0.1)],
    [("consent", 0.9)],
    [("consent", 0.9)],
    [("consent", 0.9), ("driving", 0.1)],
]


def test_a_rare_intent_counts_as_much_as_a_frequent_one() -> None:
    found = quality(REPLIES, RANKINGS)
    assert found.accuracy == 0.75
    assert found.macro_accuracy == 0.5


def test_registers_are_counted_apart() -> None:
    assert quality(REPLIES, RANKINGS).by_register == {"chat": 1.0, "speech": 0.5}


def test_an_intent_never_heard_has_no_precision() -> None:
    consent, driving = by_intent(REPLIES, RANKINGS)
    assert (consent.precision, consent.recall) == (0.75, 1.0)
    assert (driving.lines, driving.precision, driving.recall, driving.f1) == (1, 0.0, 0.0, 0.0)


def test_confidence_that_is_too_high_is_an_error_of_calibration() -> None:
    assert quality(REPLIES, RANKINGS).calibration_error == pytest.approx(0.15)


def test_in_a_mixture_the_surer_system_decides() -> None:
    sure, doubtful = [[("driving", 0.9), ("busy", 0.1)]], [[("busy", 0.5), ("driving", 0.3)]]
    assert [name for name, _ in mixture(sure, doubtful)[0]] == ["driving", "busy"]
    assert mixture(sure, doubtful)[0][0][1] == pytest.approx(0.6)


def test_an_intent_that_only_one_system_names_stays_in_the_mixture() -> None:
    assert dict(mixture([[("wait", 0.8)]], [[("busy", 0.6)]])[0]) == pytest.approx({"wait": 0.4, "busy": 0.3})
