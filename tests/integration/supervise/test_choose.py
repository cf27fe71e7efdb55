"""With which model a start begins."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from followup.settings import Settings, load_settings
from followup.store.database import Database
from followup.store.models import User
from followup.store.training_models import ExampleChange, ModelDeployment, ModelServer, ModelVersion
from followup.supervise import address, model
from followup.supervise.address import Live
from followup.supervise.choose import Choice, choose
from followup.supervise.switch import machine_id
from followup.training.changes import examples_in
from followup.training.versions import digest_of

EXAMPLES = 'version: "3.1"\nnlu:\n- intent: consent\n  examples: |\n    - 可以\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    project = tmp_path / "project"
    for name in ("config.yml", "domain.yml", "data/rules.yml", "followup/nlu/a.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (project / "data/nlu").mkdir()
    (project / "data/nlu/answers.yml").write_text(EXAMPLES, "utf-8")
    (project / "models").mkdir()
    return replace(load_settings({"FOLLOWUP_HOME": str(tmp_path / "home")}), project_dir=project)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, str]]]:
    """The examples of every training that took place."""
    found: list[list[tuple[str, str]]] = []

    async def train_into(path: Path, project: Path, *_: object) -> None:
        found.append(examples_in(project / "data" / "nlu"))
        path.write_bytes(b"trained")

    monkeypatch.setattr(model, "train_into", train_into)
    return found


async def deployed(database: Database, content: bytes, code: str, changes: list[int] | None = None) -> tuple[int, int]:
    """(version, deployment)"""
    async with database.session() as session:
        row = ModelVersion(
            state="ready", code_hash=code, digest=digest_of(content), archive=content, trained_on={"changes": changes or []}
        )
        session.add(row)
        await session.flush()
        deployment = ModelDeployment(version_id=row.id, kind="promote")
        session.add(deployment)
        await session.flush()
        return row.id, deployment.id


async def chosen(settings: Settings, database: Database) -> tuple[Choice, list[str]]:
    said: list[str] = []
    return await choose(settings, database, lambda title: nullcontext(), said.append), said


async def test_without_any_promotion_it_is_the_model_of_the_files(
    settings: Settings, database: Database, trained: list[list[tuple[str, str]]]
) -> None:
    first, _ = await chosen(settings, database)
    assert first.model == model.model_path(settings.project_dir) and first.version is None
    assert (await chosen(settings, database))[0] == first
    assert len(trained) == 1


async def test_what_was_live_here_last_goes_before_what_is_wanted(settings: Settings, database: Database) -> None:
    code = model.code_hash(settings.project_dir)
    first, deployment = await deployed(database, b"first", code)
    await deployed(database, b"second", code)
    address.write(settings.home, Live("http://127.0.0.1:1", "gone", first, deployment, code))
    choice, _ = await chosen(settings, database)
    assert (choice.version, choice.deployment, choice.model.read_bytes()) == (first, deployment, b"first")


async def test_the_files_model_stays_until_the_first_promotion_has_come_up(settings: Settings, database: Database) -> None:
    code = model.code_hash(settings.project_dir)
    await deployed(database, b"first", code)
    last = settings.project_dir / "models" / "older.tar.gz"
    last.write_bytes(b"files")
    address.write(settings.home, Live("http://127.0.0.1:1", str(last), None, None, code))
    choice, _ = await chosen(settings, database)
    assert (choice.version, choice.deployment, choice.model) == (None, None, last)


async def test_what_did_not_come_up_here_is_not_what_a_start_begins_with(settings: Settings, database: Database) -> None:
    code = model.code_hash(settings.project_dir)
    first, _ = await deployed(database, b"first", code)
    _, deployment = await deployed(database, b"second", code)
    async with database.session() as session:
        session.add(ModelServer(id=machine_id(settings.home), name="m", state="failed", deployment_id=deployment))
    assert (await chosen(settings, database))[0].version == first


async def test_new_code_trains_anew_with_the_changes_that_were_live_and_says_so(
    settings: Settings, database: Database, trained: list[list[tuple[str, str]]]
) -> None:
    async with database.session() as session:
        user = User(name="trainer", password_hash="x", role="trainer")
        session.add(user)
        await session.flush()
        live, later = (
            ExampleChange(by_user_id=user.id, kind="add", text=text, intent="consent", state="handed_in") for text in ("中", "成")
        )
        session.add_all([live, later])
        await session.flush()
        ids = [live.id]
    await deployed(database, b"old", "older", ids)
    choice, said = await chosen(settings, database)
    assert choice.version is None and choice.model.read_bytes() == b"trained"
    assert trained == [[("可以", "consent"), ("中", "consent")]]
    assert "已经按现在的语料和当时的改动重新训练" in said[0]
    assert (settings.project_dir / "data/nlu/answers.yml").read_text("utf-8") == EXAMPLES
