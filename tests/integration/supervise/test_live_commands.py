"""Commands that use the database, and `followup up` from the first line to the last."""

import os
import re
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

from followup.demo import prepare_demo
from followup.scripts import load
from followup.scripts.model import Script
from followup.store.database import Database
from followup.supervise.health import free_port
from followup.talk import links

GOOD = "姓名,称谓,手机号,车型\n王芳,女士,13800138000,途观\n李强,先生,13912345678,帕萨特\n"
BAD = GOOD + "赵六,先生,12345,朗逸\n"


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's tmp_path: as root the embedded database runs as another user, who must be able to get there.
    with tempfile.TemporaryDirectory(prefix="followup-cli-") as folder:
        yield Path(folder)


def run(database_url: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "followup.cli", *arguments],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "DATABASE_URL": database_url},
    )


def rows(database_url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(question).fetchall()  # type: ignore[arg-type]


COLUMNS = "各列的意思：姓名→姓名，称谓→称谓（先生、女士），手机号→电话；其余各列按原名保存。"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_customers_are_imported(database_url: str, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "list.csv").write_bytes(GOOD.encode(encoding))
    done = run(database_url, "contacts", "import", str(tmp_path / "list.csv"))
    assert done.stdout.splitlines() == [COLUMNS, "导入完成：新增 2 位，更新 0 位。"]
    assert rows(database_url, "SELECT name, title, phone, fields FROM contacts ORDER BY id") == [
        ("王芳", "女士", "13800138000", {"车型": "途观"}),
        ("李强", "先生", "13912345678", {"车型": "帕萨特"}),
    ]


def test_one_bad_row_keeps_all_out(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(BAD)
    done = run(database_url, "contacts", "import", str(tmp_path / "list.csv"))
    assert done.returncode == 1
    assert "第 4 行：电话“12345”不是有效的手机号" in done.stderr
    assert rows(database_url, "SELECT 1 FROM contacts") == []


def test_bad_rows_are_left_out_when_that_is_wanted(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(BAD)
    done = run(database_url, "contacts", "import", str(tmp_path / "list.csv"), "--skip-bad")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "导入完成：新增 2 位，更新 0 位，跳过 1 行。")


def test_the_same_file_twice_makes_nobody_twice(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(GOOD)
    run(database_url, "contacts", "import", str(tmp_path / "list.csv"))
    done = run(database_url, "contacts", "import", str(tmp_path / "list.csv"))
    assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (0, "", "导入完成：新增 0 位，更新 0 位，没有变化 2 位。")
    assert "内容完全相同的文件" in done.stdout
    assert rows(database_url, "SELECT count(*) FROM contacts") == [(2,)]


def test_somebody_else_under_a_known_phone_keeps_all_out(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(GOOD)
    run(database_url, "contacts", "import", str(tmp_path / "list.csv"))
    (tmp_path / "more.csv").write_text("姓名,手机号\n周八,13700000000\n孙七,13800138000\n")
    done = run(database_url, "contacts", "import", str(tmp_path / "more.csv"))
    assert done.returncode == 1
    assert "第 3 行：电话已登记在“王芳”名下" in done.stderr
    assert rows(database_url, "SELECT count(*) FROM contacts") == [(2,)]


def test_an_account_gets_a_password_that_is_shown_once(database_url: str) -> None:
    done = run(database_url, "user", "add", "wang", "--role", "supervisor")
    assert done.returncode == 0
    password = re.search(r"密码：(\S+?)（只显示这一次", done.stdout)
    assert password is not None
    ((name, role, stored),) = rows(database_url, "SELECT name, role, password_hash FROM users")
    assert (name, role) == ("wang", "supervisor")
    assert str(stored).startswith("$argon2id$")
    assert password[1] not in str(stored)


def test_an_account_takes_a_password_from_a_pipe(database_url: str) -> None:
    done = run(database_url, "user", "add", "li", "--role", "agent", "--password-stdin", text="correct horse\n")
    assert done.stdout == "已新建账号“li”，角色：坐席。\n"
    assert "correct" not in done.stdout + done.stderr


def test_a_short_password_and_a_taken_name_are_refused(database_url: str) -> None:
    short = run(database_url, "user", "add", "li", "--role", "agent", "--password-stdin", text="1234\n")
    assert (short.returncode, short.stderr) == (1, "密码太短，至少要 8 位。\n")
    run(database_url, "user", "add", "li", "--role", "agent")
    taken = run(database_url, "user", "add", "li", "--role", "admin")
    assert (taken.returncode, taken.stderr) == (1, "这个账号名已经有人使用，请换一个。\n")


def invited() -> list[Script]:
    """The scripts that somebody is invited to; an enquiry begins with the customer."""
    return [script for script in load.load_all() if not script.customer_led]


async def test_every_script_has_a_demo_customer_and_a_link_that_opens(database: Database) -> None:
    talks = await prepare_demo(database.url)
    assert [talk.script_name for talk in talks] == [script.name for script in invited()]
    async with database.session() as session:
        cases = [await links.resolve(session, talk.token) for talk in talks]
    assert len(set(cases)) == len(cases)
    marked = "SELECT DISTINCT cases.is_demo, contacts.is_demo FROM cases JOIN contacts ON contacts.id = contact_id"
    assert rows(database.url, marked) == [(True, True)]


async def test_a_second_start_keeps_the_demo_talks_and_makes_new_links(database: Database) -> None:
    first = await prepare_demo(database.url)
    second = await prepare_demo(database.url)
    assert {talk.token for talk in first}.isdisjoint({talk.token for talk in second})
    assert rows(database.url, "SELECT count(*) FROM cases") == [(len(first),)]


async def test_a_demo_talk_that_is_over_gets_a_successor(database: Database) -> None:
    talks = await prepare_demo(database.url)
    with psycopg.connect(database.url) as connection:
        connection.execute("UPDATE cases SET status = 'closed'")
    await prepare_demo(database.url)
    assert rows(database.url, "SELECT count(*) FROM cases") == [(2 * len(talks),)]
    assert rows(database.url, "SELECT count(*) FROM contacts") == [(len(talks),)]


@pytest.mark.timeout(600)
def test_up_shows_its_steps_and_links_and_leaves_nothing_behind(home: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "followup.cli", "up", "--home", str(home), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip("\n"))
        if line.startswith("按 Ctrl-C 停止"):
            break
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)  # as when a Ctrl-C arrives from the terminal and from `uv run`
    rest = process.stdout.read()
    assert process.wait(60) == 0, said
    assert rest == "正在停止……\n已全部停止。\n"
    done = [line.split("（")[0] for line in said if line.startswith("✓")]
    assert {"✓ 启动数据库", "✓ 启动 Rasa 对话引擎", "✓ 启动动作服务", "✓ 启动后台任务", "✓ 启动网页服务"} <= set(done)
    shown = [line for line in said if "回访链接：" in line]
    assert len(shown) == len(invited())
    assert f"管理后台：http://127.0.0.1:{port}/console" in said
    assert len([line for line in said if "只显示这一次" in line]) == 1
    assert all(re.search(rf"http://127\.0\.0\.1:{port}/c/[\w-]{{22}}$", line) for line in shown)
    assert len(family) >= 5
    end = time.monotonic() + 60
    while any(member.is_running() for member in family) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [member for member in family if member.is_running()]
