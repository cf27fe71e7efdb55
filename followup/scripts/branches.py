"""Every place where talks of a script part: what a coverage report asks talks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Iterator, Mapping

from followup.scripts.checks import facts
from followup.scripts.checks.conditions import all_of
from followup.scripts.checks.paths import walk_all
from followup.scripts.draw import condition_text
from followup.scripts.load import UnknownScript, content
from followup.scripts.model import Condition, Question, Script
from followup.scripts.walk import Values, holds, matches, shown

OTHERWISE = "otherwise"


class Kind(StrEnum):
    OPENING = "opening"
    """Who answered: the customer, somebody else, the user of the car, somebody on a landline."""
    ASKED = "asked"
    ASK_IF = "ask_if"
    NOT_ASKED = "not_asked"
    """`ask_if` did not hold."""
    ENDS = "ends"
    TICKET = "ticket"
    PROBE = "probe"
    NOT_PROBED = "not_probed"
    """`probe_unless` held."""
    ACKNOWLEDGE = "acknowledge"
    LISTEN_FOR = "listen_for"
    ALSO_READS = "also_reads"
    SKIPPED = "skipped"
    COMPUTE = "compute"
    OUTCOME = "outcome"
    CLOSING = "closing"
    """A closing sentence that depends on the answers."""


@dataclass(frozen=True)
class Branch:
    """One of the ways; equal when step, kind and value are."""

    step: str
    """The question's or step's id; empty for the opening and the end."""
    kind: Kind
    value: str = ""
    text: str = field(default="", compare=False)
    """In words, for a trainer."""


def branches(script: Script) -> list[Branch]:
    """All branches that some talk can walk, in the order of the script."""
    found = [*_opening(script)]
    for question in script.questions:
        found.extend(_of_question(question, script))
    found.extend(_ends(script))
    passed = _passed(script.id)
    return [one for one in found if one.kind is not Kind.NOT_ASKED or passed is None or one.step in passed]


def _passed(script_id: str) -> frozenset[str] | None:
    """Questions that some way passes by without having ended; None for a script that is not in the files."""
    try:
        raw = content(script_id)["script"]
    except UnknownScript:
        return None
    return walk_all(raw["questions"], facts.from_outside(raw)).passed


def ask_if_values(condition: Condition, values: Values) -> Iterator[str]:
    """Names of the ways in which an `ask_if` holds now (`Branch.value` of ASK_IF)."""
    for name, _, alternative, entry in _ways(condition):
        if holds(alternative, values) and holds(entry, values):
            yield name


def closing_values(sentences: Any, values: Values) -> Iterator[str]:
    """Names of the conditional closing sentences that are in question now (`Branch.value` of CLOSING, less the outcome)."""
    conditions = _closing_conditions(sentences)
    held = [str(number) for number, condition in conditions if holds(condition, values)]
    yield from held or ([OTHERWISE] if conditions else [])


def _opening(script: Script) -> Iterator[Branch]:
    if not script.customer_led:
        yield Branch("", Kind.OPENING, "consent", "方便 → 开始提问")
    if script.identity_ask:
        yield Branch("", Kind.OPENING, "identity", "先核对身份：是本人")
        yield Branch("", Kind.OPENING, "not_identity", "先核对身份：不是本人")
    if script.landline:
        yield Branch("", Kind.OPENING, "landline", "方便，但请打座机 → 转同事")
    if script.other_user:
        yield Branch("", Kind.OPENING, "other_user", "不是车主，但平时是他在用 → 记下姓名，接着问")
        yield Branch("", Kind.OPENING, "no_user", "不是车主，也不用这辆车 → 问怎样联系车主")


def _of_question(question: Question, script: Script) -> Iterator[Branch]:
    name = question.id
    if question.ask_if:
        for value, text, *_ in _ways(question.ask_if, script):
            yield Branch(name, Kind.ASK_IF, value, f"{text} → {'说' if question.is_step else '问'}")
        yield Branch(name, Kind.NOT_ASKED, "", f"其他情况 → 不{'说' if question.is_step else '问'}")
    elif question.is_step:
        yield Branch(name, Kind.ASKED, "", "说到")
    if not question.is_step and not question.ask_if:
        yield Branch(name, Kind.ASKED, "", "问到")
    for value, ending in question.ends.items():
        yield Branch(name, Kind.ENDS, value, f"{_named(value)} → 结束（{ending.outcome}）")
    if question.ticket:
        wanted = question.ticket.get("if")
        for value in _listed(wanted) if wanted is not None else [""]:
            yield Branch(name, Kind.TICKET, shown(value), f"{_named(shown(value)) + ' → ' if value != '' else ''}开工单")
    yield from _probing(question)
    yield from _acknowledged(question)
    for listener in question.listen_for:
        yield Branch(name, Kind.LISTEN_FOR, listener.flag, f"听到{'、'.join(listener.words[:3])}等 → 记下 `{listener.flag}`")
    for other in question.also_reads:
        yield Branch(name, Kind.ALSO_READS, other, f"顺带说了 `{other}` → 不再问")
    if question.optional:
        yield Branch(name, Kind.SKIPPED, "", "不愿意说 → 跳过")
    if question.type == "compute":
        yield Branch(name, Kind.COMPUTE, "", f"按 {question.compute} 算出结果")


def _probing(question: Question) -> Iterator[Branch]:
    if not question.probe_if:
        return
    values = "、".join(_named(shown(value)) for value in question.probe_if)
    yield Branch(question.id, Kind.PROBE, "", f"{values} → {'追问' if 'reason' in question.probes else '道歉，转给同事'}")
    if question.probe_unless:
        yield Branch(question.id, Kind.NOT_PROBED, "", f"{values}，但已有 `{question.probe_unless}` → 不追问")


def _acknowledged(question: Question) -> Iterator[Branch]:
    if not isinstance(question.acknowledge, Mapping):
        return
    for value in question.acknowledge:
        if value in question.ends or any(matches(one, value) for one in question.probe_if):
            continue  # that sentence is said by the ending or the probing
        yield Branch(question.id, Kind.ACKNOWLEDGE, value, f"{_named(value)} → 各有回应")


def _ends(script: Script) -> Iterator[Branch]:
    for outcome, sentences in script.closing.items():
        own = sentences != script.wording["closing"].get(outcome)
        if outcome == "completed" or own:
            yield Branch("", Kind.OUTCOME, outcome, f"结果 {outcome}")
        conditions = _closing_conditions(sentences)
        for number, condition in conditions:
            yield Branch("", Kind.CLOSING, f"{outcome}:{number}", f"结果 {outcome}，{condition_text(condition, script)} → 结束语不同")
        if conditions:
            yield Branch("", Kind.CLOSING, f"{outcome}:{OTHERWISE}", f"结果 {outcome}，其他情况 → 结束语不同")


def _closing_conditions(sentences: Any) -> list[tuple[int, Condition]]:
    if not isinstance(sentences, list):
        return []
    seen: dict[str, tuple[int, Condition]] = {}
    for number, item in enumerate(sentences):
        if isinstance(item, Mapping) and item.get("if"):
            seen.setdefault(repr(item["if"]), (number, item["if"]))
    return list(seen.values())


def _ways(condition: Condition, script: Script | None = None) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """(name, text, alternative, what of it is looked at): each alternative, and of a list of values each value."""
    for number, alternative in enumerate(all_of(condition) if condition else []):
        lists = [(key, value) for key, wanted in alternative.items() if isinstance(wanted, (list, tuple)) for value in wanted]
        for key, value in lists or [("", "")]:
            entry = {key: value} if key else alternative
            text = condition_text({**alternative, **entry}, script) if script else ""
            yield f"{number}:{key}={shown(value)}" if key else str(number), text, alternative, entry


def _listed(wanted: Any) -> list[Any]:
    return list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]


def _named(value: str) -> str:
    words = {"true": "是", "false": "否", "answered": "答了", "skipped": "没答", "nothing": "没有要说的", "None": "没答"}
    return words.get(value, value)
