"""Log files of the processes: bounded in size, and without what must not be written down."""

import contextlib
import re
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

_HIDDEN = "***"
_LONGEST_LINE = 64 * 1024
# The password in a URL, and the token that opens a customer's talk or ends what is sent to them.
_PATTERNS = (
    (re.compile(rb"(://[^\s/:@]+:)[^\s/@]+@"), rb"\1***@"),
    (re.compile(rb"(/[cu]/)[A-Za-z0-9_.-]{16,}"), rb"\1***"),
)


class Redactor:
    """Replaces known secrets, passwords in URLs and customers' tokens by ***."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._secrets = [secret.encode() for secret in secrets if secret and len(secret) >= 6]

    def __call__(self, line: bytes) -> bytes:
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN.encode())
        for pattern, replacement in _PATTERNS:
            line = pattern.sub(replacement, line)
        return line


class RotatingLog:
    """`rasa.log`, then `rasa.log.1` (newest) to `rasa.log.5`; written line by line so that a secret is never cut in two.

    What cannot be written (a full disk) is left out and counted: a process must not end because of its log.
    """

    def __init__(self, path: Path, redact: Redactor, *, limit: int = 10 * 1024 * 1024, keep: int = 5) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._redact = redact
        self._limit = limit
        self._keep = keep
        self._pending = b""
        self._left_out = 0
        self._file = self._open()

    def write(self, chunk: bytes) -> None:
        """Take output as it comes, in pieces of any length."""
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            self._put(line + b"\n")
        if len(self._pending) > _LONGEST_LINE:
            self.flush()

    def flush(self) -> None:
        """Write the unfinished last line too: its process has ended."""
        if self._pending:
            self._put(self._pending + b"\n")
            self._pending = b""

    def close(self) -> None:
        self.flush()
        self._file.close()

    def tail(self, lines: int = 15) -> str:
        """The last lines, for an error message; empty when they cannot be read."""
        self.flush()
        with contextlib.suppress(OSError), self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 16 * 1024))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        return ""

    def _put(self, line: bytes) -> None:
        line = self._redact(line)
        if self._left_out:
            line = f"({self._left_out} lines could not be written here)\n".encode() + line
        try:
            if self._file.tell() + len(line) > self._limit and self._file.tell() > 0:
                self._rotate()
            written = self._file.write(line)
            if written < len(line):  # the last bytes of the disk: what stands there of it is taken back
                self._file.truncate(self._file.tell() - written)
                raise OSError
        except OSError:
            self._left_out += 1
        else:
            self._left_out = 0

    def _rotate(self) -> None:
        if self.path.exists():  # not when the last try could make no new file
            for number in range(self._keep - 1, 0, -1):
                older = self._numbered(number)
                if older.exists():
                    older.replace(self._numbered(number + 1))
            self.path.replace(self._numbered(1))
        full, self._file = self._file, self._open()
        full.close()

    def _open(self) -> FileIO:
        file = self.path.open("ab", buffering=0)  # nothing waits in a buffer that could not be written
        self.path.chmod(0o600)
        return file

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
