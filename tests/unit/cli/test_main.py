"""The command line as a whole: in Chinese, with honest exit codes, and quick."""

import subprocess
import sys

import pytest

from followup.cli import COMMANDS, main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    output = capsys.readouterr()
    return int(end.value.code or 0), output.out, output.err


def test_help_names_every_command_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert out.startswith("用法：followup [选项] 命令")
    assert all(name in out for name in COMMANDS)
    assert "Options" not in out and "Show this" not in out


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_in_chinese(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert out.startswith(f"用法：followup {name}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], "没有 fly 这个命令"),
        (["up", "--prot", "1"], "没有 --prot 这个选项，您是不是想用 --port"),
        (["up", "--port", "0"], "请填 1 到 65535 之间的整数"),
        (["up", "now"], "多出了参数 now"),
        (["user", "add"], "缺少参数 NAME"),
        (["user", "add", "wang"], "缺少选项 --role"),
        (["user", "add", "wang", "--role", "boss"], "请从 admin、supervisor、agent、trainer、auditor 中选一个"),
        (["contacts", "import", "/nowhere.csv"], "文件不存在或无法读取"),
    ],
)
def test_wrong_usage_is_told_in_chinese(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert words in err
    assert "--help" in err
    assert out == ""


def test_a_wrong_setting_is_told_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLLOWUP_PORT", "http")
    code, _, err = run(capsys, "up")
    assert code == 1
    assert err == "FOLLOWUP_PORT 的值“http”不是端口号，请填写 1 到 65535 之间的整数。\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, followup.cli\n"
        "try: followup.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'rasa', 'tensorflow', 'sqlalchemy', 'aiohttp', 'spacy'} & set(sys.modules)\n"
        "raise SystemExit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_chinese_comes_out_whatever_the_locale_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "followup.cli", "--help"],
        capture_output=True,
        env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert done.returncode == 0
    assert "客户回访智能助手" in done.stdout.decode()
