"""The sentences of a script as a form, and back into its text: everything else, comments and order too, stays as it was.

Only the scalar that was changed is written anew, at its place in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from followup.scripts.checks.lines import compose
from followup.scripts.published import Kind

Path = tuple[str | int, ...]
_WORDS = {
    "opening": "开场白", "about": "回访目的", "after_consent": "答应以后", "ask": "问句", "say": "说的话", "on_unclear": "没听懂时",
    "acknowledge": "回应", "ask_reason": "问原因", "ask_improve": "请教改进", "other_user": "问使用人", "ends": "结束时说",
}  # fmt: skip
_TOP = ("opening", "about", "after_consent")
_OF_QUESTION = ("ask", "say", "on_unclear", "acknowledge", "ask_reason", "ask_improve")
_VALUES = {"true": "是", "false": "否", "answered": "答了", "skipped": "没答", "nothing": "没有要说的"}
_OUTCOMES = {
    "completed": "完成", "appointed": "已预约", "refused": "拒访", "do_not_contact": "免打扰", "wrong_person": "非本人",
    "unreachable": "未响应", "ended_early": "中途结束", "complained": "投诉", "handed_over": "转人工",
}  # fmt: skip
_FOLDED = re.compile(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f{])|(?<=}) (?=[^\x00-\x7f])|(?<=[^\x00-\x7f]) (?=\{)")
"""The blank that a line end in a folded sentence leaves between two Chinese characters."""


@dataclass(frozen=True, slots=True)
class Field:
    """One sentence. `key` names it in the form; `line` counts from 1."""

    key: str
    group: str
    label: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class _Leaf:
    path: Path
    node: ScalarNode
    in_flow: bool
    indent: int
    """Of the mapping or list it stands in."""


def fields(kind: Kind, text: str) -> list[Field]:
    """The sentences in the order of the text; none when it cannot be read."""
    found, titles = [], _question_ids(text)
    for leaf in _leaves(text):
        named = _named(kind, leaf.path, titles)
        if named is not None:
            found.append(Field(_key(leaf.path), *named, _shown(leaf.node), leaf.node.start_mark.line + 1))
    return found


def put(kind: Kind, text: str, values: Mapping[str, str]) -> str:
    """The text with these sentences (key -> what it should say). Unknown keys, and what says the same already, change nothing."""
    named = {field.key for field in fields(kind, text)}
    for leaf in reversed(_leaves(text)):  # from the end, so that places before stay true
        key = _key(leaf.path)
        if key not in named or key not in values:
            continue
        value = "".join(line.strip() for line in values[key].splitlines())
        if value != _shown(leaf.node):
            text = _replaced(text, leaf, value)
    return text


def _key(path: Path) -> str:
    return "/".join(str(part) for part in path)


def _shown(node: ScalarNode) -> str:
    return _FOLDED.sub("", str(node.value).strip())


def _named(kind: Kind, path: Path, titles: Mapping[int, str]) -> tuple[str, str] | None:
    """(group, label) of a sentence that the form offers."""
    if kind is Kind.SHARED:
        return str(path[0]), " › ".join(_step(part) for part in path[1:]) or str(path[0])
    if kind is Kind.KNOWLEDGE:
        if path == ("title",):
            return "主题", "标题"
        if path[0] == "values" and len(path) == 2:
            return "本公司的内容", str(path[1])
        if path[0] == "answers" and len(path) > 2 and path[2] == "say":
            return f"答案{int(path[1]) + 1}", "回答" + (f"{int(path[3]) + 1}" if len(path) > 3 else "")
        return None
    if path[0] in _TOP:
        return "开场", _WORDS[str(path[0])]
    if path[0] == "identity" and len(path) == 2:
        return "开场", "问使用人" if path[1] == "other_user" else "核对身份"
    if path[0] == "closing" and len(path) > 1 and "if" not in path:
        return "结束语", _OUTCOMES.get(str(path[1]), str(path[1])) + _number(path[2:])
    if path[0] == "questions" and len(path) > 2:
        return _of_question(path, titles)
    return None


def _of_question(path: Path, titles: Mapping[int, str]) -> tuple[str, str] | None:
    number, what = int(path[1]), str(path[2])
    group = f"{number + 1}．{titles.get(number, '')}"
    if what in ("ends",) and path[-1] == "say":
        return group, f"答“{_VALUES.get(str(path[3]), path[3])}”就结束时说"
    if what not in _OF_QUESTION:
        return None
    after = f"（{_VALUES.get(str(path[3]), path[3])}）" if len(path) > 3 and isinstance(path[3], str) else ""
    return group, _WORDS[what] + after + _number(path[3:])


def _number(rest: Path) -> str:
    numbers = [part for part in rest if isinstance(part, int)]
    return f" {numbers[-1] + 1}" if numbers and numbers[-1] else ""


def _step(part: str | int) -> str:
    return str(part + 1) if isinstance(part, int) else part


def _compose(text: str) -> Node | None:
    try:
        return compose(text)
    except Exception:  # whatever is wrong with what somebody is writing at: the checker tells
        return None


def _leaves(text: str) -> list[_Leaf]:
    node = _compose(text)
    try:
        return list(_below(node, (), False, set())) if node is not None else []
    except RecursionError:  # an anchor within itself
        return []


def _below(node: Node, path: Path, in_flow: bool, seen: set[int]) -> Iterator[_Leaf]:
    if id(node) in seen:  # what an anchor repeats; the checker refuses it
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        pairs = list(enumerate(node.value))
    elif isinstance(node, MappingNode):
        pairs = [(key.value, value) for key, value in node.value if isinstance(key, ScalarNode)]
    else:
        return
    flow = in_flow or bool(node.flow_style)
    for part, value in pairs:
        if isinstance(value, ScalarNode):
            if value.tag == "tag:yaml.org,2002:str":
                yield _Leaf((*path, part), value, flow, node.start_mark.column)
        else:
            yield from _below(value, (*path, part), flow, seen)


def _question_ids(text: str) -> dict[int, str]:
    return {
        leaf.path[1]: str(leaf.node.value)
        for leaf in _leaves(text)
        if len(leaf.path) == 3 and leaf.path[0] == "questions" and leaf.path[2] == "id" and isinstance(leaf.path[1], int)
    }


def _replaced(text: str, leaf: _Leaf, value: str) -> str:
    begin, end = leaf.node.start_mark.index, leaf.node.end_mark.index
    if leaf.node.style in (">", "|"):
        end = begin + len(_scalar_lines(text[begin:end], leaf.indent))
        written = f">-\n{' ' * (leaf.indent + 2)}{value}" if value and not value[0].isspace() else json.dumps(value, ensure_ascii=False)
    else:
        written = _scalar(value, leaf.in_flow, quoted=leaf.node.style is not None)
    return text[:begin] + written + text[end:]


def _scalar_lines(block: str, indent: int) -> str:
    """The block scalar without the empty lines and comments that follow it."""
    lines = block.split("\n")
    last = max((n for n, line in enumerate(lines) if n == 0 or (line.strip() and len(line) - len(line.lstrip()) > indent)), default=0)
    return "\n".join(lines[: last + 1])


def _scalar(value: str, in_flow: bool, *, quoted: bool) -> str:
    if not quoted and _reads_as(f"[{value}]" if in_flow else f"k: {value}", [value] if in_flow else {"k": value}):
        return value
    return json.dumps(value, ensure_ascii=False)


def _reads_as(text: str, wanted: object) -> bool:
    try:
        return bool(YAML(typ="safe", pure=True).load(text) == wanted)
    except Exception:  # then it must be quoted
        return False
