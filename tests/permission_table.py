"""docs/permissions.md: which role may use which route of the console. `python -m tests.permission_table` writes it anew.

A route without a line there fails a test: whoever adds one decides who may use it, and the decision is read in the change.
"""

from __future__ import annotations

import re
from pathlib import Path

from followup.console.app import PREFIX, all_routes
from followup.console.permissions import ROLE_PERMISSIONS

FILE = Path(__file__).parents[1] / "docs" / "permissions.md"
_HEAD = f"""# Who may use which route of the console

`python -m tests.permission_table` writes this file; a test compares it with the router, another one asks every route as every role
(`tests/integration/console/test_every_route.py`): ● is served, · is answered 403. Without a login every route but the login leads to it.

| route | needs | {" | ".join(ROLE_PERMISSIONS)} |
|---|---|{"---|" * len(ROLE_PERMISSIONS)}
"""


def table() -> str:
    """The file as it should be."""
    lines = []
    for route in all_routes():
        needs = route.handler.needs  # type: ignore[attr-defined]
        marks = " | ".join("●" if needs is None or needs in given else "·" for given in ROLE_PERMISSIONS.values())
        path = re.sub(r"\{(\w+):(?:[^{}]|\{\d+\})+\}", r"{\1}", route.path)
        lines.append(f"| {route.method} `{PREFIX}{path}` | {needs or 'a login'} | {marks} |")
    return _HEAD + "\n".join(sorted(set(lines))) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
