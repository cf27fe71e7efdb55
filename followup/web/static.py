"""CSS, scripts and the vendored parts, under an address that changes with their content.

`/static/<version>/<path>`: scripts import each other by relative paths, so one version in front of the path is enough
to let browsers keep everything for good and still never mix two releases.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).with_name("static")
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class StaticFiles:
    """The files below `root`; the version is a digest of all of them, taken at the start."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root.resolve()
        self.version = _digest(self.root)

    def url(self, path: str) -> str:
        return f"/static/{self.version}/{path}"

    def find(self, path: str) -> Path | None:
        """The file of this address, or None. Never one outside the folder, never a hidden one."""
        try:
            file = (self.root / path).resolve()
            inside = file.is_relative_to(self.root) and file.is_file()
        except (OSError, ValueError):  # longer than a name can be; a zero byte, or half a character
            return None
        hidden = any(part.startswith(".") for part in file.parts[len(self.root.parts) :])
        return file if inside and not hidden else None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        file = self.find(request.match_info["path"])
        if file is None:
            raise web.HTTPNotFound
        current = request.match_info["version"] == self.version
        return self.respond(file, _FOR_GOOD if current else _ASK_AGAIN)

    def respond(self, file: Path, caching: str = _ASK_AGAIN) -> web.FileResponse:
        return web.FileResponse(file, headers={"Cache-Control": caching})


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(file.relative_to(root).as_posix().encode())
        digest.update(b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
