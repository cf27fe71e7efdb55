"""Whatever customers say in whatever order, a talk stays sane (catalogue B). Every intent there is, at every script."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from ruamel.yaml import YAML

from followup.dialogue import state as st
from followup.dialogue.effects import Effect, SetOutcome, StopContact, StoreAnswer
from followup.dialogue.state import TalkState
from followup.nlu.examples import load_examples
from followup.scripts.load import load_all
from followup.settings import PROJECT_DIR
from tests.unit.dialogue.player import Player

SCRIPTS = {script.id: script for script in load_all()}
OURS = {script_id for script_id, script in SCRIPTS.items() if not script.customer_led}
"""Talks that we begin; in the others the customer leads, and may go on as long as he likes."""
TRIGGERS = {"start_followup", "resume_followup", "silence"}
OF_EACH = 6
"""Sentences of an intent, besides those below."""

ANSWERS = [
    ("方便", "consent"), ("没有", "deny"), ("很满意", "satisfied"), ("一般", "neutral"), ("不满意", "dissatisfied"),
    ("价格太贵", "dissatisfied"), ("八分", "give_score"), ("2分", "give_score"), ("朋友介绍的", "inform"), ("坏了三个", "inform"),
    ("三口人", "inform"), ("13812345678", "inform"), ("演示路8号", "inform"), ("明天下午三点", "propose_time"),
    ("刚才说错了，应该是不满意", "correct"), ("不知道", "inform"), ("", ""), ("。。。", ""), ("👍", "satisfied"), ("asdf", ""),
]  # fmt: skip
ASKED_AGAIN = ("correct", "go_back")
"""Who says so wants to be asked again."""
STEERS = (*ASKED_AGAIN, "wait")
MOST_ASKED = 9
"""Three times not understood, three questions back, an objection, insults: then a question is given up."""


@cache
def sayings() -> list[tuple[str, str]]:
    """(text, intent): of every intent in the training examples some sentences, shortest first, and the answers above."""
    of: dict[str, list[str]] = {}
    for example in load_examples([PROJECT_DIR / "data" / "nlu"]):
        of.setdefault(example.intent, []).append(example.text)
    examples = [(text, intent) for intent, texts in of.items() for text in sorted(set(texts), key=len)[:: max(1, len(texts) // OF_EACH)]]
    return ANSWERS + examples


@dataclass(frozen=True)
class Happened:
    """One turn."""

    text: str
    intent: str
    before: TalkState
    after: TalkState
    said: str
    effects: tuple[Effect, ...]

    @property
    def base(self) -> str:
        return self.intent.split("/")[0]


def hold(script_id: str, says: list[tuple[str, str]], beyond: bool = False) -> tuple[Player, list[Happened]]:
    """The talk until it is over; with `beyond`, whatever is said afterwards too."""
    player, turns = Player(script_id), []
    for text, intent in says:
        before, written = TalkState.from_slot(player.state.to_slot()), len(player.effects)
        said = player.say(text, intent, confidence=0.95 if intent else 0.0)
        after = TalkState.from_slot(player.state.to_slot())
        turns.append(Happened(text, intent, before, after, said, tuple(player.effects[written:])))
        if player.state.over and not beyond:
            break
    return player, turns


def replies(least: int = 1, most: int = 60, without: tuple[str, ...] = ()) -> some.SearchStrategy[list[tuple[str, str]]]:
    wanted = [saying for saying in sayings() if saying[1].split("/")[0] not in without]
    return some.lists(some.sampled_from(wanted), min_size=least, max_size=most)


def test_every_intent_of_the_domain_is_said() -> None:
    domain = YAML(typ="safe").load((PROJECT_DIR / "domain.yml").read_text(encoding="utf-8"))
    assert {intent.split("/")[0] for _, intent in sayings()} - {""} == set(domain["intents"]) - TRIGGERS


@pytest.mark.parametrize("script_id", SCRIPTS)
@settings(max_examples=12)
@given(says=replies())
def test_the_bot_always_says_something_whole_and_asks_nothing_at_the_end(script_id: str, says: list) -> None:
    player, turns = hold(script_id, says)
    for turn in turns:
        assert turn.said.strip()
        assert "{" not in turn.said
    if player.state.over:
        assert "？" not in turns[-1].said
        assert player.state.open == st.END
        assert player.buttons == ()


@pytest.mark.parametrize("script_id", sorted(OURS))
@settings(max_examples=12)
@given(says=replies(20, 40))
def test_after_the_end_nothing_is_asked_unless_the_customer_goes_on(script_id: str, says: list) -> None:
    for turn in hold(script_id, says, beyond=True)[1]:
        if turn.before.over and turn.after.over:
            assert "？" not in turn.said, (turn.text, turn.said)


@pytest.mark.parametrize("script_id", SCRIPTS)
@settings(max_examples=12)
@given(says=replies())
def test_nothing_is_asked_twice_without_a_reason(script_id: str, says: list) -> None:
    for turn in hold(script_id, says)[1]:
        if not turn.after.open.startswith(st.QUESTION):
            continue
        question = turn.after.question_id
        assert question not in turn.after.values, "what is answered is not asked"
        if turn.base not in ASKED_AGAIN:
            assert question not in turn.before.values, "what was answered is not asked again"
            answered = [effect.question_id for effect in turn.effects if isinstance(effect, StoreAnswer)]
            assert question not in answered, "nobody is asked what he just answered"


@pytest.mark.parametrize("script_id", SCRIPTS)
@settings(max_examples=12)
@given(says=replies(without=STEERS))
def test_nobody_is_asked_again_more_often_than_patience_allows(script_id: str, says: list) -> None:
    asked: Counter[str] = Counter()
    for turn in hold(script_id, says)[1]:
        assert all(times <= 3 for times in turn.after.unclear.values())
        asked[turn.before.open] += 1
    if script_id in OURS:
        assert all(times <= MOST_ASKED for item, times in asked.items() if item.startswith(st.QUESTION)), asked


@pytest.mark.parametrize("script_id", sorted(OURS))
@pytest.mark.parametrize("said", [("asdf", ""), ("说啥", "not_understood"), ("今天天气好", "out_of_scope"), ("能开发票吗", "faq/invoice"), ("你是谁", "ask_who")])
def test_who_only_says_one_thing_is_asked_three_times_more_at_most(script_id: str, said: tuple[str, str]) -> None:
    _, turns = hold(script_id, [("方便", "consent")] * 2 + [said] * 200)
    assert turns[-1].after.over
    asked = Counter(turn.before.open for turn in turns if (turn.text, turn.intent) == said)
    assert all(times <= 4 for times in asked.values()), asked  # asked, and asked again three times


@pytest.mark.parametrize("script_id", SCRIPTS)
@settings(max_examples=12)
@given(says=replies())
def test_every_answer_can_be_traced_to_words_of_the_customer(script_id: str, says: list) -> None:
    spoken = ""
    for turn in hold(script_id, says)[1]:
        spoken += turn.text
        for answer in turn.effects:
            if isinstance(answer, StoreAnswer):
                assert all(part in spoken for part in answer.text.split("；")), answer


@pytest.mark.parametrize("script_id", SCRIPTS)
@settings(max_examples=12)
@given(says=replies())
def test_a_talk_has_one_outcome_and_an_opt_out_is_always_kept(script_id: str, says: list) -> None:
    player, turns = hold(script_id, says)
    assert len(player.effects_of(SetOutcome)) <= 1
    heard = [turn.intent for turn in turns]
    if script_id in OURS:
        assert bool(player.effects_of(StopContact)) == ("do_not_contact" in heard)


@pytest.mark.parametrize("script_id", sorted(OURS))
@settings(max_examples=10)
@given(says=replies(300, 300, without=STEERS))
def test_every_talk_comes_to_its_end_by_itself(script_id: str, says: list) -> None:
    player, turns = hold(script_id, says)
    assert player.state.over, len(turns)
