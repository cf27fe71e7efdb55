"""`python -m bench.train_for FOLDER MINUTES TOLD`: `rasa train`, but DIET's epochs end when their time is up.

TOLD gets {"done": epochs, "epochs": wanted, "seconds": spent on them}. A process of its own, so that TensorFlow's memory
stays with nobody.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from rasa.model_training import train
from rasa.utils import train_utils
from tensorflow.keras.callbacks import Callback


class Bounded(Callback):  # type: ignore[misc]
    """Ends a training after the batch that runs when the time is up, and counts the epochs."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self.done = 0.0
        self.spent = 0.0
        self.epochs = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._began = time.monotonic()
        self.epochs = int(self.params["epochs"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.spent = time.monotonic() - self._began
        self.done = self._epoch + (batch + 1) / max(int(self.params.get("steps") or 1), batch + 1)
        if self.spent > self._seconds:
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        self.spent = time.monotonic() - self._began


def main() -> None:
    folder, minutes, told = Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    bounded = Bounded(60 * minutes)
    usual = train_utils.create_common_callbacks
    train_utils.create_common_callbacks = lambda *given, **named: [*usual(*given, **named), bounded]
    train(
        domain=str(folder / "domain.yml"),
        config=str(folder / "config.yml"),
        training_files=[str(folder / "nlu.yml"), str(folder / "rules.yml")],
        output=str(folder / "models"),
    )
    told.write_text(json.dumps({"done": bounded.done, "epochs": bounded.epochs, "seconds": bounded.spent}), encoding="utf-8")


if __name__ == "__main__":
    main()
