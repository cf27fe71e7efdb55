"""Where the live Rasa is, and which model it serves: `run/rasa.json`, changed in one step.

What stands there is what was switched to last. A supervisor that was killed begins with it again; a turn reads the
address when it begins, which costs one `stat` as long as nothing has changed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Live:
    """A Rasa that takes turns. `version` None: the model of the files."""

    url: str
    model: str
    """Path of its model file."""
    version: int | None = None
    deployment: int | None = None
    """The last one that was dealt with here."""
    code: str = ""
    """Of the product that made the model (supervise.model.code_hash)."""


def file_of(home: Path) -> Path:
    return home / "run" / "rasa.json"


def write(home: Path, live: Live) -> None:
    """From the next turn on, this one is asked. Readable by its owner only."""
    path = file_of(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(live), file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())  # after a power cut it is the old one or the new one
    draft.replace(path)


def read(path: Path) -> Live | None:
    """What was switched to last; None when there is nothing, or nothing that can be read."""
    try:
        return Live(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class RasaAddress:
    """Called: the live Rasa's URL, from `path` where there is one, else `otherwise`."""

    def __init__(self, path: Path | None, otherwise: str) -> None:
        self._path = path
        self._otherwise = otherwise
        self._seen: tuple[int, int, int] | None = None
        self._url = otherwise

    def __call__(self) -> str:
        if self._path is None:
            return self._otherwise
        try:
            found = self._path.stat()
        except OSError:
            return self._url
        seen = found.st_ino, found.st_mtime_ns, found.st_size
        if seen != self._seen:
            live = read(self._path)
            self._url, self._seen = (live.url if live else self._otherwise), seen
        return self._url
