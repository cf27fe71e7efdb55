"""One word more, or one less, in a list of a YAML text: at its place, everything else stays as it was written.

    add(text, ("price", "negative"), "死贵")            data/lexicon/aspects.yml
    add(text, ("questions", 2, "options", 0, "say"), "老乡")   a script; the list is begun where there is none

What comes out is read again: it must say the same as before, but for that word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = Sequence[str | int]
_WIDEST = 96
"""Columns after which a list goes on in a new line."""
_PLAIN = re.compile(r"[\w\u4e00-\u9fff]+")
_BEFORE_NEW = ("value", "type", "label", "id")
"""Keys behind whose line a new list is begun, the best first."""


class CannotWrite(Exception):
    """The text has another form than expected, or an anchor would change elsewhere too."""


def add(text: str, path: Path, word: str) -> str:
    """The text with the word at the end of the list; unchanged where it stands there already. Raises CannotWrite."""
    if word in words_at(text, path):
        return text
    made = _added(text, path, word)
    wanted = read(text)
    _changed(wanted, path, lambda words: [*words, word])
    return _held(made, wanted)


def remove(text: str, path: Path, word: str) -> str:
    """The text without the word; a list of nothing but it goes as well. Unchanged where it is not. Raises CannotWrite."""
    if word not in words_at(text, path):
        return text
    made = _removed(text, path, word)
    wanted = read(text)
    _changed(wanted, path, lambda words: [one for one in words if one != word])
    return _held(made, wanted)


def words_at(text: str, path: Path) -> list[str]:
    """The words of the list; none where there is no list."""
    found: Any = read(text)
    try:
        for step in path:
            found = found[_key(found, step)]
    except (KeyError, IndexError, TypeError):
        return []
    return _listed(found)


def line_of_question(text: str, question_id: str) -> int:
    """The line, from 1, where a question of a script begins; 0 where it is not, or the text cannot be read."""
    try:
        questions = _step(_compose(text), "questions")
    except CannotWrite:
        return 0
    for question in questions.value if isinstance(questions, SequenceNode) else ():
        name = _step(question, "id")
        if question_id and isinstance(name, ScalarNode) and name.value == question_id:
            return int(name.start_mark.line) + 1
    return 0


def read(text: str) -> Any:
    """The text's content. Raises CannotWrite where it cannot be read."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # of any kind that ruamel has
        raise CannotWrite from error


def _listed(found: Any) -> list[str]:
    if found is None:
        return []
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def _key(found: Any, step: str | int) -> Any:
    """`2` of `opinions.yml` is a number for YAML."""
    if isinstance(found, dict) and step not in found:
        return next((key for key in found if str(key) == step), step)
    return step


def _changed(content: Any, path: Path, change: Any) -> None:
    *way, last = path
    here, above, at = content, None, None
    for step in way:
        above, at = here, _key(here, step)
        here = here[at]
    if isinstance(here, str) and above is not None:  # an option that is nothing but its value
        here = above[at] = {"value": here}
    last = _key(here, last)
    words = change(_listed(here.get(last) if isinstance(here, dict) else here[last]))
    if words or not isinstance(here, dict):
        here[last] = words
        return
    del here[last]
    if list(here) == ["value"] and above is not None:
        above[at] = here["value"]


def _held(made: str, wanted: Any) -> str:
    if _same(read(made)) != _same(wanted):
        raise CannotWrite
    return made


def _same(content: Any) -> Any:
    """Lists of one word and the word alone are read as the same; so are an option and its value."""
    if isinstance(content, dict):
        if list(content) == ["value"]:
            return content["value"]
        return {key: _same(one) for key, one in deepcopy(content).items()}
    if isinstance(content, list):
        return [_same(one) for one in content]
    return content


def _compose(text: str) -> Node:
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except Exception as error:
        raise CannotWrite from error
    if node is None:
        raise CannotWrite
    return node


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    return None


def _find(text: str, path: Path) -> tuple[Node, Node | None]:
    """(what holds the list, the list; None where there is none)"""
    node: Node | None = _compose(text)
    for step in path[:-1]:
        node = _step(node, step) if node is not None else None
    if node is None:
        raise CannotWrite
    return node, _step(node, path[-1])


def _added(text: str, path: Path, word: str) -> str:
    holder, found = _find(text, path)
    scalar, key = _scalar(word), str(path[-1])
    if isinstance(found, SequenceNode):
        return _into(text, found, scalar)
    if isinstance(found, ScalarNode) and found.value:
        begin, end = found.start_mark.index, found.end_mark.index
        return f"{text[:begin]}[{text[begin:end]}, {scalar}]{text[end:]}"
    if found is not None:
        raise CannotWrite
    if isinstance(holder, ScalarNode):
        begin, end = holder.start_mark.index, holder.end_mark.index
        return f"{text[:begin]}{{value: {text[begin:end]}, {key}: [{scalar}]}}{text[end:]}"
    if not isinstance(holder, MappingNode) or not holder.value:
        raise CannotWrite
    if holder.flow_style:
        end = holder.value[-1][1].end_mark.index
        return f"{text[:end]}, {key}: [{scalar}]{text[end:]}"
    there = {pair[0].value: pair for pair in holder.value if isinstance(pair[1], ScalarNode)}
    before = next((there[name] for name in _BEFORE_NEW if name in there), None)
    if before is None:
        raise CannotWrite
    end = _line_end(text, before[1].end_mark.index)
    return f"{text[:end]}\n{' ' * before[0].start_mark.column}{key}: [{scalar}]{text[end:]}"


def _into(text: str, found: SequenceNode, scalar: str) -> str:
    if not found.value:
        at = found.start_mark.index + 1
        return f"{text[:at]}{scalar}{text[at:]}"
    last: Node = found.value[-1]
    end = last.end_mark.index
    if not found.flow_style:
        end = _line_end(text, end)
        return f"{text[:end]}\n{' ' * found.start_mark.column}- {scalar}{text[end:]}"
    if last.end_mark.column + len(scalar) <= _WIDEST:
        return f"{text[:end]}, {scalar}{text[end:]}"
    return f"{text[:end]},\n{_indent(text, found)}{scalar}{text[end:]}"


def _indent(text: str, found: SequenceNode) -> str:
    """Of a list's second line, as its last line has it, else two further than the line that it begins in."""
    first, last = found.start_mark, found.value[-1].start_mark
    lines = text.split("\n")
    if last.line > first.line:
        return re.match(r" *", lines[last.line])[0]  # type: ignore[index] - matches always
    return " " * (len(re.match(r"[ -]*", lines[first.line])[0]) + 2)  # type: ignore[index]


def _removed(text: str, path: Path, word: str) -> str:
    holder, found = _find(text, path)
    if isinstance(found, SequenceNode) and len(found.value) > 1:
        return _out_of(text, found, word)
    if found is None or not isinstance(holder, MappingNode):
        raise CannotWrite
    place = next(number for number, (_, value) in enumerate(holder.value) if value is found)
    key = holder.value[place][0]
    if [pair[0].value for pair in holder.value if pair[1] is not found] == ["value"] and holder.flow_style:
        value = next(pair[1] for pair in holder.value if pair[1] is not found)
        return text[: holder.start_mark.index] + text[value.start_mark.index : value.end_mark.index] + text[holder.end_mark.index :]
    if holder.flow_style and place:
        return text[: holder.value[place - 1][1].end_mark.index] + text[found.end_mark.index :]
    if holder.flow_style:
        raise CannotWrite
    begin = text.rfind("\n", 0, key.start_mark.index)
    return text[: max(begin, 0)] + text[_line_end(text, max(found.end_mark.index - 1, 0)) :]


def _out_of(text: str, found: SequenceNode, word: str) -> str:
    place = next(number for number, one in enumerate(found.value) if one.value == word)
    one = found.value[place]
    if not found.flow_style:
        begin = text.rfind("\n", 0, one.start_mark.index)
        return text[: max(begin, 0)] + text[_line_end(text, one.end_mark.index) :]
    if place:
        return text[: found.value[place - 1].end_mark.index] + text[one.end_mark.index :]
    return text[: one.start_mark.index] + text[found.value[1].start_mark.index :]


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _scalar(word: str) -> str:
    if _PLAIN.fullmatch(word) and read(f"[{word}]") == [word]:
        return word
    return json.dumps(word, ensure_ascii=False)
