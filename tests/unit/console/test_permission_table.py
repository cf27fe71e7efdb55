"""No route comes in, and none changes hands, without its line in docs/permissions.md."""

from tests.permission_table import FILE, table


def test_every_route_has_its_decision_in_the_table() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "decide, then: python -m tests.permission_table"
