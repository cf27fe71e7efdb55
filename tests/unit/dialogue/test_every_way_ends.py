"""Whatever customers say in whatever order, a talk stays sane (catalogue B)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as some

from followup.dialogue import state as st
from followup.dialogue.effects import SetOutcome, StopContact, StoreAnswer
from followup.scripts.load import load_all
from tests.unit.dialogue.player import Player

SCRIPTS = [script.id for script in load_all()]

SAYINGS = [
    ("方便", "consent"), ("没有", "deny"), ("在忙", "busy"), ("开车呢", "driving"), ("在开会", "in_meeting"),
    ("吃饭呢", "dining"), ("不舒服", "unwell"), ("睡觉呢", "resting"), ("回头再说", "call_later"),
    ("明天下午三点", "propose_time"), ("等一下", "wait"), ("没兴趣", "refuse"), ("别再打了", "do_not_contact"),
    ("打错了", "wrong_person"), ("我是他老婆", "third_person"), ("很满意", "satisfied"), ("一般", "neutral"),
    ("不满意", "dissatisfied"), ("价格太贵", "dissatisfied"), ("我要投诉", "complain"), ("希望快一点", "suggest"),
    ("没有了", "nothing_to_add"), ("八分", "give_score"), ("朋友介绍的", "inform"), ("坏了三个", "inform"),
    ("三口人", "inform"), ("你好", "greet"), ("谢谢", "thank"), ("再见", "goodbye"), ("你是谁", "ask_who"),
    ("什么事", "ask_purpose"), ("怎么有我电话", "ask_source"), ("要多久", "ask_duration"), ("会泄露吗", "ask_privacy"),
    ("你是机器人吗", "bot_challenge"), ("转人工", "request_human"), ("再说一遍", "ask_repeat"), ("没听懂", "not_understood"),
    ("刚才说错了，应该是不满意", "correct"), ("回到上一题", "go_back"), ("跳过", "skip"), ("滚", "abuse"),
    ("能开发票吗", "faq/invoice"), ("我考虑考虑", "objection/think_over"), ("今天天气好", "out_of_scope"), ("。。。", ""),
]  # fmt: skip


def hold(script_id: str, sayings: list[tuple[str, str]]) -> list[tuple[str, Player, str, str]]:
    """(open item before, the talk after it, what the bot said, intent) for every saying until the talk is over."""
    player = Player(script_id)
    turns = []
    for text, intent in sayings:
        before = player.state.open
        said = player.say(text, intent, confidence=0.95 if intent else 0.0)
        turns.append((before, player, said, intent))
        if player.state.over:
            break
    return turns


talks = some.tuples(some.sampled_from(SCRIPTS), some.lists(some.sampled_from(SAYINGS), min_size=1, max_size=60))


@settings(max_examples=400, deadline=None)
@given(talks)
def test_the_bot_always_says_something_and_asks_nothing_after_an_ending(talk: tuple) -> None:
    script_id, sayings = talk
    turns = hold(script_id, sayings)
    for _, _, said, _ in turns:
        assert said.strip()
        assert "{" not in said
    player, last = turns[-1][1], turns[-1][2]
    if player.state.over:
        assert "？" not in last or "（" in last
        assert player.state.open == st.END


@settings(max_examples=400, deadline=None)
@given(talks)
def test_nothing_is_asked_more_often_than_patience_allows(talk: tuple) -> None:
    script_id, sayings = talk
    asked: Counter[str] = Counter()
    for before, _, _, intent in hold(script_id, sayings):
        if intent not in ("wait", "correct", "go_back", "abuse"):
            asked[before] += 1
    # Four questions back, three times not understood, one objection and one insult-free skip are the most one item bears.
    assert all(times <= 12 for times in asked.values()), asked


@settings(max_examples=300, deadline=None)
@given(talks)
def test_every_answer_can_be_traced_to_words_of_the_customer(talk: tuple) -> None:
    script_id, sayings = talk
    turns = hold(script_id, sayings)
    said = "".join(text for text, _ in sayings)
    for answer in turns[-1][1].effects_of(StoreAnswer):
        assert all(part in said for part in answer.text.split("；"))


@settings(max_examples=300, deadline=None)
@given(talks)
def test_a_talk_has_one_outcome_and_an_opt_out_is_always_kept(talk: tuple) -> None:
    script_id, sayings = talk
    player = hold(script_id, sayings)[-1][1]
    assert len(player.effects_of(SetOutcome)) <= 1
    heard = [intent for _, intent in sayings[: player.messages]]
    assert bool(player.effects_of(StopContact)) == ("do_not_contact" in heard)


@settings(max_examples=100, deadline=None)
@given(some.sampled_from(SCRIPTS), some.lists(some.sampled_from(SAYINGS), min_size=80, max_size=80))
def test_a_long_talk_comes_to_an_end(script_id: str, sayings: list[tuple[str, str]]) -> None:
    endless = {"wait", "correct", "go_back", "ask_repeat"}
    player = hold(script_id, [s for s in sayings if s[1] not in endless] + [("再见", "goodbye")])[-1][1]
    assert player.state.over
