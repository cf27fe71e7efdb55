"""The other side: what `rasa init` gives, trained and served as it is, on its REST channel."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figures, memory_of
from followup.supervise.health import free_port
from followup.supervise.leashed import leashed

REPLIES = ("hello", "I am sad", "yes", "bye", "are you a bot?", "I am great")
_WARM_UP = 12
_READY_SECONDS = 240
_ENV = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


def main(turns: int) -> Figures:
    """Make, train and serve the stock project in a directory that is deleted, and talk to it."""
    with tempfile.TemporaryDirectory(prefix="stock-rasa-") as folder:
        print("stock Rasa: making and training the project of `rasa init` ...", flush=True)
        began = time.monotonic()
        _rasa(["init", "--no-prompt", "--init-dir", folder], Path(folder))
        print(f"stock Rasa: trained in {time.monotonic() - began:.0f} s; starting ...", flush=True)
        with _server(Path(folder)) as (url, process, start):
            seconds = [_turn(url, number) for number in range(turns + _WARM_UP)][_WARM_UP:]
            return Figures("stock Rasa", seconds, {"rasa": memory_of(process.pid)}, start)


def _rasa(arguments: list[str], folder: Path) -> None:
    log = folder / "init.log"
    with log.open("wb") as output:
        done = subprocess.run(
            leashed([sys.executable, "-m", "rasa", *arguments]),
            cwd=folder,
            env={**os.environ, **_ENV},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=900,
        )
    if done.returncode != 0:
        raise SystemExit(log.read_text("utf-8", "replace")[-3000:])


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    port = free_port()
    began = time.monotonic()
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(
            leashed([sys.executable, "-m", "rasa", "run", "-i", "127.0.0.1", "-p", str(port)]),
            cwd=folder,
            env={**os.environ, **_ENV},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}/webhooks/rest"
        while not _answers(url):
            if process.poll() is not None or time.monotonic() - began > _READY_SECONDS:
                raise SystemExit((folder / "run.log").read_text("utf-8", "replace")[-3000:])
            time.sleep(0.1)
        yield url, process, time.monotonic() - began
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _turn(url: str, number: int) -> float:
    """Seconds of one request; a new conversation for every round of REPLIES, as on our side."""
    body = {"sender": f"bench-{number // len(REPLIES)}", "message": REPLIES[number % len(REPLIES)]}
    request = urllib.request.Request(
        f"{url}/webhook", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:
        response.read()
    return time.perf_counter() - began
