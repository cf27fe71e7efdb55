"""Files of ours without a customer. Logs are written without customers' words; this makes sure of it for one who is erased."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

_log = logging.getLogger(__name__)
_LONGEST_FILE = 256 * 1024 * 1024


def blank_home(home: Path, words: Iterable[str]) -> int:
    """`blank_out` in every file of ours that may name a customer: logs, and what the trial channel keeps instead of sending it."""
    words = list(words)
    return blank_out(home / "log", words) + blank_out(home / "demo", words, "**/*.jsonl*")


def blank_out(folder: Path, words: Iterable[str], files_like: str = "**/*.log*") -> int:
    """Overwrite every occurrence of the words in the files below the folder by as many asterisks. Returns how many.

    In place and of the same length: processes go on appending to the same files. Written as plain text, or escaped as in JSON.
    """
    needles = sorted({form for word in words if len(word) > 1 for form in _written(word)}, key=len, reverse=True)
    files = [path for path in sorted(folder.glob(files_like)) if path.is_file()] if folder.is_dir() and needles else []
    return sum(_blank_file(path, needles) for path in files)


def _written(word: str) -> tuple[bytes, bytes]:
    escaped = "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in word)
    return word.encode("utf-8", "replace"), escaped.encode()


def _blank_file(path: Path, needles: list[bytes]) -> int:
    if path.stat().st_size > _LONGEST_FILE:
        _log.warning("%s is too large to be searched", path.name)
        return 0
    found = 0
    with path.open("r+b") as file:
        content = file.read()
        for needle in needles:
            place = content.find(needle)
            while place >= 0:
                file.seek(place)
                file.write(b"*" * len(needle))
                found += 1
                place = content.find(needle, place + len(needle))
    return found
