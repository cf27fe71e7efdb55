"""What runs in a data directory: one stack at a time (a lock), described in `run/stack.json` for other commands."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


class AlreadyRunning(RuntimeError):
    """Another stack runs in the same data directory. The message is Chinese."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running stack. `database_url` has no password; with DATABASE_URL set, that one is to be used."""

    pid: int
    pids: dict[str, int]
    database_url: str
    rasa_url: str
    action_url: str
    web_url: str | None
    model: str


@contextmanager
def only_stack(home: Path) -> Iterator[None]:
    """Hold the data directory for one stack. Raises AlreadyRunning."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = file.read().strip()
            raise AlreadyRunning(
                f"数据目录 {home} 已有一个回访服务在运行（进程号 {pid or '未知'}）。"
                "请先停止它，或用 --home 指定另一个数据目录。"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            (folder / "stack.json").unlink(missing_ok=True)
            file.truncate(0)


def write(home: Path, running: Running) -> None:
    """Describe the stack; readable by its owner only."""
    path = home / "run" / "stack.json"
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(running), file, ensure_ascii=False, indent=2)
    draft.replace(path)


def read(home: Path) -> Running | None:
    """The stack that runs in `home`, or None. A description left by a killed one does not count."""
    lock = home / "run" / "lock"
    try:
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None  # nobody holds it
            except BlockingIOError:
                return Running(**json.loads((home / "run" / "stack.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def without_password(url: str) -> str:
    """A database URL that may be written down."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))
