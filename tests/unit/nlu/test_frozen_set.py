"""The frozen test sets in tests/nlu: nothing of them was trained on, and the model understands them well.

A line is `text<TAB>intent`; a line that begins with `# ` opens the replies of one kind of speaker,
`# register: who speaks`. The sets are never trained on and never bent to the model: a line goes only when it is wrong.
replies.tsv came first and has been looked at while the examples grew; late.tsv was written afterwards by somebody who had
seen none of the examples, with reviews and messages to other bots among it, and is the stricter of the two.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from followup.nlu.evaluate import calibration_error
from followup.nlu.examples import Example, load_examples
from followup.nlu.model import Guess, IntentModel
from followup.training.examples_near import COMPARED_FROM, SIMILAR, UNAVOIDABLE, key, resembles
from tests.e2e.in_process import trained

PROJECT = Path(__file__).resolve().parents[3]
SETS = PROJECT / "tests" / "nlu"

MACRO_ACCURACY_FLOORS = {"replies.tsv": 0.94, "late.tsv": 0.91}
"""Mean over the intents of the share that is understood; 0.02 under what was measured last."""

CALIBRATION_CEILING = 0.07
"""Largest distance of confidence and accuracy (expected calibration error); 0.02 above what was measured last."""

ENOUGH_LINES = 900
ENOUGH_OF_EACH = 5

WORST_SHOWN = 10


@dataclass(frozen=True)
class Reply:
    """One line of the frozen set."""

    text: str
    intent: str
    register: str


def read_replies(path: Path) -> list[Reply]:
    replies, register = [], ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# "):
            register = line[2:].split(":")[0]
        elif line:
            text, tab, intent = line.partition("\t")
            assert tab and text.strip() and re.fullmatch(r"[a-z_]+(?:/[a-z_]+)?", intent), f"{path.name}:{number}: {line!r}"
            replies.append(Reply(text, intent, register))
    return replies


@pytest.fixture(scope="module", params=sorted(MACRO_ACCURACY_FLOORS))
def name(request: pytest.FixtureRequest) -> str:
    """The file of a frozen set."""
    return str(request.param)


@pytest.fixture(scope="module")
def replies(name: str) -> list[Reply]:
    return read_replies(SETS / name)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return load_examples([PROJECT / "data" / "nlu"])


@pytest.fixture(scope="module")
def model() -> IntentModel:
    """Trained on the present data."""
    return trained()


@pytest.fixture(scope="module")
def guesses(replies: list[Reply], model: IntentModel) -> list[Guess]:
    """What the model takes each reply for."""
    return [ranking[0] for ranking in model.rank_all([reply.text for reply in replies], 1)]


@pytest.fixture(scope="module")
def taken_for(guesses: list[Guess]) -> list[str]:
    """The intent that the model gives each reply."""
    return [guess.intent for guess in guesses]


def test_the_set_is_large_and_asks_every_intent(replies: list[Reply], examples: list[Example]) -> None:
    counts = Counter(reply.intent for reply in replies)
    assert len(replies) >= ENOUGH_LINES
    assert {intent: counts[intent] for intent in {e.intent for e in examples} if counts[intent] < ENOUGH_OF_EACH} == {}
    assert set(counts) <= {example.intent for example in examples}


def test_no_reply_stands_twice(replies: list[Reply]) -> None:
    assert [text for text, count in Counter(reply.text for reply in replies).items() if count > 1] == []


def test_the_sets_share_no_reply() -> None:
    texts = [{key(reply.text) for reply in read_replies(SETS / each)} for each in MACRO_ACCURACY_FLOORS]
    assert [text for text in set.intersection(*texts) if len(text) > UNAVOIDABLE] == []


def test_no_reply_was_trained_on(replies: list[Reply], examples: list[Example]) -> None:
    keys = {key(example.text) for example in examples}
    known = [reply.text for reply in replies if len(key(reply.text)) > UNAVOIDABLE and key(reply.text) in keys]
    assert known == []


def test_no_reply_resembles_an_example(replies: list[Reply], examples: list[Example]) -> None:
    near = nearby({key(example.text) for example in examples})
    asked = [(reply.text, key(reply.text)) for reply in replies]
    alike = [(text, other) for text, one in asked if len(one) >= COMPARED_FROM for other in near(one) if resembles(one, other)]
    assert alike == []


def nearby(keys: set[str]) -> Callable[[str], set[str]]:
    """Finds all keys that can resemble one: of k edits at least one of k + 1 pieces stays whole."""
    book = "\n" + "\n".join(sorted(keys)) + "\n"

    def find(one: str) -> set[str]:
        # Edits are fewer than a tenth of the longer one, which is longer by no more than the edits.
        pieces = math.ceil(len(one) * (1 - SIMILAR) / SIMILAR) + 1
        cuts = [len(one) * cut // pieces for cut in range(pieces + 1)]
        places = [at.start() for first, last in itertools.pairwise(cuts) for at in re.finditer(re.escape(one[first:last]), book)]
        return {book[book.rfind("\n", 0, place) + 1 : book.index("\n", place)] for place in places}

    return find


def test_what_resembles_a_line_is_among_what_is_found_near_it(examples: list[Example]) -> None:
    keys = sorted({key(example.text) for example in examples if len(key(example.text)) >= COMPARED_FROM})
    near, some = nearby(set(keys)), keys[::40]
    changed = [one[:3] + one[4:] for one in some] + [one[:-1] + "好" for one in some] + ["嗯" + one for one in some] + some
    for one, was in zip(changed, some * 4, strict=True):
        assert was in near(one) or not resembles(one, was), (one, was)


def test_a_short_reply_is_not_trained_under_another_intent(replies: list[Reply], examples: list[Example]) -> None:
    intents = {key(example.text): example.intent for example in examples}
    contrary = [(r.text, r.intent, intents[key(r.text)]) for r in replies if intents.get(key(r.text), r.intent) != r.intent]
    assert contrary == []


def test_the_model_understands_what_it_never_saw(name: str, replies: list[Reply], taken_for: list[str]) -> None:
    right: dict[str, list[bool]] = defaultdict(list)
    heard: dict[str, list[bool]] = defaultdict(list)
    for reply, intent in zip(replies, taken_for):
        right[reply.intent].append(intent == reply.intent)
        heard[reply.register].append(intent == reply.intent)
    shares = {intent: sum(found) / len(found) for intent, found in right.items()}
    macro = sum(shares.values()) / len(shares)
    accuracy = sum(map(sum, right.values())) / len(replies)
    worst = ", ".join(f"{each} {shares[each]:.2f}" for each in sorted(shares, key=shares.__getitem__)[:WORST_SHOWN])
    registers = ", ".join(f"{register} {sum(found) / len(found):.3f}" for register, found in heard.items())
    print(f"{name}: accuracy {accuracy:.3f} ({registers}), macro accuracy {macro:.3f}; worst: {worst}")
    assert macro >= MACRO_ACCURACY_FLOORS[name], f"macro accuracy {macro:.3f}; worst: {worst}"


def test_the_model_is_as_sure_as_it_is_right(name: str, replies: list[Reply], guesses: list[Guess]) -> None:
    right = np.array([guess.intent == reply.intent for guess, reply in zip(guesses, replies)])
    error = calibration_error(np.array([guess.confidence for guess in guesses]), right)
    assert error <= CALIBRATION_CEILING, f"{name}: calibration error {error:.3f}"


@pytest.mark.parametrize(
    ("left", "right", "alike"),
    [("我现在正在高速上开着车呢", "我现在正在高速上开着车", True), ("我在开车", "我在骑车", False), ("服务态度很好", "服务态度很差", False)],
)
def test_only_nearly_equal_lines_resemble_each_other(left: str, right: str, alike: bool) -> None:
    assert resembles(left, right) is alike
