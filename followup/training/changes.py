"""Trainers' changes written into example files, line by line, so that comments, order and everything else survive.

Applying a change twice comes to the same: what is there is not added again, what is not there cannot be deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

NEW_FILE = "workbench.yml"
"""Where the first example of an intent goes that no file has."""
_HEAD = 'version: "3.1"\n\n# 训练师在后台新建的意图。\n\nnlu:\n'
_INTENT = re.compile(r"^(\s*)-\s+intent:\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s#]+))\s*(?:#.*)?$")
_EXAMPLES = re.compile(r"^\s*examples:\s*[|>][+-]?\d*\s*$")
_EXAMPLE = re.compile(r"^(\s*)- (.*?)\s*$")
_ANNOTATION = re.compile(r"\[([^\]]+)\](?:\([^)]+\)|\{[^}]+\})")


class Change(Protocol):
    """What `example_changes` says of one example (store.training_models.ExampleChange)."""

    kind: str
    text: str
    intent: str
    new_text: str
    new_intent: str


@dataclass(frozen=True)
class _Block:
    """The examples of one `- intent:`; `end` is behind the last example's line."""

    intent: str
    start: int
    end: int
    indent: str


@dataclass
class _File:
    """A file and what stands where in it, found once until a line changes."""

    path: Path
    lines: list[str]
    changed: bool = False
    _blocks: list[_Block] | None = None
    _examples: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    @property
    def blocks(self) -> list[_Block]:
        if self._blocks is None:
            self._look()
        return self._blocks or []

    def places(self, intent: str, text: str) -> list[int]:
        """The numbers of the lines that are this example."""
        if self._blocks is None:
            self._look()
        return self._examples.get((intent, plain(text)), [])

    def put(self, start: int, end: int, new: Sequence[str]) -> None:
        self.lines[start:end] = new
        self.changed, self._blocks = True, None

    def _look(self) -> None:
        self._blocks, self._examples = _blocks(self.lines), {}
        for block in self._blocks:
            for number in range(block.start, block.end):
                if match := _EXAMPLE.match(self.lines[number]):
                    self._examples.setdefault((block.intent, plain(match.group(2))), []).append(number)


def apply(changes: Iterable[Change], folder: Path) -> int:
    """Write the changes, in their order, into the *.yml files of `folder`. Returns how many changed anything.

    Raises ValueError for a text of several lines or without anything in it, and for an unknown kind.
    """
    files = [_File(path, path.read_text("utf-8").split("\n")) for path in sorted(folder.rglob("*.yml"))]
    count = 0
    for change in changes:
        count += _apply(change, files, folder)
    for file in files:
        if file.changed:
            file.path.write_text("\n".join(file.lines), "utf-8")
    return count


def examples_in(folder: Path) -> list[tuple[str, str]]:
    """(text, intent) of every example, in the order of the files; a hundred times as fast as reading the YAML."""
    files = (_File(path, path.read_text("utf-8").split("\n")) for path in sorted(folder.rglob("*.yml")))
    return [
        (plain(match.group(2)), block.intent)
        for file in files
        for block in file.blocks
        for number in range(block.start, block.end)
        if (match := _EXAMPLE.match(file.lines[number]))
    ]


def _apply(change: Change, files: list[_File], folder: Path) -> bool:
    match change.kind:
        case "add":
            return _add(files, folder, change.intent, change.text)
        case "delete":
            return _delete(files, change.intent, change.text)
        case "move" | "edit":
            text, intent = change.new_text or change.text, change.new_intent or change.intent
            if intent == change.intent:
                return _replace(files, intent, change.text, text)
            marked = _line_of(files, change.intent, change.text) if text == change.text else None  # with its entities
            added = _add(files, folder, intent, marked or text)
            return _delete(files, change.intent, change.text) or added
    raise ValueError(f"unknown kind of change: {change.kind}")


def _add(files: list[_File], folder: Path, intent: str, text: str) -> bool:
    text = _one_line(text)
    if any(file.places(intent, text) for file in files):
        return False
    blocks = [(file, block) for file in files for block in file.blocks if block.intent == intent]
    if blocks:
        file, block = blocks[-1]
        file.put(block.end, block.end, [f"{block.indent}- {text}"])
        return True
    file = _new_file(files, folder)
    while file.lines and not file.lines[-1].strip():
        file.lines.pop()
    file.put(len(file.lines), len(file.lines), ["", f"- intent: {intent}", "  examples: |", f"    - {text}", ""])
    return True


def _delete(files: list[_File], intent: str, text: str) -> bool:
    found = False
    for file in files:
        for number in reversed(file.places(intent, text)):
            file.put(number, number + 1, [])
            found = True
    return found


def _replace(files: list[_File], intent: str, text: str, new_text: str) -> bool:
    """In its place; where the new one stands already, the old one only goes."""
    new_text = _one_line(new_text)
    if plain(text) == new_text:
        return False
    if any(file.places(intent, new_text) for file in files) and plain(text) != plain(new_text):
        return _delete(files, intent, text)
    found = False
    for file in files:
        for number in file.places(intent, text):
            line = file.lines[number]
            file.put(number, number + 1, [f"{line[: len(line) - len(line.lstrip())]}- {new_text}"])
            found = True
    return found


def _new_file(files: list[_File], folder: Path) -> _File:
    path = folder / NEW_FILE
    file = next((each for each in files if each.path == path), None)
    if file is None:
        file = _File(path, _HEAD.split("\n"))
        files.append(file)
    return file


def _blocks(lines: Sequence[str]) -> list[_Block]:
    found: list[_Block] = []
    intent = ""
    begin = -1
    for number, line in enumerate([*lines, "- end:"]):
        if re.match(r"^\s*- \w+:", line) and (begin < 0 or _outside(line, lines[begin])):
            if intent and begin >= 0:
                found.append(_block(lines, intent, begin, number))
            intent, begin = "", -1
            if match := _INTENT.match(line):
                intent = next(group for group in match.groups()[1:] if group)
        elif intent and begin < 0 and _EXAMPLES.match(line):
            begin = number
    return found


def _outside(line: str, examples: str) -> bool:
    """Whether a line is indented less than the `examples:` that a block began with: an example may look like a key."""
    return len(line) - len(line.lstrip()) < len(examples) - len(examples.lstrip())


def _block(lines: Sequence[str], intent: str, begin: int, until: int) -> _Block:
    end, indent = begin + 1, "    "
    for number in range(begin + 1, until):
        if match := _EXAMPLE.match(lines[number]):
            end, indent = number + 1, match.group(1)
    return _Block(intent, begin + 1, end, indent)


def _line_of(files: Iterable[_File], intent: str, text: str) -> str | None:
    """The example as it stands in its file, with its marks."""
    for file in files:
        for number in file.places(intent, text):
            return file.lines[number].strip()[2:]
    return None


def plain(text: str) -> str:
    """An example without its marks of entities; equal for what is the same example."""
    return _ANNOTATION.sub(r"\1", text).strip()


def _one_line(text: str) -> str:
    text = text.strip()
    if not text or len(text.splitlines()) > 1:
        raise ValueError("an example is one line and not empty")
    return text
