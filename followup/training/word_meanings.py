"""What a few words of a customer's line can mean, and in which list they belong. Pure.

Nothing here is learnt by the model: a word list of data/lexicon, or a question of a script, takes the word, and followup.reading
finds it in every reply from then on.

    of_lexicon(content)             content: name of a list ("aspects") -> what the file says
    of_question(script, question)   the answers that one question of a script (as read from its YAML) takes
    place(meaning, ...)             the path of the list, for followup.training.word_lists
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from followup.training.word_lists import Path

LISTS = ("aspects", "opinions", "products", "persons")
LEVELS = ("2", "1", "0", "-1", "-2")
"""Of opinions.yml, the best first."""
_POLES = ("negative", "positive", "words")
SCALES = ("scale3", "scale5")


@dataclass(frozen=True, slots=True)
class Meaning:
    """`kind`: option, yes, no (of a script's `question`); opinion, aspect_words, aspect_negative, aspect_positive, product, person."""

    code: str
    kind: str
    name: str
    """As staff know it; of an opinion its level."""
    question: str = ""

    @property
    def of_script(self) -> bool:
        return bool(self.question)


def of_lexicon(content: Mapping[str, Any]) -> list[Meaning]:
    """All that the word lists of the product know."""
    found = [Meaning(f"opinion:{level}", "opinion", level) for level in LEVELS]
    for id_, entry in content["aspects"].items():
        found += [Meaning(f"aspect:{id_}:{pole}", f"aspect_{pole}", str(entry.get("label", id_))) for pole in _POLES]
    for kind in ("product", "person"):
        found += [Meaning(f"{kind}:{id_}", kind, str(entry.get("label", id_))) for id_, entry in content[f"{kind}s"].items()]
    return found


def of_question(script: Any, question_id: str) -> list[Meaning]:
    """What the question's own words are kept for; on a satisfaction the levels, which all scripts share."""
    question = _question(script, question_id)
    if question is None:
        return []
    if question.get("type") in SCALES:
        return [Meaning(f"opinion:{level}", "opinion", level) for level in LEVELS]
    if question.get("type") == "choice":
        return [Meaning(f"option:{question_id}:{value}", "option", value, question_id) for value in _values(question)]
    if question.get("type") == "yes_no":
        return [Meaning(f"{kind}:{question_id}", kind, "", question_id) for kind in ("yes", "no")]
    return []


def questions_of(script: Any) -> list[str]:
    """Ids of the questions that have words of their own."""
    found = script.get("questions", []) if isinstance(script, dict) else []
    return [str(one["id"]) for one in found if isinstance(one, dict) and one.get("type") in ("choice", "yes_no") and "id" in one]


def list_of(meaning: Meaning) -> str:
    """The file of data/lexicon, without its ending; empty for a script's."""
    kind = meaning.kind.partition("_")[0]
    return "" if meaning.of_script else f"{kind}s"


def place_in_lexicon(meaning: Meaning) -> Path:
    """Where the word goes in the file that `list_of` names."""
    kind, _, rest = meaning.code.partition(":")
    if kind == "opinion":
        return ("phrases", rest)
    id_, _, pole = rest.partition(":")
    return (id_, pole or "words")


def place_in_script(script: Any, meaning: Meaning) -> Path | None:
    """Where the word goes in the script; None when it has no such question or option (any more)."""
    questions = script.get("questions", []) if isinstance(script, dict) else []
    number = next((at for at, one in enumerate(questions) if isinstance(one, dict) and str(one.get("id")) == meaning.question), None)
    if number is None:
        return None
    if meaning.kind in ("yes", "no"):
        return ("questions", number, meaning.kind)
    values = list(_values(questions[number]))
    return ("questions", number, "options", values.index(meaning.name), "say") if meaning.name in values else None


def kept_as(words: str, content: Mapping[str, Any]) -> Meaning | None:
    """Which list of the same file has these words already (`content`: of one file of the lexicon, under its name)."""
    for meaning in of_lexicon({name: content.get(name, {}) for name in LISTS}):
        kept: Any = content.get(list_of(meaning), {})
        for step in place_in_lexicon(meaning):
            kept = next((value for key, value in kept.items() if str(key) == step), {}) if isinstance(kept, dict) else {}
        if kept and words in map(str, kept):
            return meaning
    return None


def _question(script: Any, question_id: str) -> dict[str, Any] | None:
    questions = script.get("questions", []) if isinstance(script, dict) else []
    return next((one for one in questions if isinstance(one, dict) and str(one.get("id")) == question_id), None)


def _values(question: Mapping[str, Any]) -> Iterator[str]:
    for option in question.get("options", ()):
        yield str(option.get("value", "")) if isinstance(option, dict) else str(option)
