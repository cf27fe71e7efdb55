"""A copy of everything a model is trained on, with the trainers' open changes in it. The project itself is only read."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from followup.training.changes import Change, apply, examples_in

_FILES = ("config.yml", "domain.yml", "data/rules.yml")
_FOLDERS = ("data/nlu", "data/lexicon")


def build(project: Path, folder: Path, changes: Iterable[Change]) -> int:
    """Fill `folder`, which must be empty. Returns how many of the changes changed anything."""
    for name in _FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, folder / name)
    for name in _FOLDERS:
        if (project / name).exists():
            shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return apply(changes, folder / "data" / "nlu")


def counts(folder: Path) -> dict[str, Any]:
    """What there is to train on: `{"examples", "intents", "by_intent", "files"}`."""
    data = folder / "data" / "nlu"
    by_intent = Counter(intent for _, intent in examples_in(data))
    return {
        "examples": by_intent.total(),
        "intents": len(by_intent),
        "by_intent": dict(sorted(by_intent.items())),
        "files": sorted(path.relative_to(data).as_posix() for path in data.rglob("*.yml")),
    }
