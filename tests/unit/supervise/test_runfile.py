"""One stack for a data directory, and how others find it."""

from pathlib import Path

import pytest

from followup.supervise import runfile
from followup.supervise.runfile import AlreadyRunning, Running

RUNNING = Running(
    pid=1, pids={"rasa": 2}, database_url="postgresql://postgres@/followup?host=/x", rasa_url="http://127.0.0.1:1",
    action_url="http://127.0.0.1:2", web_url=None, model="abc.tar.gz",
)  # fmt: skip


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    with runfile.only_stack(tmp_path):
        runfile.write(tmp_path, RUNNING)
        assert runfile.read(tmp_path) == RUNNING
        assert (tmp_path / "run" / "stack.json").stat().st_mode & 0o777 == 0o600


def test_a_second_stack_is_told_who_is_there(tmp_path: Path) -> None:
    with runfile.only_stack(tmp_path):
        with pytest.raises(AlreadyRunning, match=r"已有一个回访服务在运行（进程号 \d+）"):
            with runfile.only_stack(tmp_path):
                pass


def test_nothing_is_left_of_a_stack_that_ended(tmp_path: Path) -> None:
    with runfile.only_stack(tmp_path):
        runfile.write(tmp_path, RUNNING)
    assert runfile.read(tmp_path) is None
    with runfile.only_stack(tmp_path):
        pass


def test_what_a_killed_stack_left_behind_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").write_text("123")
    runfile.write(tmp_path, RUNNING)
    assert runfile.read(tmp_path) is None


def test_a_directory_without_a_stack_stays_empty(tmp_path: Path) -> None:
    assert runfile.read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_not_written_down() -> None:
    assert runfile.without_password("postgresql://me:hush@db:5432/x") == "postgresql://me@db:5432/x"
    assert runfile.without_password("postgresql://me@/x?host=/run") == "postgresql://me@/x?host=/run"
