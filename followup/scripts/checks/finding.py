"""What the checker tells an author, and the document it speaks about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Mapping

NodePath = tuple[str | int, ...]
"""Where a node is: keys and list positions from the top, e.g. ("questions", 0, "ask")."""


class Level(StrEnum):
    ERROR = "错误"
    REMINDER = "提醒"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to put right. `line` counts from 1; `instead` says what to write, empty when there is no telling."""

    file: str
    line: int
    level: str
    message: str
    instead: str = ""

    def __str__(self) -> str:
        advice = f"。应写：{self.instead}" if self.instead else "。"
        return f"{self.file}:{self.line}:{self.level}:{self.message}{advice}"

    @property
    def is_error(self) -> bool:
        return self.level == Level.ERROR


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the line of every key and value."""

    file: str
    data: Any
    lines: Mapping[NodePath, int]

    def line(self, path: NodePath) -> int:
        """Line of the node, or of its nearest ancestor that is in the file; counts from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: NodePath, message: str, instead: str = "") -> Finding:
        return Finding(self.file, self.line(path), Level.ERROR, message, instead)

    def remind(self, path: NodePath, message: str, instead: str = "") -> Finding:
        return Finding(self.file, self.line(path), Level.REMINDER, message, instead)
