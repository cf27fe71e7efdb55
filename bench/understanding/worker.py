"""`python -m bench.understanding.worker train|ask NAME FOLDER`: one system in a process of its own, figures as JSON.

Training and asking are two processes, so that the memory of asking is the memory of a server that only loaded a model.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from bench.measure import memory_of
from bench.understanding import frozen
from bench.understanding.catalogue import BY_NAME
from followup.nlu.examples import load_examples
from followup.settings import PROJECT_DIR

_WARM_UP = 50


def train(name: str, folder: Path, minutes: float) -> dict[str, object]:
    """Seconds (wall, processor) of training on data/nlu, reading the examples and importing the libraries included."""
    began, used = time.perf_counter(), time.process_time()
    examples = load_examples([PROJECT_DIR / "data" / "nlu"])
    texts, intents = [example.text for example in examples], [example.intent for example in examples]
    told = BY_NAME[name].make(minutes).train(texts, intents, folder)
    return {
        "examples": len(examples),
        "told": told,
        "train_wall": time.perf_counter() - began,
        "train_cpu": time.process_time() - used,
    }


def ask(name: str, folder: Path, minutes: float) -> dict[str, object]:
    """Rankings of all frozen replies, milliseconds of each, and the memory (MB) of the process afterwards."""
    import os

    system = BY_NAME[name].make(minutes)
    system.load(folder)
    replies = frozen.read_all()
    for reply in random.Random(1).sample(replies, _WARM_UP):
        system.rank(reply.text)
    rankings, milliseconds = [], []
    for reply in replies:
        began = time.perf_counter()
        rankings.append(system.rank(reply.text))
        milliseconds.append(1000 * (time.perf_counter() - began))
    return {"rankings": rankings, "milliseconds": milliseconds, "memory": memory_of(os.getpid())}


def main() -> None:
    step, name, folder, minutes, result = sys.argv[1:]
    found = {"train": train, "ask": ask}[step](name, Path(folder), float(minutes))
    Path(result).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
