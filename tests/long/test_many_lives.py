"""The state machine over the whole product, at length: other lives in every run. FOLLOWUP_LIVES and FOLLOWUP_STEPS choose how many, and how long.

Hypothesis prints what it found as small as it can be made; the short one, the same in every run: tests/integration/product.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.integration.product.machine import run

LIVES = int(os.environ.get("FOLLOWUP_LIVES", "150"))
STEPS = int(os.environ.get("FOLLOWUP_STEPS", "40"))


@pytest.mark.timeout(4 * 3600)
def test_whatever_happens_in_many_long_lives_everything_fits_together(database_url: str, report: list[str]) -> None:
    began = time.monotonic()
    done = run(database_url, lives=LIVES, steps=STEPS, derandomize=False)
    report.append(
        f"{done.lives} lives of at most {STEPS} steps, {time.monotonic() - began:.0f} s\n"
        + "\n".join(f"| {name} | {count} |" for name, count in done.steps.most_common())
    )
    assert done.lives >= LIVES
