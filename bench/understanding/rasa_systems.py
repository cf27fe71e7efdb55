"""The systems that run inside Rasa: trained by Rasa from a pipeline file and asked through its message parser.

Rasa's own classifiers know base intents only (`faq`, not `faq/other`); so that all systems answer the same question,
DIET's examples are written out with flat names (`faq__other`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any, Sequence

from bench.understanding.systems import LENGTH, Ranking
from followup.nlu.normalise import normalise
from followup.settings import PROJECT_DIR

_SLASH = "__"


class RasaPipeline:
    """A pipeline of this project, by the path of its configuration."""

    def __init__(self, config: str, minutes: float | None = None) -> None:
        """`minutes` is given for DIET: its training ends after the batch that is running then.

        DIET gets the text as our classifier reads it, which is more than Rasa would do for it.
        """
        self._config = PROJECT_DIR / config
        self._minutes = minutes
        self._is_diet = minutes is not None

    def train(self, texts: Sequence[str], intents: Sequence[str], folder: Path) -> str:
        os.environ["RASA_TELEMETRY_ENABLED"] = "false"
        from rasa.model_training import train_nlu

        spent = _Epochs()
        if self._minutes is not None:
            spent.limit(60 * self._minutes)
        data = folder / "nlu.yml"
        names = [intent.replace("/", _SLASH) for intent in intents] if self._is_diet else intents
        data.write_text(_training_file([self._read(text) for text in texts], names), encoding="utf-8")
        made = train_nlu(str(self._config), str(data), str(folder), fixed_model_name="model")
        if made is None:
            raise RuntimeError(f"Rasa did not train {self._config.name}")
        return spent.told

    def load(self, folder: Path) -> None:
        os.environ["RASA_TELEMETRY_ENABLED"] = "false"
        from rasa.core.agent import Agent
        from rasa.utils.log_utils import configure_structlog

        configure_structlog(logging.ERROR)  # or it writes every parsed message down, and the time goes there
        self._agent = Agent.load(str(folder / "model.tar.gz"))
        self._loop = asyncio.new_event_loop()

    def rank(self, text: str) -> Ranking:
        parsed: dict[str, Any] = self._loop.run_until_complete(self._agent.parse_message(self._read(text)))
        best = parsed["intent"]
        ranking = [(_name(guess), float(guess["confidence"])) for guess in parsed["intent_ranking"]]
        first = (_name(best), float(best["confidence"]))
        return [first, *(guess for guess in ranking if guess[0] != first[0])][:LENGTH]

    def _read(self, text: str) -> str:
        return (normalise(text) or text) if self._is_diet else text


def _name(guess: dict[str, Any]) -> str:
    return str(guess.get("full_name") or guess["name"]).replace(_SLASH, "/")


def _training_file(texts: Sequence[str], intents: Sequence[str]) -> str:
    """Rasa's own YAML. Brackets would be read as annotations: the sets hold none but stickers, which stay with us."""
    lines = ['version: "3.1"', "nlu:"]
    for intent in sorted(set(intents)):
        lines += [f"- intent: {intent}", "  examples: |"]
        lines += [f"    - {text}" for text, own in zip(texts, intents) if own == intent]
    return "\n".join(lines) + "\n"


class _Epochs:
    """Ends DIET's training when its time is up, and counts what it had."""

    def __init__(self) -> None:
        self.told = ""

    def limit(self, seconds: float) -> None:
        from rasa.utils import train_utils
        from tensorflow.keras.callbacks import Callback

        usual = train_utils.create_common_callbacks
        count = self

        class Clock(Callback):  # type: ignore[misc]
            def on_train_begin(self, logs: Any = None) -> None:
                self._began = time.monotonic()

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if time.monotonic() - self._began > seconds:
                    self.model.stop_training = True

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                minutes = (time.monotonic() - self._began) / 60
                count.told = f"{epoch + 1} of {self.params['epochs']} epochs in {minutes:.0f} min"
                print(count.told, flush=True)

        def create(*arguments: Any, **named: Any) -> list[Any]:
            return [*usual(*arguments, **named), Clock()]

        train_utils.create_common_callbacks = create
