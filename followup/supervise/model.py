"""The trained model of the present training data: named by its content, trained when it is not there."""

import asyncio
import fcntl
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from followup.supervise.leashed import leashed

# Everything a model is made of. Scripts are not in it: a new script needs no training.
_FILES = ("config.yml", "domain.yml", "data/rules.yml")
_DATA = ("data/nlu", "data/lexicon")
_CODE = ("followup/nlu", "followup/reading")
_TRAINING_DATA = ("data/nlu", "data/rules.yml")
KEEP_FILES = 5
"""Model files of this folder that stay: the newest ones."""
_LOOK_EVERY = 0.5


class TrainingError(RuntimeError):
    """Rasa could not train. The message is Chinese and ends with the end of its output."""


def content_hash(project: Path, *, code: Path | None = None) -> str:
    """12 hex digits over the names and bytes of everything a model depends on, and Rasa's version.

    `code`: where the product's own code is when `project` is only a copy of its data (followup.training.workspace).
    """
    return _digest([*_below(project, _FILES, _DATA), *_below(code or project, (), _CODE)])


def code_hash(project: Path) -> str:
    """12 hex digits over what a model must have been made by to be served by this product: code, config, domain, rules."""
    return _digest(_below(project, _FILES, _CODE))


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
        await train_into(path, project, log)
        remove_old(project / "models", keep={path})
    return path


async def train_into(path: Path, project: Path, log: Path, heard: Callable[[str], None] = lambda line: None) -> None:
    """Train on the data in `project`; the file appears in one step. `heard` gets Rasa's lines. Raises TrainingError."""
    draft = path.parent / ".draft" / path.name
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    code = await _run_rasa(draft, project, log, heard)
    if code != 0 or not draft.exists():
        tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
        why = f"（被信号 {-code} 终止，可能是内存不足）" if code < 0 else ""
        raise TrainingError(f"模型训练失败{why}，日志 {log} 的最后几行：\n{tail}")
    draft.replace(path)  # in one step: a half-written model is never found


def remove_old(folder: Path, *, keep: Iterable[Path] = (), count: int = KEEP_FILES) -> list[Path]:
    """Delete the models of a folder beyond the newest `count`; `keep` stays whatever its age. Returns what went."""
    kept = {path.resolve() for path in keep}
    found = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    old = [path for path in found[count:] if path.resolve() not in kept]
    for path in old:
        path.unlink(missing_ok=True)
    return old


async def _run_rasa(draft: Path, project: Path, log: Path, heard: Callable[[str], None]) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_command(draft),
            cwd=project,
            env={**os.environ, **TRAINING_ENV},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    listening = asyncio.create_task(_listen(log, heard))
    try:
        return await process.wait()
    finally:
        listening.cancel()
        with suppress(ProcessLookupError):
            process.kill()


async def _listen(log: Path, heard: Callable[[str], None]) -> None:
    """Hand on the lines of a log that grows."""
    with log.open(encoding="utf-8", errors="replace") as file:
        rest = ""
        while True:
            *lines, rest = (rest + file.read()).split("\n")
            for line in lines:
                heard(line)
            await asyncio.sleep(_LOOK_EVERY)


TRAINING_ENV = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
}


def _command(draft: Path) -> list[str]:
    name = draft.name.removesuffix(".tar.gz")
    rasa = [sys.executable, "-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml"]
    # A group of its own; not a session: the scheduler weighs sessions against each other whatever their niceness.
    return leashed([*rasa, "--data", *_TRAINING_DATA, "--out", str(draft.parent), "--fixed-model-name", name], own_group=True)


def _below(root: Path, files: Iterable[str], folders: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """(name relative to `root`, path) of each file."""
    found = [root / name for name in files]
    for folder in folders:
        found += (root / folder).rglob("*")
    for path in found:
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256(version("rasa").encode())
    for name, path in sorted(files):
        digest.update(b"\0" + name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


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
