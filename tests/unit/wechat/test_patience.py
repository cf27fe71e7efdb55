from __future__ import annotations

from contextlib import ExitStack

import pytest

from followup.channels.wechat.patience import REST, Patience, Waiting


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


def many(patience: Patience, stack: ExitStack, count: int = 20, **more: bool) -> list[Waiting]:
    return [stack.enter_context(patience.waiting(**more)) for _ in range(count)]


def test_one_request_waits_long_and_the_others_shortly(patience):
    with ExitStack() as stack:
        assert [waiting.left() for waiting in many(patience, stack)] == [4, *[0.5] * 19]


def test_while_turns_end_everybody_waits_on_but_never_longer_than_the_longest(patience, clock):
    with ExitStack() as stack:
        first, second, third = many(patience, stack, 3)
        assert first.left() == 4
        for clock.at in (0.4, 0.8, 1.2):
            assert third.left() > 0
            second.ended()
        assert third.left() == 0.5
        clock.at = 3.9
        second.ended()
        assert third.left() == pytest.approx(0.1)


def test_after_a_long_wait_in_vain_nobody_waits_long_for_half_a_minute(patience, clock):
    with patience.waiting() as waiting:
        clock.at = 4
        assert waiting.left() == 0
    with ExitStack() as stack:
        assert {waiting.left() for waiting in many(patience, stack)} == {0.5}
    clock.at += REST
    with ExitStack() as stack:
        assert [waiting.left() for waiting in many(patience, stack, 3)] == [4, 0.5, 0.5]


def test_a_short_wait_in_vain_says_nothing_of_the_long_one(patience, clock):
    with patience.waiting() as scout:
        scout.left()
        with patience.waiting() as other:
            clock.at = 0.5
            assert other.left() == 0
        assert scout.left() == 3.5
    clock.at += REST
    assert patience.scout is None


def test_a_turn_that_ends_in_time_ends_the_rest(patience, clock):
    with patience.waiting() as waiting:
        clock.at = 4
        waiting.left()
    with patience.waiting() as waiting:
        waiting.ended()
    with patience.waiting() as waiting:
        assert waiting.left() == 4


def test_the_next_takes_over_when_the_one_that_waits_long_has_its_turn(patience, clock):
    with ExitStack() as stack:
        (later,) = many(patience, stack, 1)
        with patience.waiting() as scout:
            assert scout.left() == 4
            assert later.left() == 0.5
            scout.ended()
        assert later.left() == 4


def test_where_no_message_can_follow_each_waits_long_until_that_was_in_vain(patience, clock):
    with ExitStack() as stack:
        assert {waiting.left() for waiting in many(patience, stack, last_chance=True)} == {4}
        clock.at = 4
    with patience.waiting(last_chance=True) as waiting:
        assert waiting.left() == 0.5
