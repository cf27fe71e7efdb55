"""The state machine over the whole product, small and the same in every run; the large one is in tests/long."""

from __future__ import annotations

import pytest

from .machine import run


@pytest.mark.timeout(900)
def test_whatever_happens_in_whatever_order_everything_fits_together(database_url: str) -> None:
    done = run(database_url, lives=9, steps=14, derandomize=True)
    print(f"{done.lives} lives, {done.steps.total()} steps: {dict(done.steps)}")
    assert done.lives == 9 and done.steps.total() > 60
    assert done.steps["crash"] and done.steps["say"] and done.steps["time"]
