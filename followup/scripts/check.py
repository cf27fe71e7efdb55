"""Check script files before anybody talks by them; every finding in Chinese, with line and what to write instead.

Errors 错误 keep a script from being used; reminders 提醒 are the documented advice on questionnaires.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterable, Mapping

from ruamel.yaml import YAML

from followup.scripts.checks import conditions, questionnaire, read_back, references, sentences, structure, types
from followup.scripts.checks.finding import Document, Finding, Level
from followup.scripts.checks.lines import read_file
from followup.scripts.forbidden import Forbidden, from_rows
from followup.scripts.load import SCRIPTS_DIR, SHARED, script_files

__all__ = ["Finding", "Level", "check_all", "check_file"]

FORBIDDEN = Path("lexicon", "forbidden.yml")
"""Beside the folder of scripts; a list of {phrase, instead, source, whole}."""


def check_all(folder: Path = SCRIPTS_DIR) -> list[Finding]:
    """Findings for the shared wording and every script of a folder, in the order of files and lines."""
    files = list(script_files(folder))
    shared = [folder / SHARED] if (folder / SHARED).exists() else []
    return [finding for path in [*shared, *files] for finding in check_file(path, folder)]


def check_file(path: Path | str, folder: Path = SCRIPTS_DIR) -> list[Finding]:
    """Findings for one script, or for `_shared.yml`, by line. `folder` holds the other scripts and the shared wording.

    Never raises for what is in the file; a file that is missing or not text is a finding too.
    """
    path = Path(path)
    document, found = read_file(path, _shown(path))
    if document is not None:
        check = _shared if path.name == SHARED else _script
        found += check(document, path, folder)
    return sorted(set(found))


def _script(document: Document, path: Path, folder: Path) -> list[Finding]:
    if not isinstance(document.data, dict):
        return [document.error((), "这个文件不是话术", "从 id: 开始，一行一个键，见 docs/zh/scripts.md")]
    found = structure.check_structure(document, structure.SCRIPT_SCHEMA)
    if found:
        return found  # what follows relies on the structure
    shared = _shared_wording(folder)
    own = list(sentences.script_sentences(document.data))
    declared = document.data["variables"]
    found = [
        *references.check_names(document, path, folder),
        *_same_id_elsewhere(document, path, folder),
        *references.check_overrides(document, shared),
        *types.check_types(document),
        *types.check_variable_use(document),
        *sentences.check_variables(document, own, declared),
        *_missing_for_shared(document, shared, own),
        *sentences.check_forbidden(document, own, _phrases(folder)),
        *sentences.check_print(document, own),
        *read_back.check_read_back(document, own),
    ]
    broken = [*conditions.check_conditions(document), *references.check_links(document)]
    # Ways through the script mean something only once every condition points somewhere.
    ways = [] if broken else list(references.check_reachable(document))
    everything = [*own, *sentences.shared_sentences(shared)]
    return [*found, *broken, *ways, *questionnaire.check_questionnaire(document, everything)]


def _shared(document: Document, path: Path, folder: Path) -> list[Finding]:
    if not isinstance(document.data, dict):
        return [document.error((), "公共话术是空的", "从 buttons: 开始，一行一个键")]
    found = structure.check_structure(document, structure.SHARED_SCHEMA)
    own = list(sentences.shared_sentences(document.data))
    return [
        *found,
        # Scripts declare their own variables; whether they have these is checked with each script.
        *sentences.check_variables(document, own, _named_anywhere(folder)),
        *sentences.check_forbidden(document, own, _phrases(folder)),
        *sentences.check_print(document, own),
    ]


def _missing_for_shared(
    document: Document, shared: Mapping[str, Any], own: Iterable[sentences.Sentence]
) -> list[Finding]:
    """Variables the shared wording uses must be declared by every script."""
    declared = document.data["variables"]
    overridden = {sentence.path[1:] for sentence in own if sentence.path[0] == "wording"}
    missing: dict[str, None] = {}
    for sentence in sentences.shared_sentences(shared):
        if not any(path[: len(sentence.path)] == sentence.path for path in overridden):
            missing.update(dict.fromkeys(sentence.variables))
    return [
        document.error(
            ("variables",), f"公共话术要用变量“{name}”，这里没有说明", f"{name}: {{label: 名称, demo: 演示值}}"
        )
        for name in missing
        if name not in declared and name not in sentences.facts.BUILT_IN_VARIABLES
    ]


def _same_id_elsewhere(document: Document, path: Path, folder: Path) -> list[Finding]:
    others = [other for other in script_files(folder) if other.stem == path.stem and other.resolve() != path.resolve()]
    inside = folder.resolve() in path.resolve().parents
    return [
        document.error(("id",), f"编号“{document.data['id']}”与 {_shown(other)} 重复", "换一个编号，文件名也一起改")
        for other in others
        if inside
    ]


def _shared_wording(folder: Path) -> dict[str, Any]:
    path = folder / SHARED
    return _plain(path if path.exists() else SCRIPTS_DIR / SHARED, {})


def _phrases(folder: Path) -> list[Forbidden]:
    rows = _plain(folder.parent / FORBIDDEN, []) or _plain(SCRIPTS_DIR.parent / FORBIDDEN, [])
    return from_rows(rows)


def _named_anywhere(folder: Path) -> set[str]:
    """Variables that some script of the folder declares."""
    return {name for path in script_files(folder) for name in _declared(path)}


_VARIABLES = re.compile(rb"^variables:.*\n(?:(?:[ \t#].*)?\n)*", re.MULTILINE)


def _declared(path: Path) -> Iterable[str]:
    """The variables of one script. Only that part is read: all scripts together take seconds."""
    try:
        content = path.read_bytes()
    except OSError:
        return ()
    part = _VARIABLES.search(content + b"\n")
    data = _parsed(part[0] if part else content)
    variables = data.get("variables") if isinstance(data, dict) else None
    return variables if isinstance(variables, dict) else ()


def _plain(path: Path, otherwise: Any) -> Any:
    """A YAML file of the expected kind, or `otherwise`: its own faults are told when it is checked itself."""
    try:
        data = _parsed(path.read_bytes())
    except OSError:
        return otherwise
    return data if isinstance(data, type(otherwise)) else otherwise


@lru_cache(maxsize=128)
def _parsed(content: bytes) -> Any:
    """Remembered by the content: the same shared wording is looked at for every script, from whatever folder. Not to be altered."""
    try:
        return YAML(typ="safe").load(content.decode("utf-8-sig"))
    except Exception:  # whatever the YAML reader trips over
        return None


def _shown(path: Path) -> str:
    """The path as an author sees it: from the working directory when it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
