from __future__ import annotations

import pytest

from followup.channels.wechat.patience import Patience, Waiting


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(4, 0.5, clock)


def many(patience: Patience, count: int = 20, **more: bool) -> list[Waiting]:
    return [patience.waiting(**more) for _ in range(count)]


def waits_in_vain(patience: Patience, clock: Clock, seconds: float) -> Waiting:
    waiting = patience.waiting()
    clock.at += seconds
    waiting.goes(in_vain=True)
    return waiting


def turn_of(patience: Patience, clock: Clock, seconds: float) -> None:
    waiting = patience.waiting()
    clock.at += seconds
    waiting.ended()
    waiting.goes(in_vain=False)


def test_while_turns_are_fast_one_request_waits_long_and_the_others_shortly(patience):
    assert [waiting.left() for waiting in many(patience)] == [4, *[0.5] * 19]


def test_while_turns_end_everybody_waits_on_but_never_longer_than_the_longest(patience, clock):
    first, second, third = many(patience, 3)
    assert first.left() == 4
    for clock.at in (0.4, 0.8):
        assert third.left() > 0
        second.ended()
    assert third.left() == 0.5
    clock.at = 3.9
    patience.waiting().ended()
    assert third.left() == pytest.approx(0.1)


def test_after_a_slow_turn_each_waits_shortly_until_a_fast_one_is_seen(patience, clock):
    turn_of(patience, clock, 1.5)
    assert [waiting.left() for waiting in many(patience, 3)] == [0.5] * 3
    turn_of(patience, clock, 0.4)
    assert patience.waiting().left() == 4


def test_once_somebody_waited_in_vain_everybody_goes_at_once(patience, clock):
    waits_in_vain(patience, clock, 0.5)
    assert {waiting.left() for waiting in many(patience)} == {0}


def test_whoever_waits_already_is_not_sent_away_because_another_waited_in_vain(patience, clock):
    scout, other = many(patience, 2)
    assert scout.left() == 4
    clock.at = 0.5
    assert other.left() == 0
    other.goes(in_vain=True)
    assert scout.left() == 3.5


def test_a_turn_that_ends_when_its_request_has_gone_lets_the_next_ones_wait_again(patience, clock):
    waiting = waits_in_vain(patience, clock, 4)
    clock.at = 60
    waiting.ended()
    assert patience.waiting().left() == 0.5  # it was a slow one
    turn_of(patience, clock, 0.2)
    assert patience.waiting().left() == 4


def test_one_slow_turn_among_fast_ones_sends_nobody_away(patience, clock):
    slow = patience.waiting()
    assert slow.left() == 4
    clock.at = 3.8
    patience.waiting().ended()
    clock.at = 4
    slow.goes(in_vain=True)
    assert patience.waiting().left() == 4


def test_a_request_that_went_at_once_says_nothing(patience):
    patience.waiting().goes(in_vain=True)
    assert patience.waiting().left() == 4


def test_the_next_takes_over_when_the_one_that_waits_long_has_its_turn(patience, clock):
    scout, later = many(patience, 2)
    assert scout.left() == 4 and later.left() == 0.5
    scout.ended()
    scout.goes(in_vain=False)
    assert later.left() == 4


def test_where_no_message_can_follow_each_waits_long_until_that_was_in_vain(patience, clock):
    waits_in_vain(patience, clock, 0.5)
    assert {waiting.left() for waiting in many(patience, last_chance=True)} == {4}
    waits_in_vain(patience, clock, 4)
    assert patience.waiting(last_chance=True).left() == 0
