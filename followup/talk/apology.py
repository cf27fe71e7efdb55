"""What a customer reads when no turn could be held for their message."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from followup.settings import PROJECT_DIR

SHARED_WORDING = PROJECT_DIR / "data" / "scripts" / "_shared.yml"


def load_apology(shared: Path = SHARED_WORDING) -> str:
    """`after.failed` of the shared wording. Raises KeyError when it is missing, so that the worker does not start."""
    with shared.open(encoding="utf-8") as file:
        return str(YAML(typ="safe").load(file)["after"]["failed"])
