from __future__ import annotations

from followup.scripts.publish_diff import Line, diff, merge

BASE = "一\n二\n三\n四\n五\n六\n"


def test_equal_texts_differ_in_nothing():
    assert diff(BASE, BASE) == []


def test_a_change_is_shown_with_the_lines_around_it_and_its_numbers():
    shown = diff(BASE, BASE.replace("五", "伍"))
    assert shown == [
        Line("…", 0, 0, ""), Line(" ", 3, 3, "三"), Line(" ", 4, 4, "四"), Line("-", 5, 0, "五"), Line("+", 0, 5, "伍"), Line(" ", 6, 6, "六"),
    ]  # fmt: skip


def test_changes_of_two_authors_at_different_places_are_put_together():
    assert merge(BASE, BASE.replace("二", "贰"), BASE.replace("五", "伍")) == "一\n贰\n三\n四\n伍\n六\n"
    assert merge(BASE, BASE + "七\n", BASE.replace("二\n", "")) == "一\n三\n四\n五\n六\n七\n"


def test_the_same_change_by_both_is_made_once():
    assert merge(BASE, BASE.replace("二", "贰"), BASE.replace("二", "贰")) == BASE.replace("二", "贰")


def test_who_changed_nothing_gets_what_the_other_changed():
    assert merge(BASE, BASE, "别的\n") == "别的\n"


def test_two_changes_of_one_line_are_for_people_to_decide():
    assert merge(BASE, BASE.replace("二", "贰"), BASE.replace("二", "两")) is None


def test_changes_that_touch_are_for_people_to_decide():
    assert merge(BASE, BASE.replace("二", "贰"), BASE.replace("三", "叁")) is None


def test_two_additions_at_one_place_are_for_people_to_decide():
    assert merge(BASE, BASE.replace("二\n", "二\n甲\n"), BASE.replace("二\n", "二\n乙\n")) is None
