"""How long to wait before a program is started again."""

from followup.supervise.keeper import Backoff


def test_the_wait_doubles_up_to_half_a_minute() -> None:
    backoff = Backoff()
    assert [backoff.after(1.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_healthy_minute_is_forgiven() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.0)
    assert backoff.after(60.0) == 0.5
    assert backoff.after(59.0) == 1.0
