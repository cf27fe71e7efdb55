"""A form or report as tables, however it is written down in the end: page, spreadsheet, PDF. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Sequence[Any]
"""Texts and numbers; None is an empty cell."""


@dataclass(frozen=True)
class Block:
    """One table with its heading. `widths`: millimetres on paper, evenly when empty."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    widths: tuple[float, ...] = ()
    note: str = ""
    """Said below the table, or in its place when it has no rows."""


@dataclass(frozen=True)
class Paper:
    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    landscape: bool = False
    signatures: tuple[str, ...] = field(default=())
    """Lines to sign on at the end."""

    @property
    def rows(self) -> int:
        return sum(len(block.rows) for block in self.blocks)
