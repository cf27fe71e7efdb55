"""Every documented thing has talks that walk it, branch by branch; docs/coverage.md says so truthfully."""

from __future__ import annotations

import pytest

from followup.scripts.load import script_files
from tests.e2e.coverage import ENOUGH_INTERRUPTIONS, LIST, REPORT, Coverage, report

SCRIPTS = [path.stem for path in script_files()]


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage()


@pytest.mark.parametrize("section", ["scripts", "situations", "answers"])
def test_every_documented_thing_has_a_talk_that_works(coverage: Coverage, section: str) -> None:
    assert coverage.missing()[section] == []


@pytest.mark.parametrize("script_id", SCRIPTS)
def test_every_branch_is_walked_by_a_talk(coverage: Coverage, script_id: str) -> None:
    assert coverage.unwalked(script_id) == []


@pytest.mark.parametrize("script_id", SCRIPTS)
def test_every_script_is_interrupted_in_six_ways_at_its_own_questions(coverage: Coverage, script_id: str) -> None:
    kinds = coverage.kinds_of_interruption(script_id)
    assert len(kinds) >= ENOUGH_INTERRUPTIONS, sorted(kinds)


def test_every_interruption_has_a_name(coverage: Coverage) -> None:
    kinds = {kind for script_id in SCRIPTS for kind in coverage.kinds_of_interruption(script_id)}
    assert kinds - set(coverage.interruption_names) == set(), f"name it in {LIST.name}"


def test_every_script_is_on_the_list(coverage: Coverage) -> None:
    assert coverage.scripts - {row.id for row in coverage.listed["scripts"]} == set()


def test_no_id_is_listed_twice(coverage: Coverage) -> None:
    ids = [row.id for rows in coverage.listed.values() for row in rows]
    assert sorted(ids) == sorted(set(ids))


def test_talks_name_only_what_there_is(coverage: Coverage) -> None:
    assert coverage.unknown() == []


def test_the_report_is_up_to_date(coverage: Coverage) -> None:
    assert REPORT.read_text(encoding="utf-8") == report(coverage), "run: make coverage"
