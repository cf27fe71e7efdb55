"""One commit with the trainer as author; else a patch that git takes, and files as they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from followup.training import examples_hand_in
from followup.training.examples_hand_in import Author, hand_in, patch
from tests.git_project import commit_all, git

from .test_examples_book import FILE, Change

CHANGES = [Change("add", "真好", "satisfied"), Change("delete", "不是", "deny"), Change("add", "怎么停车", "faq/parking")]
AUTHOR = Author.of("王 训练师<x>", "wang@example.com")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "data" / "nlu").mkdir(parents=True)
    (project / "data" / "nlu" / "a.yml").write_text(FILE, "utf-8")
    (project / "other.txt").write_text("1\n", "utf-8")
    commit_all(project)
    return project


def files(project: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted((project / "data" / "nlu").iterdir())}


def test_a_trainers_work_is_one_commit_of_examples_only(project: Path) -> None:
    (project / "other.txt").write_text("2\n", "utf-8")
    done = hand_in(project, CHANGES, AUTHOR, "例句：3 处")
    assert done.commit == git(project, "rev-parse", "HEAD").strip() and done.why == ""
    assert git(project, "log", "-1", "--format=%an|%ae|%s").strip() == "王 训练师x|wang@example.com|例句：3 处"
    assert git(project, "show", "--name-only", "--format=").split() == ["data/nlu/a.yml", "data/nlu/workbench.yml"]
    assert git(project, "status", "--porcelain").strip() == "M other.txt"
    assert "# 一句注释" in files(project)["a.yml"] and "- 真好" in files(project)["a.yml"]


def test_what_the_files_hold_already_makes_no_commit(project: Path) -> None:
    hand_in(project, CHANGES, AUTHOR, "例句")
    assert hand_in(project, CHANGES, AUTHOR, "例句") == examples_hand_in.HandedIn()


def test_a_patch_does_the_same_as_the_commit(project: Path) -> None:
    (project / "p.patch").write_text(patch(project, CHANGES), "utf-8")
    git(project, "apply", "--check", "p.patch")
    git(project, "apply", "p.patch")
    by_patch = files(project)
    git(project, "checkout", "-q", "--", "data")
    (project / "data" / "nlu" / "workbench.yml").unlink()
    hand_in(project, CHANGES, AUTHOR, "例句")
    assert files(project) == by_patch


def test_a_patch_of_a_file_without_a_last_line_end_is_taken(project: Path) -> None:
    path = project / "data" / "nlu" / "a.yml"
    path.write_text(FILE.rstrip("\n"), "utf-8")
    (project / "p.patch").write_text(patch(project, CHANGES[:2]), "utf-8")
    git(project, "apply", "--check", "p.patch")


def test_without_git_nothing_is_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(project)
    monkeypatch.setattr(examples_hand_in.shutil, "which", lambda name: None)
    assert hand_in(project, CHANGES, AUTHOR, "例句").why == "no_git"
    assert files(project) == before


def test_what_somebody_else_has_not_committed_is_not_taken_along(project: Path) -> None:
    path = project / "data" / "nlu" / "a.yml"
    path.write_text(path.read_text("utf-8").replace("挺满意的", "很满意的"), "utf-8")
    assert hand_in(project, CHANGES, AUTHOR, "例句").why == "dirty"


def test_when_git_fails_the_files_are_as_before(project: Path) -> None:
    before = files(project)
    (project / ".git" / "index.lock").touch()
    assert hand_in(project, CHANGES, AUTHOR, "例句").why == "git_failed"
    assert files(project) == before
    os.unlink(project / ".git" / "index.lock")
    assert git(project, "status", "--porcelain") == ""
    assert hand_in(project, CHANGES, AUTHOR, "例句").commit
