"""Examples as Rasa's YAML and as a spreadsheet, out and in. Pure: bytes and (text, intent).

A spreadsheet's first row is its head, `意图` and `例句`; Rasa's YAML may have its examples as a block or as a list.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from followup.archive import TooLarge, check_size
from followup.training.changes import plain

MOST = 2000
"""Examples in one import."""
_LARGEST_UNPACKED = 50 * 1024 * 1024
HEAD = ("意图", "例句")
_INTENT_HEADS = ("意图", "intent")
_TEXT_HEADS = ("例句", "句子", "text", "example", "examples")


class Unreadable(Exception):
    """`key` of labels.yml, `example_import_errors`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def as_yaml(lines: Iterable[tuple[str, str]]) -> bytes:
    """Rasa's own form; an intent's examples together, in their order."""
    by_intent: dict[str, list[str]] = {}
    for text, intent in lines:
        by_intent.setdefault(intent, []).append(text)
    parts = ['version: "3.1"\n\nnlu:\n']
    for intent in sorted(by_intent):
        parts.append(f"- intent: {intent}\n  examples: |\n" + "".join(f"    - {text}\n" for text in by_intent[intent]) + "\n")
    return "".join(parts).encode("utf-8")


def as_xlsx(lines: Iterable[tuple[str, str]]) -> bytes:
    """Text stays text, whatever it begins with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("例句")
    sheet.freeze_panes = "A2"
    for column, width in (("A", 30), ("B", 70)):
        sheet.column_dimensions[column].width = width
    for number, values in enumerate([HEAD, *((intent, text) for text, intent in lines)]):
        cells = []
        for value in values:
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
            cell.data_type = "s"
            if number == 0:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes) -> list[tuple[str, str]]:
    """(text, intent) of a file, each once, in its order. Raises Unreadable."""
    found = _xlsx(content) if content[:2] == b"PK" else _yaml(content)
    lines = list(dict.fromkeys((plain(text), intent.strip()) for text, intent in found if text.strip() and intent.strip()))
    if not lines:
        raise Unreadable("unreadable")
    if len(lines) > MOST:
        raise Unreadable("too_many")
    return lines


def _yaml(content: bytes) -> list[tuple[str, str]]:
    try:
        raw: Any = YAML(typ="safe", pure=True).load(content.decode("utf-8-sig"))
        return [(text, str(block["intent"])) for block in raw["nlu"] if "intent" in block for text in _texts(block.get("examples", ""))]
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise Unreadable("unreadable") from None


def _texts(examples: Any) -> list[str]:
    if isinstance(examples, str):
        return [line.strip()[2:] for line in examples.splitlines() if line.strip().startswith("- ")]
    # Only text: an alias can make a list that is short in the file and endless when it is written out.
    texts = (one["text"] if isinstance(one, dict) else one for one in examples)
    return [str(text) for text in texts if isinstance(text, str | int | float)]


def _xlsx(content: bytes) -> list[tuple[str, str]]:
    try:
        check_size(content, _LARGEST_UNPACKED)
        rows = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
        head = [str(cell or "").strip().lower() for cell in next(rows)]
        intent_at = next(at for at, name in enumerate(head) if name in _INTENT_HEADS)
        text_at = next(at for at, name in enumerate(head) if name in _TEXT_HEADS)
        found = []
        for row in rows:
            if len(row) > max(intent_at, text_at):
                found.append((str(row[text_at] if row[text_at] is not None else ""), str(row[intent_at] or "")))
            if len(found) > MOST * 20:
                raise Unreadable("too_many")
        return found
    except Unreadable:
        raise
    except TooLarge:
        raise Unreadable("too_many") from None
    except Exception:  # noqa: BLE001 - the library raises almost anything on a damaged file
        raise Unreadable("unreadable") from None
