"""`followup customers export|erase`, on a real database."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from followup.store import records
from followup.store.database import Database
from tests.integration.console.written_talks import Said, write_talk

NAME, PHONE = "欧阳锦绣", "13977771234"


def run(database_url: str, home: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database_url, "FOLLOWUP_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "followup.cli", "customers", *arguments], input=text, capture_output=True, text=True, env=environment
    )


async def test_a_customer_is_exported_and_erased_on_the_command_line(database: Database, database_url: str, tmp_path: Path) -> None:
    talk = await write_talk(database, [Said("刮花了")], name=NAME, phone=PHONE)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "web.log").write_text(f"{PHONE}\n")
    file = tmp_path / "out.zip"
    done = run(database_url, tmp_path, "export", PHONE, "-o", str(file))
    assert done.returncode == 0 and "已导出 1 场会话" in done.stdout, done.stderr
    assert "刮花了" in zipfile.ZipFile(file).read("客户资料.html").decode()
    assert file.stat().st_mode & 0o077 == 0
    wrong = run(database_url, tmp_path, "erase", PHONE, "--reason", "本人要求", text="删除\n")
    assert wrong.returncode == 1 and "什么也没有删除" in wrong.stderr
    named = run(database_url, tmp_path, "erase", PHONE, "--reason", f"{NAME}要求", "--confirm", f"删除客户 {talk.contact_id}")
    assert named.returncode == 1 and "请去掉再试" in named.stderr
    done = run(database_url, tmp_path, "erase", PHONE, "--reason", "本人要求", text=f"删除客户 {talk.contact_id}\n")
    assert done.returncode == 0 and "已删除 1 场会话的内容，日志里抹去了 1 处" in done.stdout, done.stderr
    async with database.session() as session:
        assert await records.find_contact_by_phone(session, PHONE) is None
    gone = run(database_url, tmp_path, "export", PHONE)
    assert gone.returncode == 1 and "没有这位客户" in gone.stderr
