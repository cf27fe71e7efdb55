"""The other side: a Rasa project without us, trained and served as it is, on its REST channel.

`stock()`: what `rasa init` gives. `diet()`: DIET as Rasa ships it on our examples, a rule for each intent, fixed replies.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from bench.measure import memory_of
from followup.nlu.examples import load_examples
from followup.settings import PROJECT_DIR
from followup.supervise.health import free_port
from followup.supervise.leashed import leashed

_READY_SECONDS = 240
_TRAIN_SECONDS = 1500
_WARM_UP = 12
_ENV = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
_SEED = 7


@dataclass
class Project:
    """A folder with a trained model. `lines`: what is said to it; `training`: seconds; `note`: what was left out."""

    name: str
    folder: Path
    lines: Sequence[str]
    training: float
    note: str = ""
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """The newest one."""
        return max((self.folder / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)

    @contextlib.contextmanager
    def served(self) -> Iterator[tuple[str, float]]:
        """Yields the REST channel's URL, and the seconds from the process's start to its first answer to a message."""
        port = free_port()
        began = time.monotonic()
        log = self.folder / "run.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                leashed([sys.executable, "-m", "rasa", "run", "-i", "127.0.0.1", "-p", str(port)]),
                **_quiet(self.folder, output),
            )
        try:
            url = f"http://127.0.0.1:{port}/webhooks/rest"
            while not _answers(url):
                if process.poll() is not None or time.monotonic() - began > _READY_SECONDS:
                    raise SystemExit(log.read_text("utf-8", "replace")[-3000:])
                time.sleep(0.1)
            self.turn(url, 0)
            yield url, time.monotonic() - began
            self.memory = {"rasa": memory_of(process.pid)}
        finally:
            process.kill()
            process.wait()

    def turns(self, url: str, count: int) -> list[float]:
        """Seconds of each request; a new conversation for every round of the lines."""
        return [self.turn(url, number) for number in range(count + _WARM_UP)][_WARM_UP:]

    def turn(self, url: str, number: int) -> float:
        body = {"sender": f"bench-{number // len(self.lines)}", "message": self.lines[number % len(self.lines)]}
        request = urllib.request.Request(f"{url}/webhook", json.dumps(body).encode(), {"Content-Type": "application/json"})
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as response:
            said = json.load(response)
        seconds = time.perf_counter() - began
        if not isinstance(said, list):
            raise SystemExit(f"{self.name} answered {said}")
        return seconds


def stock(folder: Path) -> Project:
    """Made and trained by `rasa init`."""
    seconds = _run(["-m", "rasa", "init", "--no-prompt", "--init-dir", str(folder)], folder)
    return Project("stock Rasa", folder, ("hello", "I am sad", "yes", "bye", "are you a bot?", "I am great"), seconds)


def diet(folder: Path, lines: Sequence[str], minutes: float, every: int = 1) -> Project:
    """Made of our intents and every so-many-th of their examples, and trained for `minutes` of epochs at most."""
    count = write_diet_project(folder, every)
    told = folder / "epochs.json"
    seconds = _run(["-m", "bench.train_for", str(folder), str(minutes), str(told)], folder)
    spent = json.loads(told.read_text(encoding="utf-8"))
    done, epochs = float(spent["done"]), int(spent["epochs"])
    count_told = f"{count:,} examples{f' (one in {every})' if every > 1 else ''}"
    note = f"{count_told}, {epochs} epochs"
    if done < epochs:
        note = f"{count_told}; training ended when its time was up, after {done:.2f} of {epochs} epochs"
        if done >= 1:  # before that, most of the time is the building of the graph
            note += f"; all of them would take {seconds + spent['seconds'] * (epochs - done) / done:,.0f} s at that pace"
    return Project("DIET + rules", folder, lines, seconds, note)


def write_diet_project(folder: Path, every: int = 1) -> int:
    """Rasa's own files: our intents' examples with flat names, one rule and one reply for each. Returns the examples' number."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    by_intent: dict[str, list[str]] = {}
    for example in load_examples([PROJECT_DIR / "data" / "nlu"]):
        by_intent.setdefault(example.intent.replace("/", "__"), []).append(example.text)
    config = yaml.load((PROJECT_DIR / "configs" / "diet-stock.yml").read_text(encoding="utf-8"))
    config["pipeline"] = [part for part in config["pipeline"] if not part["name"].startswith("followup.")]
    intents = sorted(by_intent)
    files = {
        "config.yml": config,
        "domain.yml": {
            "version": "3.1",
            "intents": intents,
            "responses": {f"utter_{name}": [{"text": f"好的（{name}）。"}] for name in intents},
            "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
        },
        "rules.yml": {
            "version": "3.1",
            "rules": [{"rule": name, "steps": [{"intent": name}, {"action": f"utter_{name}"}]} for name in intents],
        },
        "credentials.yml": {"rest": None},
        "endpoints.yml": {},
    }
    for name, content in files.items():
        with (folder / name).open("w", encoding="utf-8") as stream:
            yaml.dump(content, stream)
    shuffled = random.Random(_SEED)
    rows = ['version: "3.1"', "nlu:"]
    for name in intents:
        shuffled.shuffle(by_intent[name])
        texts = by_intent[name] = by_intent[name][::every]
        rows += [f"- intent: {name}", "  examples: |", *(f"    - {text}" for text in texts)]
    (folder / "nlu.yml").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return sum(map(len, by_intent.values()))


def _run(arguments: list[str], folder: Path) -> float:
    log = folder / "train.log"
    began = time.monotonic()
    with log.open("wb") as output:
        done = subprocess.run(
            leashed([sys.executable, *arguments]), timeout=_TRAIN_SECONDS, **_quiet(folder, output)
        )
    if done.returncode != 0:
        raise SystemExit(log.read_text("utf-8", "replace")[-3000:])
    return time.monotonic() - began


def _quiet(folder: Path, output: object) -> dict[str, object]:
    env = {**os.environ, **_ENV, "PYTHONPATH": str(PROJECT_DIR)}
    return {"cwd": folder, "env": env, "stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
