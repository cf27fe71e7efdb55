"""`make bench BENCH="[--only start,parse,...] [--quick] [--write]"`: three systems on this machine, in one run; bounded.

Ours; what `rasa init` gives; and DIET with rules on our examples.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bench import followup_stack, picture, rasa_project
from bench.measure import DIET, OURS, STOCK, Results, install_sizes
from bench.page import write_part
from bench.parse import parse_seconds
from bench.rasa_project import Project
from followup.settings import PROJECT_DIR
from followup.supervise import model

STAGES = ("start", "parse", "rasa", "gateway", "training", "memory", "install")
PAGE = PROJECT_DIR / "docs" / "performance.md"
PICTURE = PROJECT_DIR / "docs" / "images" / "performance.svg"
_QUIET_LOAD = 0.8
"""Above this the machine had something else to do when the run began."""


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    talks: int
    lines: int
    diet_minutes: float
    every: int = 1
    """Of our examples, DIET gets one in so many."""


USUAL = Extent(talks=30, lines=400, diet_minutes=2.0)
QUICK = Extent(talks=8, lines=100, diet_minutes=0.5, every=10)


def measure(stages: Sequence[str], extent: Extent) -> Results:
    """The systems one after the other, so that none is in the other's way."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _ours(results, stages, extent, Path(folder) / "ours")
        if set(stages) - {"install", "gateway"}:
            for name, make in (
                (STOCK, rasa_project.stock),
                (DIET, lambda path: rasa_project.diet(path, followup_stack.REPLIES, extent.diet_minutes, extent.every)),
            ):
                path = Path(folder) / name.split()[0]
                path.mkdir()
                _say(f"{name}: making and training the project")
                project = make(path)
                if project.note:
                    results.notes.append(f"{name}: {project.note}.")
                _theirs(results, stages, extent, name, project)
    if "install" in stages:
        for name, megabytes in install_sizes().items():
            results.put("installed packages (MB)", name, megabytes)
    return results


def _ours(results: Results, stages: Sequence[str], extent: Extent, folder: Path) -> None:
    folder.mkdir()
    trained = folder / "model.tar.gz"
    if "training" in stages:
        _say(f"{OURS}: training")
        began = time.monotonic()
        asyncio.run(model.train_into(trained, PROJECT_DIR, folder / "train.log"))
        results.put("training (s)", OURS, time.monotonic() - began)
    if "parse" in stages:
        path = trained if trained.exists() else asyncio.run(model.train(PROJECT_DIR, folder / "train.log"))
        _say(f"{OURS}: parsing")
        results.times("parse", OURS, parse_seconds(path, followup_stack.REPLIES, extent.lines))
    if not set(stages) & {"start", "rasa", "gateway", "memory"}:
        return
    asyncio.run(model.train(PROJECT_DIR, folder / "train.log"))  # not part of the start
    _say(f"{OURS}: starting, talking")
    ours = followup_stack.main(extent.talks, gateway="gateway" in stages, rasa="rasa" in stages)
    if "start" in stages:
        results.put("Rasa's start to its first answer (s)", OURS, ours.rasa_start)
        results.put("whole product's start to a customer's first line (s)", OURS, ours.start)
    if "rasa" in stages:
        results.times("turn at Rasa's REST channel", OURS, ours.rasa)
    if "gateway" in stages:
        results.times("turn at the gateway, durable", OURS, ours.gateway)
    if "memory" in stages:
        results.put("memory of Rasa (MB, PSS)", OURS, ours.memory["rasa"])
        results.put("memory of all processes (MB, PSS)", OURS, sum(ours.memory.values()))
        each = ", ".join(f"{name} {size:.0f}" for name, size in sorted(ours.memory.items(), key=lambda one: -one[1]))
        results.notes.append(f"{OURS}, MB by process: {each}.")


def _theirs(results: Results, stages: Sequence[str], extent: Extent, name: str, project: Project) -> None:
    if "training" in stages:
        results.put("training (s)", name, project.training)
    if "parse" in stages:
        _say(f"{name}: parsing")
        results.times("parse", name, parse_seconds(project.model, project.lines, extent.lines))
    if not set(stages) & {"start", "rasa", "memory"}:
        return
    _say(f"{name}: starting, talking")
    with project.served() as (url, seconds):
        turns = project.turns(url, extent.talks * len(project.lines))
    if "start" in stages:
        results.put("Rasa's start to its first answer (s)", name, seconds)
    if "rasa" in stages:
        results.times("turn at Rasa's REST channel", name, turns)
    if "memory" in stages:
        results.put("memory of Rasa (MB, PSS)", name, project.memory["rasa"])


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}, load {os.getloadavg()[0]:.1f}", flush=True)


def _stages(text: str) -> list[str]:
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := set(chosen) - set(STAGES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", type=_stages, default=list(STAGES), metavar=",".join(STAGES))
    parser.add_argument("--quick", action="store_true", help="fewer talks and lines, a tenth of the examples for DIET")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance.md, and the picture")
    options = parser.parse_args()
    load, began = os.getloadavg()[0], time.monotonic()
    extent = QUICK if options.quick else USUAL
    results = measure(options.only, extent)
    quiet = "a quiet machine" if load < _QUIET_LOAD else "a machine that had other work as well: only the ratios mean something"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    when = f"{date.today().isoformat()}, {machine}; load {load:.1f} when it began, {quiet}; {time.monotonic() - began:.0f} s in all"
    done = f"{extent.talks * len(followup_stack.REPLIES)} turns and {extent.lines} parsed lines for each system, one at a time"
    text = f"{when}; {done}.\n\n{results.table()}"
    print(f"\n{text}")
    if options.write:
        write_part(PAGE, "bench", f"{text}\n\n![Ratios](images/{PICTURE.name})")
        picture.draw(results, PICTURE, f"{date.today().isoformat()}, load {load:.1f}")


if __name__ == "__main__":
    main()
