"""Which changes need a new model."""

import os
from pathlib import Path

import pytest

from followup.supervise.model import code_hash, content_hash, model_path, remove_old


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("config.yml", "domain.yml", "data/rules.yml", "data/nlu/answers.yml", "data/lexicon/words.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["config.yml", "domain.yml", "data/rules.yml", "data/nlu/new.yml", "data/lexicon/x", "followup/nlu/a.py"]
)
def test_a_change_of_what_the_model_is_made_of_needs_another(project: Path, name: str) -> None:
    before = model_path(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("changed")
    assert model_path(project) != before


@pytest.mark.parametrize("name", ["data/scripts/trade/new.yml", "actions/new.py", "data/nlu/__pycache__/x.pyc"])
def test_a_new_script_or_action_needs_no_training(project: Path, name: str) -> None:
    before = content_hash(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("new")
    assert content_hash(project) == before


def test_a_moved_file_is_a_change(project: Path) -> None:
    before = content_hash(project)
    (project / "data/nlu/answers.yml").rename(project / "data/nlu/replies.yml")
    assert content_hash(project) != before


@pytest.mark.parametrize("name", ["config.yml", "domain.yml", "data/rules.yml", "followup/nlu/a.py", "followup/reading/a.py"])
def test_what_an_old_model_cannot_be_served_by_is_the_products_code(project: Path, name: str) -> None:
    before = code_hash(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("changed")
    assert code_hash(project) != before


@pytest.mark.parametrize("name", ["data/nlu/answers.yml", "data/lexicon/words.txt", "data/scripts/new.yml"])
def test_examples_and_word_lists_are_not(project: Path, name: str) -> None:
    before = code_hash(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("changed")
    assert code_hash(project) == before


def test_a_copy_of_the_data_has_the_same_name_with_the_same_code(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (project / "followup/nlu").mkdir(parents=True)
    (project / "followup/nlu/a.py").write_text("code")
    copy = tmp_path_factory.mktemp("copy")
    for path in (*project.rglob("*.yml"), *project.rglob("*.txt")):
        (copy / path.relative_to(project)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(project)).write_bytes(path.read_bytes())
    assert content_hash(copy, code=project) == content_hash(project)


def test_the_newest_model_files_stay_and_the_one_in_use(tmp_path: Path) -> None:
    for age in range(8):
        path = tmp_path / f"{age}.tar.gz"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    gone = remove_old(tmp_path, keep=[tmp_path / "7.tar.gz"], count=3)
    assert sorted(path.name for path in gone) == ["3.tar.gz", "4.tar.gz", "5.tar.gz", "6.tar.gz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.tar.gz", "1.tar.gz", "2.tar.gz", "7.tar.gz"]
