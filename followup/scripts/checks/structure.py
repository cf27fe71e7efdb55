"""Hold a file against its JSON Schema; every kind of breach is told in Chinese."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Iterable

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from followup.scripts.checks.finding import Document, Finding, NodePath

HERE = Path(__file__).resolve().parents[1]
SCRIPT_SCHEMA = HERE / "schema.json"
SHARED_SCHEMA = HERE / "schema_shared.json"

_TYPES = {
    "string": "一句话或一个词",
    "array": "列表 [..., ...]",
    "object": "映射（键: 内容）",
    "number": "数字",
    "integer": "整数",
    "boolean": "true 或 false",
    "null": "空",
}
_NOT_TEXT = {True: "true", False: "false"}

Translation = tuple[NodePath, str, str]
"""Where below the erring node, message, what to write instead."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`; empty when none is near."""
    close = difflib.get_close_matches(word.replace("-", "_").lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def check_structure(document: Document, schema: Path) -> list[Finding]:
    """Breaches of the schema, in no particular order; empty when there are none."""
    found = []
    for error in _validator(schema).iter_errors(document.data):
        path: NodePath = tuple(error.absolute_path)
        for below, message, instead in _TRANSLATIONS[error.validator](error):
            found.append(document.error((*path, *below), message, instead))
    return found


@lru_cache(maxsize=4)
def _validator(schema: Path) -> Draft7Validator:
    return Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))


def _name(error: ValidationError) -> str:
    """The erring node as an author knows it: its key, with the schema's Chinese title where it has one."""
    if not error.absolute_path:
        return "这个文件"
    if "propertyNames" in error.absolute_schema_path:
        return f"“{error.absolute_path[-1]}”里的名字"
    key = next((part for part in reversed(error.absolute_path) if isinstance(part, str)), "")
    last = error.absolute_path[-1]
    where = f"“{key}”第{last + 1}项" if isinstance(last, int) else f"“{key}”"
    title = error.schema.get("title", "") if isinstance(error.schema, dict) else ""
    return f"{where}（{title}）" if title and not isinstance(last, int) else where


def _shown(value: Any) -> str:
    """A value as it stands in the file, cut to a readable length."""
    if isinstance(value, bool):
        return _NOT_TEXT[value]
    if value is None:
        return "空的"
    if isinstance(value, dict):
        return "映射"
    if isinstance(value, list):
        return "列表"
    text = str(value)
    return f"“{text[:20]}{'……' if len(text) > 20 else ''}”"


def _unknown_key(error: ValidationError) -> list[Translation]:
    known = list(error.schema.get("properties", {}))
    found = []
    for key in error.instance:
        if key in known:
            continue
        near = nearest(str(key), known)
        found.append(((key,), f"不认识“{key}”这个键", near or f"只能用 {'、'.join(known)}"))
    return found


def _missing(error: ValidationError) -> list[Translation]:
    key = next(key for key in error.validator_value if f"'{key}' is a required" in error.message)
    spec = error.schema.get("properties", {}).get(key, {})
    title = f"（{spec['title']}）" if "title" in spec else ""
    return [((), f"{_name(error)}缺少“{key}”{title}", f"{key}: ...")]


def _wrong_type(error: ValidationError) -> list[Translation]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    instead = "，或".join(_TYPES[kind] for kind in wanted)
    if isinstance(error.instance, dict) and "string" in wanted and None in error.instance.values():
        instead = '以花括号开头的句子要加半角双引号："{变量}……"'
    elif isinstance(error.instance, str) and wanted == ["boolean"]:
        instead = "true 或 false"
    elif isinstance(error.instance, (int, float)) and wanted == ["string"]:
        instead = f'"{_shown(error.instance).strip("“”")}"（加半角双引号）'
    elif isinstance(error.instance, str) and "array" in wanted:
        instead = f"[{error.instance[:20]}{'……' if len(error.instance) > 20 else ''}]"
    return [((), f"{_name(error)}的写法不对，现在是{_shown(error.instance)}", instead)]


def _bad_value(error: ValidationError) -> list[Translation]:
    allowed = [str(value) for value in error.validator_value]
    near = nearest(str(error.instance), allowed)
    choice = "、".join(allowed)
    return [(_key(error), f"{_name(error)}不能是{_shown(error.instance)}，可以用的有：{choice}", near or "其中之一")]


def _pattern(error: ValidationError) -> list[Translation]:
    rule = error.schema.get("patternErrorMessage", "写法不对")
    return [(_key(error), f"{_name(error)}不能是{_shown(error.instance)}", rule)]


def _key(error: ValidationError) -> NodePath:
    """The key itself when it is the name that is wrong; its line is not the mapping's."""
    return (error.instance,) if "propertyNames" in error.absolute_schema_path else ()


def _plain(message: str, instead: str) -> Callable[[ValidationError], list[Translation]]:
    def translate(error: ValidationError) -> list[Translation]:
        limit = error.validator_value
        return [((), f"{_name(error)}{message.format(limit=limit)}", instead.format(limit=limit))]

    return translate


_TRANSLATIONS: dict[str, Callable[[ValidationError], list[Translation]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing,
    "type": _wrong_type,
    "enum": _bad_value,
    "pattern": _pattern,
    "minItems": _plain("是空的", "至少{limit}项，不需要就删掉这个键"),
    "minProperties": _plain("是空的", "至少{limit}项，不需要就删掉这个键"),
    "minLength": _plain("是空的", "写上内容，不需要就删掉这个键"),
    "minimum": _plain("太小", "不小于{limit}的数"),
    "maximum": _plain("太大", "不大于{limit}的数"),
    "uniqueItems": _plain("里有重复的项", "每一项只写一次"),
}
