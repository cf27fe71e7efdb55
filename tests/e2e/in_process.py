"""Talks held in the test's own process (followup.training.replay), with the intent model of the present data."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
from ruamel.yaml import YAML

from followup.nlu.examples import load_examples
from followup.nlu.lexicon import Lexicon
from followup.nlu.model import IntentModel, ModelSettings
from followup.reading.lexicon import lexicon_dir
from followup.scripts.model import Script
from followup.settings import PROJECT_DIR
from followup.supervise.model import content_hash
from followup.training import replay
from followup.training.replay import Step, script_of

__all__ = ["InProcessTrial", "Step", "script_of", "trained"]


@lru_cache(maxsize=1)
def trained() -> IntentModel:
    """The intent model of the present data: as Rasa's component trains it, kept in models/ by its content."""
    path = PROJECT_DIR / "models" / ".in_process" / f"{content_hash(PROJECT_DIR)}.joblib"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes train it once
        return IntentModel.load(path) if path.exists() else _train(path)


def _train(path: Path) -> IntentModel:
    examples = load_examples([PROJECT_DIR / "data" / "nlu"])
    config = YAML(typ="safe").load((PROJECT_DIR / "config.yml").read_text(encoding="utf-8"))
    given = {key: value for key, value in config["pipeline"][0].items() if key != "name"}
    model = IntentModel.train(
        [example.text for example in examples],
        [example.intent for example in examples],
        ModelSettings(**given),
        Lexicon.read(lexicon_dir()),
    )
    _keep(model, path)
    return model


def _keep(model: IntentModel, path: Path) -> None:
    for old in sorted(path.parent.glob("*.joblib"), key=lambda one: one.stat().st_mtime)[:-3]:
        old.unlink(missing_ok=True)
        old.with_suffix(".lock").unlink(missing_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    joblib.dump(model, draft, compress=1)
    draft.replace(path)  # in one step: a half-written model is never found


class InProcessTrial(replay.InProcessTrial):
    """With the present model."""

    def __init__(
        self, script: Script, variables: Mapping[str, Any], seen: Callable[[Step], None] = lambda step: None
    ) -> None:
        super().__init__(script, variables, trained(), seen)
