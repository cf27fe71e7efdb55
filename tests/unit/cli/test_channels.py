from __future__ import annotations

from pathlib import Path

import pytest

from followup.channels import Invitation
from followup.channels.reports import report_secret
from followup.channels.trial import TrialSms
from followup.cli import main

ACCOUNT = {
    "FOLLOWUP_SMS": "aliyun", "FOLLOWUP_SMS_KEY_ID": "id", "FOLLOWUP_SMS_KEY_SECRET": "hush", "FOLLOWUP_SMS_SIGN": "演示",
    "FOLLOWUP_SMS_TEMPLATE": "SMS_1", "FOLLOWUP_SECRET": "s" * 40, "FOLLOWUP_PUBLIC_URL": "https://hf.example",
}  # fmt: skip


def run(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(["channels", "--home", str(tmp_path)])
    said = capsys.readouterr().out
    assert all(name in said for name in ("FOLLOWUP_SMTP_URL", "FOLLOWUP_SMS", "FOLLOWUP_WECHAT", "FOLLOWUP_ALERT_URLS"))


def test_the_address_of_the_reports_is_shown_and_no_key(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    run(["channels", "--home", str(tmp_path)])
    said = capsys.readouterr().out
    assert f"https://hf.example/sms/aliyun/{report_secret('s' * 40)}" in said and "https://hf.example/s" in said
    assert "hush" not in said


def test_how_each_account_of_wechat_can_invite_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"FOLLOWUP_WECHAT": "main,mute", "FOLLOWUP_PUBLIC_URL": "https://hf.example"}
    for name in ("MAIN", "MUTE"):
        given |= {f"FOLLOWUP_WECHAT_{name}_APP_ID": "wx1", f"FOLLOWUP_WECHAT_{name}_TOKEN": "AAAAA"}
    given |= {"FOLLOWUP_WECHAT_MAIN_SECRET": "hush", "FOLLOWUP_WECHAT_MAIN_TEMPLATE": "TPL_1", "FOLLOWUP_WECHAT_MAIN_TEMPLATE_FIELDS": "thing1={company}"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    run(["channels", "--home", str(tmp_path)])
    said = capsys.readouterr().out
    assert "main：可用（客户说话后 48 小时之内用客服消息，之外用模板消息）" in said and "https://hf.example/wechat/main" in said
    assert "mute：没有填写 SECRET" in said and "hush" not in said


async def _sent(home: Path) -> None:
    await TrialSms(home, "https://hf.example").send(Invitation(7, "13800138000", "", "2345CDFG", "演示商城", "", "", "first"))


def test_messages_of_a_trial_can_be_read_and_are_marked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import asyncio

    run(["channels", "--demo", "--home", str(tmp_path)])
    assert "还没有" in capsys.readouterr().out
    asyncio.run(_sent(tmp_path))
    run(["channels", "--demo", "--home", str(tmp_path)])
    said = capsys.readouterr().out
    assert "【演示】" in said and "2345-CDFG" in said
