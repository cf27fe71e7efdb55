"""`{answer:visit_time}` reads back an answer that can have been given by then, and never leaves a hole."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence

from followup.scripts.checks import facts
from followup.scripts.checks.conditions import all_of
from followup.scripts.checks.finding import Document, Finding
from followup.scripts.checks.sentences import Sentence
from followup.scripts.checks.structure import nearest
from followup.scripts.walk import negated

_READ_BACK = re.compile(r"\{answer:([^{}]*)\}")
_OTHERWISE = "再加一句不带 {{answer:{name}}} 的，没有这个回答时说"


def check_read_back(document: Document, sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Every `{answer:...}` of the script's own sentences."""
    questions = document.data["questions"]
    for sentence in sentences:
        for name in dict.fromkeys(_READ_BACK.findall(sentence.text)):
            given = _given_by_then(sentence, questions)
            if name not in given:
                known = [question["id"] for question in questions]
                wrong = "到这里还没有问到" if name in known else "不是题目的编号"
                advice = f"{{answer:{nearest(name, given)}}}" if nearest(name, given) else "前面某一题的编号"
                yield document.error(sentence.path, f"{{answer:{name}}} 里的“{name}”{wrong}", advice)
            elif not (_certain(sentence, name, document.data) or _has_another(sentence, document.data)):
                yield document.error(sentence.path, f"客户可能没有回答“{name}”，这句话会说不出来", _advice(sentence, name))


def _given_by_then(sentence: Sentence, questions: Sequence[facts.RawQuestion]) -> list[str]:
    """Questions that may have an answer when the sentence is said."""
    if sentence.path[0] != "questions":
        return [q["id"] for q in questions if not facts.is_step(q)] if sentence.path[0] == "closing" else []
    number, key = int(sentence.path[1]), sentence.path[2]
    before = [q["id"] for q in questions[:number] if not facts.is_step(q)]
    if key not in ("acknowledge", "ends"):
        return before
    return [*before, questions[number]["id"], *facts.as_list(questions[number].get("also_reads"))]


def _certain(sentence: Sentence, name: str, data: Mapping[str, Any]) -> bool:
    """The condition of the step, or of the closing sentence, asks for this answer."""
    path = sentence.path
    if path[0] == "questions":
        question = data["questions"][path[1]]
        if path[2] in ("acknowledge", "ends") and question["id"] == name:
            return True
        return _asks_for(question.get("ask_if", {}), name)
    node: Any = data
    for part in path[:-1]:
        node = node[part]
    return isinstance(node, dict) and _asks_for(node.get("if", {}), name)


def _asks_for(condition: Any, name: str) -> bool:
    """Whether the condition can hold only when `name` was answered."""
    return bool(condition) and all(
        any(key.split(".")[0] == name and wanted != facts.SKIPPED and negated(wanted) in (None, facts.SKIPPED) for key, wanted in one.items())
        for one in all_of(condition)
    )


def _has_another(sentence: Sentence, data: Mapping[str, Any]) -> bool:
    """A sentence of the same list that reads nothing back takes its place."""
    node: Any = data
    for part in sentence.path[:-1]:
        node = node[part]
    siblings = node if isinstance(node, list) else []
    return any(isinstance(one, str) and not _READ_BACK.search(one) for one in siblings)


def _advice(sentence: Sentence, name: str) -> str:
    if sentence.path[0] == "questions" and sentence.path[2] not in ("acknowledge", "ends"):
        return f"ask_if: {{{name}: answered}}"
    return _OTHERWISE.format(name=name)
