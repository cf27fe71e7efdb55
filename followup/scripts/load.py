"""Find and read script files, with what is published over them; merge the shared wording into them."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator, Mapping

from ruamel.yaml import YAML

from followup.scripts import published
from followup.scripts.checks.lines import compose
from followup.scripts.model import Script, build
from followup.scripts.typography import polish_all

SCRIPTS_DIR = published.SCRIPTS
SHARED = "_shared.yml"


class UnknownScript(KeyError):
    """There is no script with that id."""


def script_files(folder: Path = SCRIPTS_DIR) -> Iterator[Path]:
    """Script files in a stable order; files beginning with `_` are not scripts.

    Of the product's own folder also the scripts that were written and published in the console, of which there is no file.
    """
    files = [path for path in sorted(folder.rglob("*.yml")) if not path.name.startswith("_")]
    yield from files
    if folder == SCRIPTS_DIR:
        yield from published.without_file({path.stem for path in files})


def find(script_id: str, folder: Path = SCRIPTS_DIR) -> Path:
    """The file of a script: its name is the id. UnknownScript when there is none."""
    for path in script_files(folder):
        if path.stem == script_id:
            return path
    raise UnknownScript(script_id)


def content(script_id: str, folder: Path = SCRIPTS_DIR) -> dict[str, Any]:
    """What a revision keeps: {"script": {...}, "wording": {...}}, ready for `model.build`.

    The wording is the shared one with the script's own `wording:` laid over it, set as in print.
    """
    return content_of(published.text_of(find(script_id, folder)), folder)


def content_of(text: str, folder: Path = SCRIPTS_DIR, shared: str | None = None) -> dict[str, Any]:
    """The same for the text of a script file; `shared`: the text of a shared wording that is not in force yet."""
    raw, below = _parsed(text), _parsed(published.text_of(folder / SHARED) if shared is None else shared)
    overrides = raw.pop("wording", {})
    return {"script": polish_all(raw), "wording": polish_all(_over(below, overrides))}


def shared_wording(folder: Path = SCRIPTS_DIR) -> dict[str, Any]:
    """The wording that all scripts share, set as in print."""
    return polish_all(_parsed(published.text_of(folder / SHARED)))


def load_script(script_id: str, folder: Path = SCRIPTS_DIR) -> Script:
    """The script as it is in force now. UnknownScript when there is none."""
    return build(content(script_id, folder))


def load_all(folder: Path = SCRIPTS_DIR) -> list[Script]:
    """Every script, in the order of the files."""
    return [load_script(path.stem, folder) for path in script_files(folder)]


@lru_cache(maxsize=256)
def _build_cached(canonical: str) -> Script:
    return build(json.loads(canonical))


def build_revision(revision: Mapping[str, Any]) -> Script:
    """`model.build`, remembered by content: a pinned revision is built once per process."""
    return _build_cached(json.dumps(revision, ensure_ascii=False, sort_keys=True))


def digest(revision: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a revision's content, 64 hex digits."""
    canonical = json.dumps(revision, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@lru_cache(maxsize=64)
def _read(text: str) -> dict[str, Any]:
    return _string_keys(_constructed(text) or {})


def _constructed(text: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    if "<<" in text:  # merging alters the nodes, which others read as well
        return yaml.load(text)
    node = compose(text)
    return yaml.constructor.construct_document(node) if node is not None else None


def _parsed(text: str) -> dict[str, Any]:
    """Remembered by the text: parsing takes tenths of a second, in which a web process would answer nobody."""
    return deepcopy(_read(text))


def _string_keys(node: Any) -> Any:
    """Keys as JSON has them: `true:` and `9:` under `acknowledge` are read as a boolean and a number."""
    if isinstance(node, dict):
        return {str(k).lower() if isinstance(k, bool) else str(k): _string_keys(v) for k, v in node.items()}
    return [_string_keys(item) for item in node] if isinstance(node, list) else node


def _over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(base))
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
