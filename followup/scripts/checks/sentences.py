"""Every sentence a customer may read: its variables, its words, its punctuation, its length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Collection, Iterator, Mapping, Sequence

from followup.scripts.checks import facts
from followup.scripts.checks.finding import Document, Finding, NodePath
from followup.scripts.checks.structure import nearest
from followup.scripts.forbidden import Forbidden, said_in
from followup.scripts.typography import polish

LONGEST = 120
"""Characters of one chat message that can be read at a glance on a telephone."""

_SENTENCE_KEYS = ("ask", "on_unclear", "ask_reason", "ask_improve", "say", "acknowledge")
_NOT_SENTENCES = ("hours",)
_ONLY_IN = {
    facts.ANSWER_VARIABLE: "只用在 acknowledge 和 ends 的 say 里",
    **{name: f"只用在 compute: {rule} 的 say 里" for rule, names in facts.GIVES.items() for name in names},
    **dict.fromkeys(("percent", "items"), "只用在 compute: yes_share 或 score_share 的 say 里"),
}
_READ_BACK = re.compile(r"answer:(.*)")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Sentence:
    path: NodePath
    text: str
    more: tuple[str, ...] = ()
    """Variables known here besides: the figures of a `compute` step, the answer just given."""

    @property
    def variables(self) -> list[str]:
        """Names between braces, in order."""
        return _VARIABLE.findall(self.text)


def script_sentences(data: Mapping[str, Any]) -> Iterator[Sentence]:
    """Sentences of a script, its overrides of the shared wording included."""
    for key in ("opening", "about", "after_consent", "closing", "wording"):
        yield from _strings(data.get(key), (key,))
    yield from _strings(data.get("identity"), ("identity",))
    for number, question in enumerate(data["questions"]):
        for key in _SENTENCE_KEYS:
            for sentence in _strings(question.get(key), ("questions", number, key)):
                yield Sentence(sentence.path, sentence.text, _known_here(question, key))
        for value, spec in question.get("ends", {}).items():
            for sentence in _strings(spec.get("say"), ("questions", number, "ends", value, "say")):
                yield Sentence(sentence.path, sentence.text, (facts.ANSWER_VARIABLE,))


def _known_here(question: facts.RawQuestion, key: str) -> tuple[str, ...]:
    if question["type"] == "compute":
        return facts.GIVES.get(question.get("compute", ""), facts.COMPUTED_VARIABLES)
    return (facts.ANSWER_VARIABLE,) if key == "acknowledge" else ()


def shared_sentences(data: Mapping[str, Any]) -> Iterator[Sentence]:
    """Sentences of the shared wording."""
    yield from _strings(data, ())


def _strings(node: Any, path: NodePath) -> Iterator[Sentence]:
    if isinstance(node, str):
        yield Sentence(path, node)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _strings(item, (*path, index))
    elif isinstance(node, dict):
        for key, item in node.items():
            # An `if` holds values, not words for the customer.
            if key not in _NOT_SENTENCES and key != "if":
                yield from _strings(item, (*path, key))


def check_variables(document: Document, sentences: Sequence[Sentence], declared: Collection[str]) -> Iterator[Finding]:
    """Braces that do not enclose a declared or built-in variable."""
    for sentence in sentences:
        known = [*declared, *facts.BUILT_IN_VARIABLES, *sentence.more]
        for name in dict.fromkeys(sentence.variables):
            if _READ_BACK.fullmatch(name):
                continue  # see `read_back.py`
            if not _NAME.fullmatch(name):
                yield document.error(
                    sentence.path,
                    f"花括号里的“{name}”不是变量名",
                    f"{{{name.strip() or 'customer'}}}（小写字母，不留空格）",
                )
            elif name in known:
                continue
            elif name in _ONLY_IN:
                yield document.error(sentence.path, f"变量 {{{name}}} 在这句话里没有值", _ONLY_IN[name])
            else:
                near = nearest(name, known)
                advice = f"{{{near}}}" if near else f"在 variables 里加上 {name}: {{label: 名称, demo: 演示值}}"
                yield document.error(sentence.path, f"变量 {{{name}}} 没有说明过", advice)
        rest = _VARIABLE.sub("", sentence.text)
        if "{" in rest or "}" in rest:
            yield document.error(sentence.path, "花括号没有成对", "{变量名}")
        if "｛" in rest or "｝" in rest:
            yield document.error(sentence.path, "变量用了全角花括号", "{变量名}（半角花括号）")


def check_forbidden(
    document: Document, sentences: Sequence[Sentence], phrases: Sequence[Forbidden]
) -> Iterator[Finding]:
    """Phrases the service rules forbid."""
    for sentence in sentences:
        for forbidden in said_in(sentence.text, phrases):
            source = f"（{forbidden.source}）" if forbidden.source else ""
            yield document.error(
                sentence.path, f"“{forbidden.phrase}”是服务忌语{source}", forbidden.instead or "换一个说法"
            )


def check_print(document: Document, sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Half-width punctuation beside Chinese, and messages too long for a chat."""
    for sentence in sentences:
        typed, printed = _BLANKS.sub("", sentence.text), _BLANKS.sub("", polish(sentence.text))
        at = next((i for i, (a, b) in enumerate(zip(typed, printed)) if a != b), None)
        if at is not None:
            around = _around(typed, at)
            yield document.remind(sentence.path, f"“{typed[around]}”里有半角标点“{typed[at]}”", f"“{printed[around]}”")
        length = len(_VARIABLE.sub("变量名", printed))
        if length > LONGEST:
            yield document.remind(
                sentence.path, f"这段话有{length}个字，在聊天里显得长", f"不超过{LONGEST}个字，或者分成两句"
            )


def _around(text: str, at: int, width: int = 6) -> slice:
    """A few characters on either side of a place, never half a {variable}."""
    begin, end = max(0, at - width), min(len(text), at + width + 1)
    if text.rfind("{", 0, begin) > text.rfind("}", 0, begin):
        begin = text.rfind("{", 0, begin)
    if text.rfind("{", 0, end) > text.rfind("}", 0, end):
        end = text.find("}", end) + 1 or end
    return slice(begin, end)
