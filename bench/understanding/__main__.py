"""`python -m bench.understanding [--only NAME...] [--minutes M] [--write]`

Trains each system on data/nlu, asks it the frozen replies of tests/nlu, one system after the other, and prints the
table. Results stay in var/understanding, so that `--only` repeats a part; the table says when one of them is of other
examples. `--write` puts the table into docs/understanding.md and docs/zh/understanding.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.understanding import frozen, pages
from bench.understanding.catalogue import BY_NAME, DIET, OURS, SYSTEMS, Compared
from bench.understanding.figures import Outcome, mixture
from followup.settings import PROJECT_DIR

KEPT = PROJECT_DIR / "var" / "understanding"
_MINUTES = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.understanding", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*BY_NAME, "none"], help="run these again; the others as kept")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="how long each DIET and spaCy may train")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/")
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    for system in SYSTEMS:
        if options.only is None or system.name in options.only:
            run(system, options.minutes)
    outcomes, stale = kept_outcomes()
    print(pages.table(outcomes, "en"))
    if stale:
        print(f"of other examples than now: {', '.join(stale)}")
    if options.write:
        pages.write(outcomes, stale)


def run(system: Compared, minutes: float) -> None:
    """Train and ask one system, each step in a process of its own, and keep what came out."""
    print(f"{system.name}: training ...", flush=True)
    examples = fingerprint()
    with tempfile.TemporaryDirectory(prefix="understanding-") as name:
        folder = Path(name)
        trained = _step("train", system, folder, minutes)
        print(f"{system.name}: {trained['train_wall']:.0f} s; asking ...", flush=True)
        asked = _step("ask", system, folder, minutes)
    result = {**trained, **asked, "fingerprint": examples}
    (KEPT / f"{system.name}.json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")


def _step(step: str, system: Compared, folder: Path, minutes: float) -> dict[str, object]:
    result = folder / f"{step}.json"
    model = folder / "model"
    model.mkdir(exist_ok=True)
    with (KEPT / f"{system.name}.log").open("wb") as log:
        arguments = [step, system.name, str(model), str(minutes), str(result)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.understanding.worker", *arguments],
            cwd=PROJECT_DIR,
            env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0:
        raise SystemExit((KEPT / f"{system.name}.log").read_text("utf-8", "replace")[-3000:])
    found: dict[str, object] = json.loads(result.read_text(encoding="utf-8"))
    return found


def fingerprint() -> str:
    """Of the examples and the frozen replies: figures of different ones are not compared without saying so."""
    digest = hashlib.sha256()
    for folder, ending in (("data/nlu", "*.yml"), ("tests/nlu", "*.tsv")):
        for path in sorted((PROJECT_DIR / folder).glob(ending)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def kept_outcomes() -> tuple[dict[str, Outcome], dict[str, int]]:
    """What is kept of each system, with the mixtures, and how many examples those had that were trained on other ones.

    Raises ValueError when a frozen set has changed since: rankings would stand beside the wrong replies.
    """
    now, outcomes, stale = fingerprint(), {}, {}
    lines = len(frozen.read_all())
    for system in SYSTEMS:
        path = KEPT / f"{system.name}.json"
        if not path.exists():
            continue
        kept = json.loads(path.read_text(encoding="utf-8"))
        if len(kept["rankings"]) != lines:
            raise ValueError(f"the frozen sets have changed since {system.name} was asked: run it again")
        count = kept.pop("examples")
        if kept.pop("fingerprint") != now:
            stale[system.name] = count
        kept["rankings"] = [[(str(name), float(share)) for name, share in ranking] for ranking in kept["rankings"]]
        outcomes[system.name] = Outcome(label=system.label, **kept)
    for diet in (DIET, "diet-stock"):
        if diet in outcomes and OURS in outcomes:
            ours, other = outcomes[OURS], outcomes[diet]
            outcomes[f"{diet}+{OURS}"] = Outcome(
                label=f"{other.label} + this pipeline, averaged",
                told=other.told,
                rankings=mixture(ours.rankings, other.rankings),
                milliseconds=[a + b for a, b in zip(ours.milliseconds, other.milliseconds)],
                train_wall=_sum(ours.train_wall, other.train_wall),
                train_cpu=_sum(ours.train_cpu, other.train_cpu),
                memory=None,
            )
    return outcomes, stale


def _sum(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left + right


if __name__ == "__main__":
    main()
