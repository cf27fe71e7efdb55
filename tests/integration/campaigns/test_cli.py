"""`followup campaigns …` on a real database."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from followup.campaigns import parse
from followup.cli import main

from .conftest import DEFINITION

NAME = "签收以后"


@pytest.fixture(autouse=True)
def _env(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("FOLLOWUP_HOME", str(tmp_path))
    monkeypatch.setenv("FOLLOWUP_NOW", "2026-03-10T10:05:00")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["campaigns", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def customer(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO contacts (name, phone, fields) VALUES ('张三', '13800000001', %s)",
            [json.dumps({"签收日期": "2026-03-09", "商品": "红啤梨"})],
        )


def written(tmp_path: Path, **changed: object) -> str:
    file = tmp_path / f"{NAME}.json"
    file.write_text(json.dumps(parse.as_json(DEFINITION) | {"channels": ["link"]} | changed), encoding="utf-8")
    return str(file)


def test_from_the_file_to_the_end(capsys: pytest.CaptureFixture[str], tmp_path: Path, database_url: str) -> None:
    assert run(capsys, "list") == (0, "还没有回访任务。\n", "")
    code, out, _ = run(capsys, "new", written(tmp_path))
    assert (code, out) == (0, "已建立草稿 1。核对以后，用 followup campaigns start 启动。\n")
    code, _, err = run(capsys, "start", "1")
    assert (code, err) == (1, "没有一位客户符合条件。\n")
    customer(database_url)
    code, out, _ = run(capsys, "dry-run", "1")
    assert out.startswith("符合条件的客户 1 位，抽中 1 位，首次联系 1 次。\n2026-03-10\t1\t1天 1 位\n")
    assert run(capsys, "start", "1")[:2] == (0, f"“{NAME}”已启动。\n")
    assert run(capsys, "pause", "1", "--reason", "核对名单")[:2] == (0, f"“{NAME}”已暂停。\n")
    assert run(capsys, "list")[1] == f"1\t已暂停\t{NAME}\tfruit_order\t0 条\t核对名单\n"
    assert run(capsys, "resume", "1")[:2] == (0, f"“{NAME}”已恢复。\n")
    assert run(capsys, "pause")[0] == run(capsys, "pause", "1", "--all")[0] == 2
    assert run(capsys, "pause", "--all", "--reason", "恢复备份")[:2] == (0, f"“{NAME}”已暂停。\n")
    assert run(capsys, "pause", "--all")[:2] == (0, "没有进行中的任务。\n")
    assert run(capsys, "resume", "1")[0] == 0
    assert run(capsys, "cancel", "1", "--reason", "试一试")[:2] == (0, f"“{NAME}”已取消。\n")
    assert run(capsys, "resume", "1")[2] == "只有已暂停的任务可以恢复。\n"
    assert run(capsys, "ledger", "1")[1] == "客户 0 位，联系 0 条：\n"
    with psycopg.connect(database_url) as connection:
        audited = connection.execute("SELECT action FROM audit_log ORDER BY id").fetchall()
    assert [action for (action,) in audited] == [f"campaign.{act}" for act in ("create", "start", "pause", "resume", "pause", "resume", "cancel")]


def test_what_is_wrong_with_a_file_is_told_field_by_field(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "new", written(tmp_path, rules=[], channels=["fax"]))
    assert code == 1
    assert [line.partition("：")[0] for line in err.splitlines()] == ["rules", "channels"]
    broken = tmp_path / "broken.yml"
    broken.write_text("rules: [", encoding="utf-8")
    assert "读不出来" in run(capsys, "new", str(broken))[2]
    assert run(capsys, "show", "9")[2] == "没有这个任务。\n"
    assert run(capsys, "ledger", "1", "--entry", "9")[2] == "没有第 9 条记录。\n"


def test_a_shown_definition_can_be_taken_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, "new", written(tmp_path))
    shown = run(capsys, "show", "1", "--json")[1]
    again = tmp_path / "again.json"
    again.write_text(shown, encoding="utf-8")
    assert run(capsys, "new", str(again), "--name", "再来")[0] == 0
    assert run(capsys, "show", "2")[1].startswith("2 再来（草稿，第 1 版）\n")
