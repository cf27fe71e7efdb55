from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.channels.wechat.plan import LIMIT, Budget, Line, Part, chosen, fitting, halves, listed, parts_of

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
lines_of_a_turn = st.lists(st.text(st.sampled_from("您好，满意吗。？！\n a贵"), min_size=1, max_size=500), min_size=1, max_size=6)


def test_the_sentences_of_a_turn_are_one_message():
    (part,) = parts_of([Line(1, "谢谢您。"), Line(2, "价格满意吗？")])
    assert (part.text, part.lines, part.menu) == ("谢谢您。\n价格满意吗？", (1, 2), ())


def test_choices_are_a_menu_where_menus_are_allowed():
    (part,) = parts_of([Line(1, "满意吗？", ("满意", "不满意"))], menu=True)
    assert (part.text, part.menu) == ("满意吗？", ("满意", "不满意"))


def test_choices_are_numbered_where_they_are_not():
    (part,) = parts_of([Line(1, "满意吗？", ("满意", "不满意"))])
    assert part.text.startswith("满意吗？\n") and part.text.endswith("\n1 满意\n2 不满意")


def test_only_the_last_lines_choices_still_stand():
    (part,) = parts_of([Line(1, "可以吗？", ("可以",)), Line(2, "满意吗？")])
    assert part.text == "可以吗？\n满意吗？"


def test_choices_that_are_numbers_get_no_numbers_of_their_own():
    (part,) = parts_of([Line(1, "几分？", ("5分", "4分"))])
    assert "1 " not in part.text and "5分、4分" in part.text
    assert chosen("1", ("5分", "4分")) is None


@pytest.mark.parametrize("typed", ["2", "２", "2.", "2、", " 2 "])
def test_a_number_means_its_choice(typed):
    assert chosen(typed, ("满意", "不满意")) == "不满意"


@pytest.mark.parametrize("typed", ["3", "0", "22", "还行", "2次", ""])
def test_anything_else_is_what_it_says(typed):
    assert chosen(typed, ("满意", "不满意")) is None


@given(lines_of_a_turn, st.booleans())
def test_no_message_is_too_long_and_nothing_is_lost(texts, menu):
    parts = parts_of([Line(n, text, ("好", "不好")) for n, text in enumerate(texts)], menu=menu)
    assert all(len(part.text.encode()) + sum(len(c.encode()) for c in part.menu) <= LIMIT for part in parts)
    said = "".join(part.text for part in parts).replace("\n", "")
    assert said.startswith("".join(texts).replace("\n", ""))
    assert len(parts) <= 2 or sum(len(text.encode()) for text in texts) > LIMIT * 1.5


def test_a_long_text_is_cut_at_a_sentence_end():
    first, second = parts_of([Line(1, "这一句正好是十个字的。" * 80)])
    assert first.text.endswith("。") and second.text.endswith("。") and first.lines == second.lines == (1,)


def test_a_sentence_longer_than_a_message_is_cut_between_characters():
    parts = parts_of([Line(1, "长" * 1500)])
    assert "".join(part.text for part in parts) == "长" * 1500 and len(parts) == 3


def test_a_message_opens_five_for_forty_eight_hours():
    budget = Budget(message_at=AT)
    assert budget.left(AT + timedelta(hours=47)) == 5 and budget.left(AT + timedelta(hours=48)) == 0
    assert Budget(AT, None, (AT + timedelta(seconds=1),) * 5).left(AT + timedelta(seconds=2)) == 0


def test_a_click_opens_three_for_a_minute_and_no_new_five():
    spent = (AT - timedelta(minutes=1),) * 5
    budget = Budget(AT - timedelta(minutes=5), AT, spent)
    assert budget.left(AT + timedelta(seconds=30)) == 3 and budget.left(AT + timedelta(seconds=60)) == 0


def test_nobody_who_never_wrote_gets_anything():
    assert Budget().left(AT) == 0


def test_what_was_sent_before_the_last_message_no_longer_counts():
    assert Budget(AT, None, (AT - timedelta(seconds=1),) * 5).left(AT) == 5


def test_what_exceeds_the_budget_waits_whole():
    parts = parts_of([Line(1, "短。"), Line(2, "这一句正好是十个字的。" * 80)])
    assert len(parts) == 2
    assert fitting(parts, 2) == (parts, ())
    assert fitting(parts, 1) == ([], (1, 2))  # the first message holds the beginning of what would wait
    apart = parts_of([Line(1, "甲。" * 300), Line(2, "乙。" * 300)])
    now, rest = fitting(apart, 1)
    assert set(rest) | {row for part in now for row in part.lines} == {1, 2}


def test_a_single_choice_is_not_numbered():
    assert listed(("没有了",)) == "可以回复：没有了。"


def test_a_message_that_is_too_long_is_cut_at_the_sentence_end_nearest_its_middle():
    first, second = halves(Part("一。二二二二。三三。", (1, 2), ("好",)))
    assert (first.text, first.menu, second.text, second.menu) == ("一。二二二二。", (), "三三。", ("好",))
    assert first.lines == second.lines == (1, 2)


def test_a_single_sentence_is_cut_in_its_middle_and_a_single_character_not_at_all():
    assert [half.text for half in halves(Part("没有标点的一句话", (1,)))] == ["没有标点", "的一句话"]
    assert halves(Part("好", (1,))) is None


@given(st.text(st.sampled_from("您好，满意吗。？！\n a贵"), max_size=300))
def test_both_halves_say_something_and_nothing_is_lost(text):
    cut = halves(Part(text, (1,)))
    if cut is not None:
        assert all(half.text.strip("\n") for half in cut)
        assert "".join(half.text for half in cut).replace("\n", "") == text.replace("\n", "")
