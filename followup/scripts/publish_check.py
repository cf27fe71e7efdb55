"""Check a text that is in no file yet, as if it were: the same findings, by line, as for a file of that name."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from followup.scripts import check, load, published
from followup.scripts.checks.finding import Finding
from followup.scripts.published import Kind, Name


def check_text(name: Name, text: str, *, thorough: bool = True) -> list[Finding]:
    """Findings for the text under that name; with `thorough`, of the shared wording also the errors it would make in the scripts.

    Findings about the text itself have an empty `file`, others the file's name. Takes up to some seconds: not for an event loop.
    """
    with tempfile.TemporaryDirectory() as folder:
        if name.kind is Kind.KNOWLEDGE:
            return _knowledge(Path(folder), name, text)
        if name.kind is Kind.SHARED:
            return _shared(Path(folder), text, thorough)
        return _script(Path(folder), name, text)


def _script(folder: Path, name: Name, text: str) -> list[Finding]:
    (folder / load.SHARED).write_text(published.text_of(load.SCRIPTS_DIR / load.SHARED), encoding="utf-8")
    # In a folder of the same trade: the checker holds the script's trade against it, where a file has one.
    files = (path for path in load.script_files() if path.stem == name.id and path.is_file())
    path = folder / next(files, published.path_of(name.id, text)).parent.name / f"{name.id}.yml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return [dataclasses.replace(one, file="") for one in check.check_file(path, folder)]


def _shared(folder: Path, text: str, thorough: bool) -> list[Finding]:
    scripts = []
    for file in load.script_files():
        copy = folder / file.parent.name / file.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(published.text_of(file), encoding="utf-8")
        scripts.append(copy)
    shared = folder / load.SHARED
    shared.write_text(text, encoding="utf-8")
    found = [dataclasses.replace(one, file="") for one in check.check_file(shared, folder)]
    if not thorough or any(one.is_error for one in found):
        return found
    broken = [one for path in scripts for one in check.check_file(path, folder) if one.is_error]
    return found + [dataclasses.replace(one, file=Path(one.file).name) for one in broken]


def _knowledge(folder: Path, name: Name, text: str) -> list[Finding]:
    from followup.knowledge.check import check_file
    from followup.knowledge.load import COMPANY, topic_files

    if f"{name.id}.yml" == COMPANY:  # is held against the variables of all topics
        for file in topic_files():
            (folder / file.name).write_text(published.text_of(file), encoding="utf-8")
    path = folder / f"{name.id}.yml"
    path.write_text(text, encoding="utf-8")
    return [dataclasses.replace(one, file="") for one in check_file(path)]
