"""The talks that are held with the real Rasa in every run stand for everything that the documents ask for."""

from __future__ import annotations

import pytest

from followup.scripts.load import load_script, script_files
from tests.e2e.chosen import BRANCH, HAPPY, is_chosen, key_of
from tests.e2e.coverage import Coverage, Talk

SCRIPTS = [path.stem for path in script_files()]


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage()


def the_one(coverage: Coverage, script_id: str, key: str) -> Talk:
    """The script's talk with this key; there must be exactly one."""
    found = [talk for talk in coverage.of_script(script_id) if key_of(talk.path) == key]
    assert len(found) == 1, f"rasa: {key} in {[talk.path.name for talk in found]}"
    return found[0]


@pytest.mark.parametrize("script_id", SCRIPTS)
def test_each_script_has_a_happy_path_and_a_branch_that_is_another_way(coverage: Coverage, script_id: str) -> None:
    happy, branch = the_one(coverage, script_id, HAPPY), the_one(coverage, script_id, BRANCH)
    assert happy.played.walked.outcomes == {"completed"}
    of_script = set(coverage.walked(load_script(script_id)))
    assert branch.played.walked.branches & of_script - happy.played.walked.branches


def test_each_situation_is_among_them(coverage: Coverage) -> None:
    rows = coverage.listed["situations"]
    assert [row.id for row in rows if not any(is_chosen(talk.path) for talk in coverage.covering(row.id))] == []
