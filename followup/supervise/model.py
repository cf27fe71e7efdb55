"""The trained model of the present training data: named by its content, trained when it is not there."""

import asyncio
import fcntl
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from followup.supervise.leashed import leashed

# Everything a model is made of. Scripts are not in it: a new script needs no training.
_FILES = ("config.yml", "domain.yml", "data/rules.yml")
_FOLDERS = (("data/nlu", "*"), ("data/lexicon", "*"), ("followup/nlu", "*"), ("followup/reading", "*"))
_TRAINING_DATA = ("data/nlu", "data/rules.yml")


class TrainingError(RuntimeError):
    """Rasa could not train. The message is Chinese and ends with the end of its output."""


def content_hash(project: Path) -> str:
    """12 hex digits over the names and bytes of everything a model depends on, and Rasa's version."""
    digest = hashlib.sha256(version("rasa").encode())
    for path in _ingredients(project):
        digest.update(b"\0" + path.relative_to(project).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def model_path(project: Path) -> Path:
    """Where the model of the present data is, or will be."""
    return project / "models" / f"{content_hash(project)}.tar.gz"


async def train(project: Path, log: Path, *, force: bool = False) -> Path:
    """The model of the present data, trained now if there is none. Takes about a minute then.

    Rasa runs in a process of its own: TensorFlow's memory must not stay with whoever asked. Cancelling ends it.
    Raises TrainingError.
    """
    path = model_path(project)
    async with _only_one(project / "models" / ".lock"):
        if path.exists() and not force:
            return path
        draft = project / "models" / ".draft" / path.name
        draft.parent.mkdir(exist_ok=True)
        draft.unlink(missing_ok=True)
        code = await _run_rasa(draft, project, log)
        if code != 0 or not draft.exists():
            tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
            raise TrainingError(f"模型训练失败，日志 {log} 的最后几行：\n{tail}")
        draft.replace(path)  # in one step: a half-written model is never found
    return path


async def _run_rasa(draft: Path, project: Path, log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_command(draft),
            cwd=project,
            env={**os.environ, **TRAINING_ENV},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()


TRAINING_ENV = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
}


def _command(draft: Path) -> list[str]:
    name = draft.name.removesuffix(".tar.gz")
    rasa = [sys.executable, "-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml"]
    return leashed([*rasa, "--data", *_TRAINING_DATA, "--out", str(draft.parent), "--fixed-model-name", name])


def _ingredients(project: Path) -> Iterator[Path]:
    found = [project / name for name in _FILES]
    for folder, pattern in _FOLDERS:
        found += (project / folder).rglob(pattern)
    for path in sorted(found):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


@asynccontextmanager
async def _only_one(path: Path) -> AsyncIterator[None]:
    """Two starts at once train once: the second waits and finds the model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.5)
        yield
