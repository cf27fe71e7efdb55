"""Which branches a talk walks (followup.scripts.branches), and where it was interrupted with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from followup.dialogue import state as st
from followup.dialogue.effects import Outcome, RaiseTicket, StoreAnswer
from followup.scripts.branches import Branch, Kind, ask_if_values, closing_values
from followup.scripts.model import Question
from followup.scripts.walk import NOTHING, holds, matches, shown
from followup.dialogue.turn import Verdict
from tests.e2e.in_process import Step

UNCLEAR = "unclear"
SILENCE = "silence"


@dataclass
class Walked:
    """What one talk went through; fed with every turn (`see`)."""

    branches: set[Branch] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    """Questions that were asked."""
    interruptions: set[tuple[str, str]] = field(default_factory=set)
    """(question id, what it was interrupted by: an intent's base name, `unclear` or `silence`)"""
    outcomes: set[str] = field(default_factory=set)

    def see(self, step: Step) -> None:
        self.branches.update(_of_step(step))
        if step.after.open.startswith(st.QUESTION):
            self.asked.add(step.after.question_id)
        if (kind := _interruption(step)) and step.before is not None and step.before.question_id:
            self.interruptions.add((step.before.question_id, kind))
        if step.after.over:
            self.outcomes.add(str(step.after.outcome))


def _interruption(step: Step) -> str | None:
    """What came between the question and its answer; None for an answer."""
    before, reply = step.before, step.reply
    if before is None or before.over:
        return None
    if reply is None:
        return SILENCE if step.after.counts.get("silence", 0) > before.counts.get("silence", 0) else None
    if step.verdict is Verdict.INTERRUPTED:
        return "do_not_contact" if reply.has("do_not_contact") else reply.base
    times = step.after.unclear.get(before.open, 0)
    return UNCLEAR if times > before.unclear.get(before.open, 0) else None


def _of_step(step: Step) -> Iterator[Branch]:
    yield from _opening(step)
    yield from _asked(step)
    answers = [effect for effect in step.effects if isinstance(effect, StoreAnswer)]
    for answer in answers:
        question = next((one for one in step.script.questions if one.id == answer.question_id), None)
        if question is not None:
            yield from _answered(step, question, answer)
    yield from _steps_said(step)
    yield from _ended(step)


def _opening(step: Step) -> Iterator[Branch]:
    before, after = step.before, step.after
    if before is None or before.over or step.reply is None:
        return
    if before.open in (st.CONSENT, st.IDENTITY) and after.open.startswith(st.QUESTION):
        yield Branch("", Kind.OPENING, "consent")
    if before.open == st.IDENTITY and (after.open == st.CONSENT or after.open.startswith(st.QUESTION)):
        yield Branch("", Kind.OPENING, "identity")
    if before.open == st.IDENTITY and after.outcome == Outcome.WRONG_PERSON:
        yield Branch("", Kind.OPENING, "not_identity")
    if before.open == st.OTHER_USER and after.open == st.OTHER_NAME:
        yield Branch("", Kind.OPENING, "other_user")
    if before.open == st.OTHER_USER and (after.over or after.open == st.THIRD_PERSON):
        yield Branch("", Kind.OPENING, "no_user")
    if after.over and after.outcome_reason == "landline":
        yield Branch("", Kind.OPENING, "landline")


def _asked(step: Step) -> Iterator[Branch]:
    """The question that was opened, and those that were passed by because their condition does not hold."""
    before, after, script = step.before, step.after, step.script
    values = _values(step)
    opened = after.question_id if after.open.startswith(st.QUESTION) else ""
    finished = after.over and after.outcome == Outcome.COMPLETED
    if opened and (before is None or before.open != after.open):
        yield from _reached(script.question(opened), values)
    if not opened and not finished:
        return
    for question in script.questions:
        if question.id == opened:
            return
        if question.ask_if and question.id not in after.values and question.id not in after.told:
            if not holds(question.ask_if, values):
                yield Branch(question.id, Kind.NOT_ASKED)


def _steps_said(step: Step) -> Iterator[Branch]:
    said = set(step.after.told) - set(step.before.told if step.before else ())
    for question in step.script.questions:
        if question.id not in said:
            continue
        yield from _reached(question, _values(step))
        if question.ticket and _raised(step, question):
            yield Branch(question.id, Kind.TICKET)


def _reached(question: Question, values: dict[str, Any]) -> Iterator[Branch]:
    if not question.ask_if:
        yield Branch(question.id, Kind.ASKED)
    for value in ask_if_values(question.ask_if, values):
        yield Branch(question.id, Kind.ASK_IF, value)


def _answered(step: Step, question: Question, answer: StoreAnswer) -> Iterator[Branch]:
    value, name, how = answer.value, question.id, answer.how
    if how.startswith("compute:"):
        yield Branch(name, Kind.COMPUTE)
        return
    opened = step.before.question_id if step.before and step.before.open.startswith(st.QUESTION) else ""
    if how.startswith("ahead:") and opened:
        yield Branch(opened, Kind.ALSO_READS, name)
    if how == "skipped":
        yield Branch(name, Kind.SKIPPED)
    for flag in (listener.flag for listener in question.listen_for):
        if step.after.values.get(flag) and not (step.before and step.before.values.get(flag)):
            yield Branch(name, Kind.LISTEN_FOR, flag)
    probed = bool(question.probe_if) and matches(question.probe_if, value)
    if probed and question.probe_unless and step.after.values.get(question.probe_unless):
        yield Branch(name, Kind.NOT_PROBED)
    elif probed and ("reason" not in question.probes or step.after.open == st.REASON + name):
        yield Branch(name, Kind.PROBE)
    yield from _ticket(step, question, value)
    if step.after.over and step.after.outcome_reason in (name, "unclear"):
        yield from (Branch(name, Kind.ENDS, key) for key in _keys(value) if key in question.ends)
    elif not probed and not how.startswith(("ahead:", "corrected", "unclear")):
        yield from _acknowledged(question, value)


def _ticket(step: Step, question: Question, value: Any) -> Iterator[Branch]:
    if not question.ticket or not _raised(step, question):
        return
    wanted = question.ticket.get("if")
    if wanted is None:
        yield Branch(question.id, Kind.TICKET)
        return
    for one in wanted if isinstance(wanted, (list, tuple)) else [wanted]:
        if matches(one, value):
            yield Branch(question.id, Kind.TICKET, shown(one))


def _raised(step: Step, question: Question) -> bool:
    spec = question.ticket or {}
    wanted = (spec.get("topic", question.id), spec.get("kind", "request"))
    return any((e.topic, e.kind) == wanted for e in step.effects if isinstance(e, RaiseTicket))


def _acknowledged(question: Question, value: Any) -> Iterator[Branch]:
    """As followup.dialogue.answers.acknowledgement chooses."""
    own = question.acknowledge
    if not isinstance(own, dict):
        return
    kind = "nothing" if value in (None, NOTHING) else "answered"
    key = shown(value) if shown(value) in own else kind
    if key in own:
        yield Branch(question.id, Kind.ACKNOWLEDGE, key)


def _keys(value: Any) -> tuple[str, str]:
    """How an ending may name this answer."""
    return shown(value), "skipped" if value in (None, NOTHING) else "answered"


def _ended(step: Step) -> Iterator[Branch]:
    if not step.after.over or (step.before and step.before.over):
        return
    outcome = str(step.after.outcome)
    yield Branch("", Kind.OUTCOME, outcome)
    for value in closing_values(step.script.closing.get(outcome), _values(step)):
        yield Branch("", Kind.CLOSING, f"{outcome}:{value}")


def _values(step: Step) -> dict[str, Any]:
    return {**step.script.demo_variables(), **step.after.variables, **step.after.values}
