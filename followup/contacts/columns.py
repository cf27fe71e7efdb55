"""What the columns of a customer list mean: guessed from the header and the cells, changeable, checked. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from followup.contacts.dates import is_date_header, looks_like_date
from followup.contacts.table import ContactsFileError, Table

_LOOKED_AT = 300
"""So many rows show whether a column holds dates."""


class Use(StrEnum):
    """What a column is taken for. DATE and TEXT are kept under the column's own name, for scripts and campaigns."""

    NAME = "name"
    TITLE = "title"
    SEX = "sex"
    PHONE = "phone"
    EMAIL = "email"
    EXTERNAL_ID = "external_id"
    OPENID = "openid"
    GROUPS = "groups"
    CONSENT = "consent"
    CONSENT_SOURCE = "consent_source"
    CONSENT_TEXT = "consent_text"
    CONSENT_AT = "consent_at"
    STOP = "stop"
    DATE = "date"
    TEXT = "text"
    SKIP = "skip"


IDENTIFYING = (Use.PHONE, Use.EMAIL, Use.EXTERNAL_ID, Use.OPENID)
_MANY = (Use.DATE, Use.TEXT, Use.SKIP)


@cache
def use_labels() -> dict[str, str]:
    """Use -> its Chinese name."""
    return {use: spec["label"] for use, spec in _words().items()}


@cache
def _words() -> dict[str, Any]:
    return YAML(typ="safe").load(Path(__file__).with_name("columns.yml").read_text(encoding="utf-8"))


def guess(table: Table) -> tuple[Use, ...]:
    """The use of each column: by the header's usual names, each use once; of the others, dates where they hold dates."""
    header = [plain_header(cell) for cell in table.header]
    never = _words()[Use.SKIP]["headers"]
    uses: list[Use | None] = [Use.SKIP if name in never else None for name in header]
    for use, spec in _words().items():
        # In the order of the names: with both 手机号 and 联系方式 there, the more exact one is meant.
        found = next((header.index(name) for name in spec["headers"] if name in header), None)
        if found is not None and uses[found] is None:
            uses[found] = Use(use)
    return tuple(use or _other(table, column) for column, use in enumerate(uses))


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row is clearly a header: it names the customer's name and something that tells who they are."""
    names = {plain_header(cell) for cell in cells if cell}
    return all(any(header in names for use in uses for header in _words()[use]["headers"]) for uses in ((Use.NAME,), IDENTIFYING))


def use_of(name: str) -> Use:
    """What a field of this name is to whoever asks whether its customer may be contacted: STOP or TEXT."""
    return Use.STOP if plain_header(name) in _words()[Use.STOP]["headers"] else Use.TEXT


def plain_header(cell: str) -> str:
    """A header without what does not matter: blanks, stars, colons, width, case."""
    return re.sub(r"[\s*:]", "", unicodedata.normalize("NFKC", cell)).lower()


def _other(table: Table, column: int) -> Use:
    cells = [cell for cell in _cells(table, column) if cell]
    if not table.header[column]:
        return Use.SKIP
    dates = sum(map(looks_like_date, cells)) + sum(len(cell) == 5 and cell.isdigit() for cell in cells)
    needed = 0.5 if is_date_header(table.header[column]) else 0.9
    return Use.DATE if cells and dates >= needed * len(cells) else Use.TEXT


def _cells(table: Table, column: int) -> Iterable[str]:
    return (row.cells[column] for row in table.rows[:_LOOKED_AT] if column < len(row.cells))


def read_uses(values: Sequence[str], table: Table) -> tuple[Use, ...]:
    """The uses as a form sent them; what is none is left to the guess."""
    guessed = guess(table)
    return tuple(
        Use(values[column]) if column < len(values) and values[column] in set(Use) else use for column, use in enumerate(guessed)
    )


def check(table: Table, uses: Sequence[Use]) -> None:
    """Raises ContactsFileError when customers cannot be made of these columns."""
    seen = "、".join(cell for cell in table.header if cell)[:80]
    if Use.NAME not in uses:
        raise ContactsFileError(f"表头里没有“姓名”这一列（现有：{seen}）。第一行应为表头，请加上一列“姓名”。")
    if not set(IDENTIFYING) & set(uses):
        raise ContactsFileError(f"表头里没有“电话”这一列（现有：{seen}）。第一行应为表头，请加上一列“手机号”。")
    for use in set(uses) - set(_MANY):
        if uses.count(use) > 1:
            raise ContactsFileError(f"有 {uses.count(use)} 列都当作“{use_labels()[use]}”，只能有一列。")
    kept = [cell for cell, use in zip(table.header, uses, strict=True) if use in (Use.DATE, Use.TEXT)]
    if len(set(kept)) < len(kept):
        twice = next(cell for cell in kept if kept.count(cell) > 1)
        raise ContactsFileError(f"表头里有两列都叫“{twice}”，请改成不同的名字。")
    if "" in kept:
        raise ContactsFileError("有一列没有名字，请在表头里写上，或者选择“不导入”。")
