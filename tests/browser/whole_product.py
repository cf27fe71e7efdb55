"""`followup up` over a copy of the project that is a git work tree of its own: what trainers hand in lands there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from followup.settings import PROJECT_DIR
from followup.supervise import model

_LEFT_OUT = {".git", ".venv", ".uv-venv", "models", "var", "docs", ".hypothesis", ".pytest_cache", ".ruff_cache", ".rasa"}
"""At the top: what the product makes itself, and what it does not need to run."""
_NEVER = {"__pycache__", "node_modules"}
_READY_SECONDS = 300


@dataclass(frozen=True)
class Product:
    url: str
    project: Path

    def git(self, *words: str) -> str:
        return _git(self.project, *words)


@asynccontextmanager
async def whole_product(folder: Path, database_url: str) -> AsyncIterator[Product]:
    """Started, answering, and with the present model, which is trained now when there is none."""
    trained = await model.train(PROJECT_DIR, folder / "train.log")
    project = await asyncio.to_thread(_copied, folder / "project", trained)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **os.environ, "PYTHONPATH": str(project), "FOLLOWUP_HOME": str(folder / "home"), "FOLLOWUP_PORT": str(port), "DATABASE_URL": database_url,
        "RASA_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    log = folder / "up.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "followup.cli", "up", cwd=project, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
    product = Product(f"http://127.0.0.1:{port}", project)
    try:
        await _answers(product.url, process, log)
        yield product
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 60)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(_READY_SECONDS):
        while True:
            assert process.returncode is None, log.read_text("utf-8", "replace")
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with http.get(f"{url}/healthz") as answer:
                    if answer.status == 200 and "全部就绪" in log.read_text("utf-8", "replace"):
                        return
            await asyncio.sleep(0.3)


def _copied(project: Path, trained: Path) -> Path:
    def left_out(folder: str, names: list[str]) -> set[str]:
        top = _LEFT_OUT if Path(folder) == PROJECT_DIR else set()
        return (top | _NEVER).intersection(names)

    shutil.copytree(PROJECT_DIR, project, ignore=left_out)
    (project / "models").mkdir()
    shutil.copy2(trained, project / "models" / trained.name)
    assert model.model_path(project).exists(), "somebody changed the examples meanwhile"
    _git(project, "init", "-q")
    _git(project, "add", "--all")
    _git(project, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "--no-verify", "-m", "as it is")
    return project


def _git(project: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(project), *words], check=True, capture_output=True, text=True).stdout
