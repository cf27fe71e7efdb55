"""Where talks of a script part."""

from __future__ import annotations

from followup.scripts.branches import Kind, ask_if_values, branches, closing_values
from tests.unit.dialogue.player import script_of


def test_every_way_to_part_is_a_branch() -> None:
    script = script_of(
        """\
        - {id: drove, type: yes_no, ask: 是您开的吗？, ends: {"false": {outcome: wrong_person}}}
        - {id: rating, type: score, ask: 您打几分？, probe_if: ["< 5"]}
        - {id: why, type: open, ask: 为什么？, ask_if: [{rating: "< 8"}, {drove: true}]}
        - {id: kind, type: choice, ask: 哪一种？, options: [甲, 乙], ask_if: {why: answered}, acknowledge: {甲: [好], answered: [行]}}
        - {id: more, type: open, ask: 还有吗？, ask_if: {kind: [甲, 乙]}, optional: true, ticket: {kind: request}}
        - {id: share, type: compute, compute: yes_share, of: drove}
        """
    )
    assert [(branch.step, branch.kind, branch.text) for branch in branches(script)] == [
        ("", Kind.OPENING, "方便 → 开始提问"),
        ("drove", Kind.ASKED, "问到"),
        ("drove", Kind.ENDS, "否 → 结束（wrong_person）"),
        ("rating", Kind.ASKED, "问到"),
        ("rating", Kind.PROBE, "< 5 → 追问"),
        ("why", Kind.ASK_IF, "rating：< 8 → 问"),
        ("why", Kind.ASK_IF, "drove：是 → 问"),
        ("why", Kind.NOT_ASKED, "其他情况 → 不问"),
        ("kind", Kind.ASK_IF, "why：答过 → 问"),
        ("kind", Kind.NOT_ASKED, "其他情况 → 不问"),
        ("kind", Kind.ACKNOWLEDGE, "甲 → 各有回应"),
        ("kind", Kind.ACKNOWLEDGE, "答了 → 各有回应"),
        ("more", Kind.ASK_IF, "kind：甲 → 问"),
        ("more", Kind.ASK_IF, "kind：乙 → 问"),
        ("more", Kind.NOT_ASKED, "其他情况 → 不问"),
        ("more", Kind.TICKET, "开工单"),
        ("more", Kind.SKIPPED, "不愿意说 → 跳过"),
        ("share", Kind.ASKED, "说到"),
        ("share", Kind.COMPUTE, "按 yes_share 算出结果"),
        ("", Kind.OUTCOME, "结果 completed"),
    ]


def test_of_a_list_each_value_is_a_way_of_its_own() -> None:
    condition = [{"kind": ["甲", "乙"], "drove": True}, {"rating": "< 3"}]
    assert list(ask_if_values(condition, {"kind": "乙", "drove": True, "rating": 2})) == ["0:kind=乙", "1"]
    assert list(ask_if_values(condition, {"kind": "乙", "drove": False, "rating": 5})) == []


def test_of_closing_sentences_those_without_a_condition_are_the_other_case() -> None:
    sentences = [{"say": "再会", "if": {"day": "answered"}}, {"say": "恭候", "if": {"day": "answered"}}, "再见"]
    assert list(closing_values(sentences, {"day": "明天"})) == ["0"]
    assert list(closing_values(sentences, {"day": None})) == ["otherwise"]
    assert list(closing_values("再见", {})) == []
