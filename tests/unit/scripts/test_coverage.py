"""Every documented script has its file and its talks; docs/coverage.md says so truthfully."""

from __future__ import annotations

import pytest

from followup.scripts.coverage import REPORT, Coverage, branches, report
from tests.unit.dialogue.player import script_of

NOT_YET: dict[str, set[str]] = {
    "scripts": set(),
    "situations": set(),
    "answers": {"material"},  # "是什么材质的" is not understood yet: faq at 0.28
}
"""Ids that have no talk yet. Whoever writes one takes its id off this list."""


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage()


@pytest.mark.parametrize("section", NOT_YET)
def test_every_documented_thing_has_a_talk(coverage, section):
    lacking = set(coverage.missing()[section])
    assert lacking - NOT_YET[section] == set(), "no script or no talk"
    assert NOT_YET[section] - lacking == set(), "there now: take it off NOT_YET"


def test_every_script_is_on_the_list(coverage):
    assert coverage.scripts - {row.id for row in coverage.listed["scripts"]} == set()


def test_no_id_is_listed_twice(coverage):
    ids = [row.id for rows in coverage.listed.values() for row in rows]
    assert sorted(ids) == sorted(set(ids))


def test_talks_name_only_what_there_is(coverage):
    assert coverage.unknown() == []


def test_the_report_is_up_to_date(coverage):
    assert REPORT.read_text(encoding="utf-8") == report(coverage), "run: make coverage"


def test_every_way_to_part_is_a_branch():
    script = script_of(
        """\
        - {id: drove, type: yes_no, ask: 是您开的吗？, ends: {"false": {outcome: wrong_person}}}
        - {id: rating, type: score, ask: 您打几分？, probe_if: ["< 5"]}
        - {id: why, type: open, ask: 为什么？, ask_if: [{rating: "< 8"}, {drove: true}]}
        - {id: share, type: compute, compute: yes_share, of: drove}
        """
    )
    assert branches(script) == [
        "drove：否 → 结束（wrong_person）",
        "rating：< 5 → 追问",
        "rating：< 8 → why",
        "drove：是 → why",
        "share：按 yes_share 计算",
    ]
