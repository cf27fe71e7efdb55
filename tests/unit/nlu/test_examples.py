"""The training examples as a whole: no contradiction, no repetition, enough of each, nobody's phone number."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

NLU_DIRECTORY = Path(__file__).resolve().parents[3] / "data" / "nlu"

ENOUGH_EXAMPLES = 40
# An intent that admits fewer ways to say it is named here, with what is enough for it. None does today.
RARE_INTENTS: dict[str, int] = {}
FAMILIES = ("faq/", "objection/")
GUIDE = NLU_DIRECTORY.parents[1] / "docs" / "zh" / "intents.md"

# The stable names; every faq/<topic> and objection/<kind> is an intent of its own beside them.
STABLE_INTENTS = frozenset(
    """
    consent deny busy driving in_meeting dining unwell resting call_later propose_time wait refuse do_not_contact
    wrong_person third_person satisfied neutral dissatisfied complain suggest nothing_to_add give_score inform
    greet thank goodbye ask_who ask_purpose ask_source ask_duration ask_privacy bot_challenge request_human
    ask_repeat not_understood abuse correct go_back skip out_of_scope
    """.split()
)

ANNOTATION = re.compile(r"\[([^\[\]]+)\](?:\([^()]*\)|\{[^{}]*\})")
MOBILE = re.compile(r"(?<!\d)(?:86)?1[3-9]\d{9}(?!\d)")
LANDLINE = re.compile(r"(?<!\d)0\d{9,11}(?!\d)")
SPOKEN_DIGITS = str.maketrans("零〇一幺二三四五六七八九", "001123456789")
DIGIT_GROUP_SEPARATORS = re.compile(r"(?<=\d)[\s\-–—_.·,、，]+(?=\d)")


@dataclass(frozen=True)
class Example:
    """One training line, as written, and where it stands."""

    intent: str
    text: str
    file: str


def plain_text(example: str) -> str:
    """The words a customer would send: entity annotations taken out."""
    return ANNOTATION.sub(r"\1", example)


def comparison_key(example: str) -> str:
    """What two examples share when only width, case, spaces and punctuation tell them apart.

    A line of nothing but punctuation is its own key: "？？" and "……" are different lines.
    """
    text = unicodedata.normalize("NFKC", plain_text(example)).casefold()
    kept = "".join(char for char in text if unicodedata.category(char)[0] not in "PZC")
    return kept or text


def is_made_up(number: str) -> bool:
    """Whether everybody sees that the number is nobody's: 13800000000, 13812345678, 13800138000."""
    tail = number[-8:]
    return len(set(tail)) <= 2 or tail == "12345678" or number.endswith("13800138000")


def real_looking_numbers(example: str) -> list[str]:
    """Mobile and landline numbers, in digits or spoken, grouped or not, that could be somebody's."""
    text = unicodedata.normalize("NFKC", plain_text(example)).translate(SPOKEN_DIGITS)
    text = DIGIT_GROUP_SEPARATORS.sub("", text)
    return [number for pattern in (MOBILE, LANDLINE) for number in pattern.findall(text) if not is_made_up(number)]


def load_examples() -> list[Example]:
    """Every example line of data/nlu/*.yml; lookup tables, synonyms and regexes have no intent and are left out."""
    examples = []
    for path in sorted(NLU_DIRECTORY.glob("*.yml")):
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
        for entry in document.get("nlu", []):
            for line in str(entry.get("examples", "")).splitlines() if "intent" in entry else ():
                assert line.startswith("- ") and line[2:].strip(), f"{path.name}: 不是“- 语料”的写法：{line!r}"
                examples.append(Example(entry["intent"], line[2:].strip(), path.name))
    return examples


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return load_examples()


def test_no_example_stands_under_two_intents(examples: list[Example]) -> None:
    intents_of: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        intents_of[comparison_key(example.text)].add(example.intent)
    assert {key: sorted(intents) for key, intents in intents_of.items() if len(intents) > 1} == {}


def test_no_example_stands_twice_under_one_intent(examples: list[Example]) -> None:
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    for example in examples:
        lines[example.intent, comparison_key(example.text)].append(f"{example.file}: {example.text}")
    assert [found for found in lines.values() if len(found) > 1] == []


def test_every_stable_intent_has_enough_examples(examples: list[Example]) -> None:
    counts: dict[str, int] = dict.fromkeys(STABLE_INTENTS, 0)
    for example in examples:
        counts[example.intent] = counts.get(example.intent, 0) + 1
    too_few = {intent: count for intent, count in counts.items() if count < RARE_INTENTS.get(intent, ENOUGH_EXAMPLES)}
    assert too_few == {}


def test_no_intent_has_an_unknown_name(examples: list[Example]) -> None:
    names = {example.intent for example in examples}
    assert {name for name in names - STABLE_INTENTS if not name.startswith(FAMILIES)} == set()


def test_the_guide_defines_every_intent(examples: list[Example]) -> None:
    defined = set(re.findall(r"^\| `([^`]+)` \|", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {example.intent for example in examples} | STABLE_INTENTS == defined


def test_no_example_is_read_by_rasa_as_a_command(examples: list[Example]) -> None:
    assert [example for example in examples if example.text.startswith(("/", "／"))] == []


def test_no_example_holds_a_phone_number_that_could_be_somebodys(examples: list[Example]) -> None:
    assert [example for example in examples if real_looking_numbers(example.text)] == []


@pytest.mark.parametrize(
    "text", ["打1{}吧", "1{}", "我电话是 [1{}](phone)"], ids=["in a sentence", "alone", "annotated"]
)
@pytest.mark.parametrize("digits", ["3927461508", "39 2746 1508", "39-2746-1508", "三九二七四六一五零八"])
def test_a_phone_number_is_seen_however_it_is_written(text: str, digits: str) -> None:
    assert real_looking_numbers(text.format(digits)) == ["13927461508"]


@pytest.mark.parametrize("text", ["13800000000", "138 1234 5678", "13800138000", "10:00 到 11:30", "12315"])
def test_a_made_up_number_or_a_time_is_no_phone_number(text: str) -> None:
    assert real_looking_numbers(text) == []


def test_width_case_spaces_and_punctuation_do_not_make_two_examples_different() -> None:
    assert comparison_key("ＴＤ！") == comparison_key("td")
    assert comparison_key("在 [明天](time) 吧。") == comparison_key("在明天吧")
    assert comparison_key("不满意") != comparison_key("满意")
