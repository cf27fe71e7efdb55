"""To which version a rollback goes."""

import pytest

from followup.training.versions import before


@pytest.mark.parametrize(
    ("history", "target"),
    [
        ([], None),
        ([("promote", 1)], None),
        ([("baseline", 1), ("promote", 2)], 1),
        ([("baseline", 1), ("promote", 2), ("promote", 3)], 2),
        ([("baseline", 1), ("promote", 2), ("promote", 3), ("rollback", 2)], 1),
        ([("baseline", 1), ("promote", 2), ("promote", 3), ("rollback", 2), ("rollback", 1)], None),
        ([("baseline", 1), ("promote", 2), ("rollback", 1), ("promote", 3)], 1),
        # Promoted once more, because a machine had not taken it: no step back to itself.
        ([("baseline", 1), ("promote", 2), ("promote", 2)], 1),
    ],
)
def test_a_rollback_goes_to_what_was_wanted_before(history: list[tuple[str, int]], target: int | None) -> None:
    assert before(history) == target
