"""Spreadsheets are ZIP archives, and an archive can be made to unpack to any size. Looked at before any library opens it. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

_PIECE = 1024 * 1024
MOST_PARTS = 5000


class TooLarge(ValueError):
    """It would unpack to more than is allowed."""


def check_size(data: bytes, largest: int) -> None:
    """Every part is as large as the archive says, and all of them together at most `largest` bytes.

    A library that trusts what it unpacks (calamine does) would otherwise fill the memory with a part that says it is small.
    Raises TooLarge, or what `zipfile` raises for what is no archive (BadZipFile, NotImplementedError, zlib.error ...).
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > largest:
            raise TooLarge
        for part in parts:
            for _ in pieces(archive, part):
                pass


def pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo | str) -> Iterator[bytes]:
    """What the part holds, a megabyte at a time. Raises BadZipFile when it is not what the archive says."""
    with archive.open(part) as file:
        while piece := file.read(_PIECE):
            yield piece
