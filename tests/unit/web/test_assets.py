import shutil
import subprocess
from pathlib import Path

import pytest

from followup.web import assets
from followup.web.assets import AssetsError, ensure_assets, npm_command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    web = tmp_path / "web"
    web.mkdir()
    (web / "package.json").write_text("{}")
    (web / "package-lock.json").write_text("{}")
    return tmp_path


@pytest.fixture
def npm(monkeypatch) -> list[Path]:
    """Stands for npm: puts the files where npm would."""
    calls: list[Path] = []

    def install(place: Path) -> None:
        calls.append(place)
        for name in assets._PARTS:
            (place / "node_modules" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "node_modules" / name).write_text(f"{name} {len(calls)}")

    monkeypatch.setattr(assets, "_npm_ci", install)
    return calls


def ensure(project: Path) -> bool:
    return ensure_assets(lambda line: None, project_dir=project, vendor=project / "static" / "vendor")


def test_the_parts_are_installed_once(project, npm):
    assert [ensure(project), ensure(project)] == [True, False]
    assert (project / "static/vendor/deep-chat/deepChat.bundle.js").is_file()
    assert len(npm) == 1


def test_a_changed_lock_installs_anew(project, npm):
    ensure(project)
    (project / "web" / "package-lock.json").write_text('{"changed": true}')
    assert ensure(project)
    assert (project / "static/vendor/deep-chat/deepChat.bundle.js").read_text().endswith(" 2")


def test_a_file_that_is_gone_is_brought_back(project, npm):
    ensure(project)
    (project / "static/vendor/deep-chat/deepChat.bundle.js").unlink()
    assert ensure(project)


def test_a_failure_keeps_what_was_there_and_says_why(project, npm, monkeypatch):
    ensure(project)
    (project / "web" / "package-lock.json").write_text('{"changed": true}')
    monkeypatch.undo()
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="npm error network")
    monkeypatch.setattr(assets.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(AssetsError, match="(?s)安装网页组件失败.*npm error network"):
        ensure(project)
    assert (project / "static/vendor/deep-chat/deepChat.bundle.js").is_file()


def test_without_npm_on_the_path_the_one_of_the_wheel_is_called(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert all(Path(part).exists() for part in npm_command())


def test_a_missing_lock_is_explained(project):
    (project / "web" / "package-lock.json").unlink()
    with pytest.raises(AssetsError, match="版本清单"):
        ensure(project)
