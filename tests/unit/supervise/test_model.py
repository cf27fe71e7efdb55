"""Which changes need a new model."""

from pathlib import Path

import pytest

from followup.supervise.model import content_hash, model_path


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
