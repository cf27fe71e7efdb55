"""One running stack for the tests that only look at it, or leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from followup.supervise.stack import Stack


@pytest.fixture(scope="session")
def running_stack() -> Iterator[Stack]:
    """Everything `followup up` runs. Whoever kills a process waits until it is back.

    The talks of tests/e2e have one of their own without worker: they hold their turns themselves, at times of their own.
    """
    with Stack.temporary(most_backoff=0.5) as running:  # what one kill in a while costs
        yield running
