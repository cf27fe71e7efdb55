"""The flow of a script as a graph, and the graph as a Mermaid flowchart (SVG: `draw_svg`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Mapping

from followup.scripts.model import Condition, Question, Script
from followup.scripts.walk import negated, shown

LONGEST = 44
"""Characters of a sentence that a box shows."""

OUTCOMES = {
    "completed": "完成", "appointed": "已预约", "refused": "拒访", "do_not_contact": "免打扰", "wrong_person": "非本人",
    "unreachable": "未响应", "handed_over": "转人工", "ended_early": "中途结束", "complained": "投诉",
}  # fmt: skip
_SPECIAL = {"answered": "答过", "skipped": "没答"}
_PROBES = {"reason": "原因", "improve": "怎样改进"}


class Kind(StrEnum):
    BEGIN = "begin"
    QUESTION = "question"
    STEP = "step"
    """Only says or computes something."""
    BRANCH = "branch"
    PROBE = "probe"
    END = "end"


@dataclass(frozen=True)
class Node:
    id: str
    kind: Kind
    text: str
    title: str = ""
    guarded: bool = False
    """Reached only when the condition before it holds."""
    beside: str = ""
    """The question that a probe or an early end belongs to."""


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    label: str = ""


@dataclass
class Flow:
    """Nodes from top to bottom; a side node follows the question it stands beside."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def flow(script: Script) -> Flow:
    """Questions in their order, a branch before each condition, probes and endings beside their question."""
    graph = Flow([Node("begin", Kind.BEGIN, shorten(_filled(script.opening, script)), "开场白")])
    loose: list[tuple[str, str]] = [("begin", "方便")]  # (node, label) still to be led to what comes next
    bypass: list[tuple[str, str]] = []
    condition: Condition = {}
    for question in script.questions:
        if question.ask_if != condition:
            loose, bypass = [*loose, *bypass], []
            condition = question.ask_if
            if condition:
                branch = Node(f"if_{question.id}", Kind.BRANCH, condition_text(condition, script))
                graph.nodes.append(branch)
                _lead(graph, loose, branch.id)
                loose, bypass = [(branch.id, "是")], [(branch.id, "否则")]
        graph.nodes.append(_node(question, script, guarded=bool(condition)))
        _lead(graph, loose, question.id)
        _beside(graph, question, script)
        loose = [] if _always_ends(question) else [(question.id, "")]
    graph.nodes.append(Node("end", Kind.END, OUTCOMES["completed"], "结束"))
    _lead(graph, [*loose, *bypass], "end")
    return graph


def condition_text(condition: Condition, script: Script) -> str:
    """A condition as a trainer reads it: `used 是；price 不满意`."""
    if not isinstance(condition, Mapping):
        return "，或者 ".join(condition_text(one, script) for one in condition)
    return "，并且 ".join(f"{_named(key, script)}：{_wanted(value)}" for key, value in condition.items())


def shorten(text: str) -> str:
    """A sentence cut to the length of a box."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def mermaid(script: Script) -> str:
    """The flow as Mermaid text, to be pasted where Mermaid is drawn."""
    graph = flow(script)
    lines = ["flowchart TD"]
    for node in graph.nodes:
        left, right = _SHAPES[node.kind]
        text = f"{node.title}<br>{_quoted(node.text)}" if node.title else _quoted(node.text)
        lines.append(f'  {_safe(node.id)}{left}"{text}"{right}')
    beside = {node.id for node in graph.nodes if node.beside}
    for edge in graph.edges:
        arrow = "-.->" if edge.target in beside else "-->"
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        lines.append(f"  {_safe(edge.source)} {arrow}{label} {_safe(edge.target)}")
    return "\n".join(lines) + "\n"


_SHAPES = {
    Kind.BEGIN: ("([", "])"), Kind.QUESTION: ("[", "]"), Kind.STEP: ("[/", "/]"),
    Kind.BRANCH: ("{", "}"), Kind.PROBE: ("[", "]"), Kind.END: ("([", "])"),
}  # fmt: skip


def _filled(sentence: str, script: Script) -> str:
    """With the demo values, as in a trial talk; built-in variables stay."""
    for name, value in script.demo_variables().items():
        sentence = sentence.replace(f"{{{name}}}", str(value))
    return sentence


def _node(question: Question, script: Script, guarded: bool) -> Node:
    text = question.ask or question.say or f"计算 {question.compute}"
    kind = Kind.STEP if question.is_step else Kind.QUESTION
    return Node(question.id, kind, shorten(_filled(text, script)), f"{question.id}（{question.type}）", guarded)


def _beside(graph: Flow, question: Question, script: Script) -> None:
    if question.probe_if:
        asked = "、".join(_PROBES[kind] for kind in question.probes)
        text = f"追问{asked}，再接着问" if asked else "道歉，开工单，再接着问"
        graph.nodes.append(Node(f"{question.id}.probe", Kind.PROBE, text, beside=question.id))
        graph.edges.append(Edge(question.id, f"{question.id}.probe", _wanted(list(question.probe_if))))
    for number, (value, ending) in enumerate(question.ends.items()):
        text = shorten(_filled(ending.say, script)) if ending.say else OUTCOMES[ending.outcome]
        node = Node(f"{question.id}.end{number}", Kind.END, text, f"结束：{OUTCOMES[ending.outcome]}", beside=question.id)
        graph.nodes.append(node)
        graph.edges.append(Edge(question.id, node.id, _wanted(value)))


def _always_ends(question: Question) -> bool:
    return {"answered", "skipped"} <= set(question.ends) and not question.probe_if


def _lead(graph: Flow, loose: list[tuple[str, str]], target: str) -> None:
    graph.edges.extend(Edge(source, target, label) for source, label in loose)


def _named(key: str, script: Script) -> str:
    name, _, part = key.partition(".")
    variable = script.variables.get(name)
    label = str(variable["label"]) if variable else name
    return f"{label}.{part}" if part else label


def _wanted(value: Any) -> str:
    if (unwanted := negated(value)) is not None:
        return f"不是{_wanted(unwanted)}"
    if isinstance(value, (list, tuple)):
        return "、".join(_wanted(one) for one in value)
    text = shown(value)
    return {"true": "是", "false": "否", **_SPECIAL}.get(text, text)


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def _safe(node_id: str) -> str:
    """`end` is a word of Mermaid's own."""
    return "n_" + node_id.replace(".", "_")
