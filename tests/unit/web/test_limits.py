from followup.web.limits import TalkLimiter


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_people_who_type_fast_are_not_slowed_down():
    limiter = TalkLimiter(burst=5, clock=Clock())
    assert [limiter.wait_for("a") for _ in range(5)] == [0] * 5


def test_a_flood_is_told_how_long_to_wait_and_may_go_on_afterwards():
    clock = Clock()
    limiter = TalkLimiter(burst=2, per_second=0.5, clock=clock)
    limiter.wait_for("a"), limiter.wait_for("a")
    assert limiter.wait_for("a") == 2
    clock.now += 2
    assert limiter.wait_for("a") == 0


def test_one_talk_does_not_slow_another_down():
    limiter = TalkLimiter(burst=1, clock=Clock())
    limiter.wait_for("a")
    assert limiter.wait_for("b") == 0


def test_quiet_talks_are_forgotten():
    clock = Clock()
    limiter = TalkLimiter(burst=2, per_second=1, clock=clock)
    limiter.wait_for("a")
    clock.now += 60
    limiter.wait_for("b")
    assert set(limiter._buckets) == {"b"}
