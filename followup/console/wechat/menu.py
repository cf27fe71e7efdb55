"""The menu of an account: up to three entries with up to five below each. Pure.

An entry says something for the customer (`say`), opens a page (`view`), or has a KEY of another system (`click`). What WeChat
has besides (mini programs, photos) is kept as it is and only moved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from followup.channels.wechat.menu_key import SAYS
from followup.console.labels import labels

MOST, MOST_BELOW = 3, 5
LONGEST_NAME, LONGEST_NAME_BELOW = 16, 60
"""Bytes of UTF-8."""
LONGEST_KEY, LONGEST_URL = 128, 1024
KINDS = ("say", "view", "click")
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    kind: str = "say"
    """say | view | click | other"""
    value: str = ""
    """What is said, the address, the KEY; for `other` WeChat's own JSON."""
    below: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the form, in order; `level` 2 belongs to the last of level 1."""

    level: int
    name: str
    kind: str
    value: str

    @property
    def is_empty(self) -> bool:
        return not self.name and not self.value


def from_rows(rows: Sequence[Row]) -> tuple[Entry, ...]:
    """The entries of a form; empty lines are left out. A line below nothing is taken as one of the first level."""
    found: list[tuple[Row, list[Entry]]] = []
    for row in rows:
        if row.is_empty:
            continue
        if row.level == 2 and found:
            found[-1][1].append(Entry(row.name, row.kind, row.value))
        else:
            found.append((row, []))
    return tuple(Entry(row.name, row.kind, row.value, tuple(below)) for row, below in found)


def moved(rows: Sequence[Row], number: int, by: int) -> list[Row]:
    """The rows with row `number` one place up (-1) or down (1) among its own; entries of the first level take theirs along."""
    groups: list[list[Row]] = []
    places: dict[int, tuple[int, int]] = {}
    for place, row in enumerate(rows):
        if row.level == 1 or not groups:
            groups.append([])
        groups[-1].append(row)
        places[place] = (len(groups) - 1, len(groups[-1]) - 1)
    if number not in places:
        return list(rows)
    group, within = places[number]
    line, there = (groups, group + by) if within == 0 else (groups[group], within + by)
    here = group if within == 0 else within
    if (0 if within == 0 else 1) <= there < len(line):
        line[here], line[there] = line[there], line[here]  # type: ignore[index]
    return [row for one in groups for row in one]


def as_json(entries: Sequence[Entry]) -> dict[str, Any]:
    """What WeChat is sent."""
    return {"button": [_button(entry) for entry in entries]}


def _button(entry: Entry) -> dict[str, Any]:
    if entry.below:
        return {"name": entry.name, "sub_button": [_button(one) for one in entry.below]}
    match entry.kind:
        case "view":
            return {"type": "view", "name": entry.name, "url": entry.value}
        case "say":
            return {"type": "click", "name": entry.name, "key": SAYS + entry.value}
        case "other":
            return {**_read(entry.value), "name": entry.name}
        case _:
            return {"type": "click", "name": entry.name, "key": entry.value}


def _read(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def from_json(raw: object) -> tuple[Entry, ...]:
    """What WeChat told, or a draft; what is no menu is an empty one."""
    buttons = raw.get("button") if isinstance(raw, dict) else None
    return tuple(_entry(one) for one in buttons if isinstance(one, dict)) if isinstance(buttons, list) else ()


def _entry(raw: dict[str, Any]) -> Entry:
    name, below = str(raw.get("name", "")), raw.get("sub_button")
    if isinstance(below, list) and below:
        return Entry(name, below=tuple(_entry({**one, "sub_button": []}) for one in below if isinstance(one, dict)))
    kind, key = raw.get("type"), str(raw.get("key", ""))
    if kind == "view":
        return Entry(name, "view", str(raw.get("url", "")))
    if kind == "click" or kind is None:
        return Entry(name, "say", key.removeprefix(SAYS)) if key.startswith(SAYS) or not key else Entry(name, "click", key)
    kept = {key: value for key, value in raw.items() if key not in ("name", "sub_button")}
    return Entry(name, OTHER, json.dumps(kept, ensure_ascii=False))


def problems(entries: Sequence[Entry]) -> list[str]:
    """What WeChat would refuse, in Chinese sentences; empty: it can be published."""
    if not entries:
        return [_says("empty")]
    found = [_says("too_many", number=len(entries))] if len(entries) > MOST else []
    for place, entry in enumerate(entries, 1):
        found += _name_problems(entry, place, LONGEST_NAME, "long_name")
        if len(entry.below) > MOST_BELOW:
            found.append(_says("too_many_subs", name=entry.name, number=len(entry.below)))
        for one in entry.below:
            found += _name_problems(one, place, LONGEST_NAME_BELOW, "long_sub_name") + _value_problems(one)
        if not entry.below:
            found += _value_problems(entry)
    return found


def _name_problems(entry: Entry, place: int, limit: int, key: str) -> list[str]:
    if not entry.name:
        return [_says("no_name", place=place)]
    size = len(entry.name.encode("utf-8", "replace"))
    return [_says(key, name=entry.name, number=size)] if size > limit else []


def _value_problems(entry: Entry) -> list[str]:
    if entry.kind == OTHER:
        return []
    if entry.kind not in KINDS:
        return [_says("bad_kind", name=entry.name)]
    if not entry.value:
        return [_says(f"no_value_{entry.kind}", name=entry.name)]
    size = len(entry.value.encode("utf-8", "replace"))
    if entry.kind == "view":
        if size > LONGEST_URL:
            return [_says("long_url", name=entry.name)]
        return [] if _is_address(entry.value) else [_says("bad_url", name=entry.name)]
    if size + (len(SAYS) if entry.kind == "say" else 0) > LONGEST_KEY:
        return [_says(f"long_{entry.kind}", name=entry.name)]
    return []


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def _says(key: str, **values: object) -> str:
    return labels()["menu_problems"][key].format(**values)
