"""The embedded database: starts, is shared, stops, and does not outlive its owner."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from followup.settings import load_settings
from followup.supervise import postgres
from followup.supervise.postgres import Postgres


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's tmp_path: as root the server runs as another user, who must be able to get there.
    with tempfile.TemporaryDirectory(prefix="followup-pg-") as folder:
        yield Path(folder)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    url, process = postgres.start(home)
    assert process is not None
    run(url, "CREATE TABLE words AS SELECT '您好' AS word")
    postgres.stop(process)
    assert Postgres.at(home).running_pid() is None
    url, process = postgres.start(home)
    assert process is not None
    assert ask(url, "SELECT word FROM words") == "您好"
    postgres.stop(process)


def test_a_running_server_is_shared_and_left_running(home: Path) -> None:
    _, owner = postgres.start(home, durable=False)
    assert owner is not None
    with postgres.database(load_settings({"FOLLOWUP_HOME": str(home)})) as url:
        assert ask(url, "SELECT 1") == 1
    assert owner.poll() is None
    postgres.stop(owner)


def test_a_server_started_for_one_command_is_stopped_after_it(home: Path) -> None:
    with postgres.database(load_settings({"FOLLOWUP_HOME": str(home)}), durable=False):
        assert Postgres.at(home).running_pid() is not None
    assert Postgres.at(home).running_pid() is None


def test_a_configured_database_starts_nothing(home: Path) -> None:
    settings = load_settings({"FOLLOWUP_HOME": str(home), "DATABASE_URL": "postgresql://me@db/x"})
    with postgres.database(settings) as url:
        assert url == "postgresql://me@db/x"
    assert list(home.iterdir()) == []


def test_a_deep_directory_works(home: Path) -> None:
    deep = home / ("directory/" * 12)
    url, process = postgres.start(deep, durable=False)
    assert process is not None
    assert ask(url, "SELECT 1") == 1
    postgres.stop(process)
    os.rmdir(Postgres.at(deep).socket_dir)


def test_nobody_else_may_enter_the_directory_of_the_socket(home: Path) -> None:
    _, process = postgres.start(home, durable=False)
    assert process is not None
    assert Postgres.at(home).socket_dir.stat().st_mode & 0o777 == 0o700
    postgres.stop(process)


def test_the_server_ends_when_its_owner_is_killed(home: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    assert psutil.pid_exists(server)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 60
    while Postgres.at(home).running_pid() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Postgres.at(home).running_pid() is None


_OWNER = """
import sys, time
from pathlib import Path
from followup.supervise import postgres
url, process = postgres.start(Path(sys.argv[1]), durable=False)
print(process.pid, flush=True)
time.sleep(60)
"""
