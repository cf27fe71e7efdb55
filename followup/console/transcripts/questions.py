"""The questions of a talk, as its script's revision holds them, named for staff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from followup.console.labels import labels
from followup.scripts import load
from followup.scripts.model import Question, Script

_PROBES = ("reason", "improve")
_SENTENCE = re.compile(r"[^。！？]*？")
_VARIABLE = re.compile(r"\{([a-z][a-z0-9_:]*)\}")
_OF_THE_TALK = {"customer": "客户", "title": "", "pronoun": "您"}


class Questions:
    """Finds questions by the ids that answers carry (`price`, `price.reason`)."""

    def __init__(self, content: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self.script: Script | None = _built(content)
        demo = self.script.demo_variables() if self.script else {}
        self.variables: dict[str, Any] = {**demo, **variables}
        self._by_id = {question.id: question for question in self.script.questions} if self.script else {}

    def find(self, question_id: str) -> Question | None:
        """The question; for `price.reason` an open one. None when this script has none."""
        base, _, probe = question_id.partition(".")
        question = self._by_id.get(base)
        return Question(question_id, "open") if question and probe in _PROBES else question

    def total(self, question_id: str) -> Any:
        """The whole of a quantity where the order tells it."""
        question = self.find(question_id)
        return self.variables.get(question.total) if question and question.total else None

    def computed_from(self, question_id: str) -> list[Question]:
        """The steps whose result the answer goes into, or decides on."""
        return [one for one in self._by_id.values() if one.type == "compute" and question_id in _sources(one)]

    def label(self, question_id: str) -> str:
        """The asking sentence with the customer's data filled in; the id where the script does not know the question."""
        base, _, probe = question_id.partition(".")
        question = self._by_id.get(base)
        if question is None:
            return question_id
        if probe in _PROBES:
            return f"{self._asked(question)}：{labels()['probes'][probe]}"
        if question.type == "compute":
            return labels()["computations"].get(question.compute, question.id)
        return self._asked(question)

    def _asked(self, question: Question) -> str:
        values = {**self.variables, **_OF_THE_TALK}
        asking = _SENTENCE.search(question.ask)
        sentence = (asking[0] if asking else question.ask).strip("？。 ")
        return _VARIABLE.sub(lambda match: str(values.get(match[1], "…")), sentence) or question.id


def _sources(step: Question) -> set[str]:
    conditions = [step.ask_if] if isinstance(step.ask_if, Mapping) else step.ask_if
    return {*step.of, *(key.split(".")[0] for condition in conditions for key in condition)}


def how_label(how: str) -> str:
    """How an answer was read, in Chinese: `scale3:synonym` → 三级满意度：别的说法; `ahead:` means it was said before asked."""
    ahead, how = how.startswith("ahead:"), how.removeprefix("ahead:")
    kind, _, rule = how.partition(":")
    types, rules = labels()["question_types"], labels()["how"]
    if kind == "compute":
        shown = f"计算：{labels()['computations'].get(rule, rule)}"
    elif rule:
        shown = f"{types.get(kind, kind)}：{rules.get(rule, rule)}"
    else:
        shown = rules.get(how, how)
    return f"提前说到，{shown}" if ahead else shown


def _built(content: Mapping[str, Any]) -> Script | None:
    try:
        return load.build_revision(content)
    except (KeyError, TypeError):  # a revision of another form: its answers are shown with their ids
        return None
