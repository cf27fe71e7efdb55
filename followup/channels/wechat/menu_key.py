"""The KEY of a menu entry that says something for the customer."""

from __future__ import annotations

SAYS = "say:"
"""A click on a menu entry whose KEY begins so counts as if the customer had typed the rest."""


def said_by(key: str) -> str:
    """What the click says; empty when the entry is none of ours."""
    return key.removeprefix(SAYS).strip() if key.startswith(SAYS) else ""
