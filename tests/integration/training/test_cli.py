"""`followup models …` as it is typed: each command in a process of its own, on a real database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from followup.store.database import Database
from followup.training import versions
from tests.integration.console.made_up_models import a_machine, a_version, flip, report


class Models:
    """`await models("list")`: exit code and everything it said."""

    def __init__(self, database_url: str, home: Path) -> None:
        self._environment = {**os.environ, "DATABASE_URL": database_url, "FOLLOWUP_HOME": str(home)}

    def __call__(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "followup.cli", "models", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment, timeout=120)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def models(database_url: str, tmp_path: Path) -> Models:
    return Models(database_url, tmp_path)


async def wanted(database: Database) -> int | None:
    async with database.session() as session:
        found = await versions.wanted(session)
    return found.version if found else None


async def test_before_the_first_training_it_says_what_to_do(models: Models) -> None:
    assert models("list") == (0, "还没有训练过模型，现在用的是语料文件的模型。用 followup models train 训练一版。\n")
    code, said = models("rollback", "--reason", "不行")
    assert code == 1 and "没有更早的版本可以退回。" in said
    code, said = models("promote", "7")
    assert code == 1 and "没有第 7 版模型。" in said


async def test_a_version_goes_live_and_back(models: Models, database: Database) -> None:
    files = await a_version(database)
    number = await a_version(database, report(compared_with=files))
    code, said = models("list")
    assert code == 0
    newest, oldest = said.splitlines()
    assert newest.startswith(f"第 {number} 版\t") and "可以上线" in newest and "例句 29682 句" in newest
    assert "正确率 95.5%，改对 1 句，改错 1 句" in newest and oldest.endswith("语料文件")
    assert models("promote", str(number)) == (0, f"第 {number} 版将在各台机器上接手，用 followup models list 查看。\n")
    assert await wanted(database) == number
    code, said = models("promote", str(number))
    assert code == 1 and "已经在线上" in said
    await a_machine(database, "web-1", number)
    code, said = models("list")
    assert "应在线上、1 台在用" in said and f"机器 web-1：第 {number} 版，已上线" in said
    code, said = models("rollback")
    assert code == 2 and "reason" in said and await wanted(database) == number
    assert models("rollback", "--reason", "听不懂梨") == (0, f"将退回第 {files} 版，用 followup models list 查看。\n")
    assert await wanted(database) == files


async def test_a_blocked_version_needs_a_reason_here_too(models: Models, database: Database) -> None:
    number = await a_version(database, report(accuracy=0.9))
    code, said = models("promote", str(number))
    assert code == 1 and "没有通过比较" in said and "从 95.0% 降到 90.0%" in said and await wanted(database) is None
    code, _ = models("promote", str(number), "--reason", "先上")
    assert code == 0 and await wanted(database) == number


async def test_a_comparison_is_printed_line_by_line(models: Models, database: Database) -> None:
    broken = {"played": 792, "broken": [{"talk": "bank/loan", "why": "会话走不通：\n没有道别"}], "failing": []}
    number = await a_version(database, report(flips=[flip("我在高速上呢", "driving", "busy", "driving")], talks=broken))
    code, said = models("compare", str(number))
    assert code == 0
    assert "改对  我在高速上呢（driving）：busy 0.61 → driving 0.93" in said
    assert "bank/loan：没有道别" in said and "不能直接上线：" in said
    code, said = models("compare", "99")
    assert code == 1 and "没有第 99 版模型。" in said


async def test_a_version_without_a_comparison_says_so(models: Models, database: Database) -> None:
    number = await a_version(database)
    code, said = models("compare", str(number))
    assert code == 1 and f"第 {number} 版没有比较的结果。" in said
