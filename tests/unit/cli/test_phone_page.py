"""What plays WeChat and WeCom on this machine is never put before a real account, and finds the one that is for a trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from followup.cli.phone_page import Played, account_to_play, must_be_played, port_of
from followup.settings import Settings

REAL = "https://api.weixin.qq.com"
TRIAL = "http://127.0.0.1:8090"


@dataclass
class Account:
    api: str
    name: str = "demo"


async def _none(*_: object, **__: object) -> tuple[Account, ...]:
    return ()


PLATFORM: Played[Account] = Played("微信", "FOLLOWUP_WECHAT_{}_API", "在 {web}/console 添加，端口 {port}", 8090, _none)


@pytest.mark.parametrize("api", [TRIAL, "http://localhost:8090"])
def test_an_account_of_this_machine_may_be_played(api: str) -> None:
    must_be_played(Account(api), "FOLLOWUP_WECHAT_{}_API", "微信", 8090)


@pytest.mark.parametrize("api", [REAL, "http://127.0.0.1.example.com"])
def test_a_real_account_is_refused_and_the_setting_is_named(api: str) -> None:
    with pytest.raises(click.ClickException, match="真的微信.*FOLLOWUP_WECHAT_DEMO_API 设为 http://127.0.0.1:8090"):
        must_be_played(Account(api), "FOLLOWUP_WECHAT_{}_API", "微信", 8090)


def test_the_account_for_a_trial_is_found_behind_a_real_one(tmp_path: Path) -> None:
    found = account_to_play(Settings(home=tmp_path), PLATFORM, [Account(REAL, "main"), Account(TRIAL)], None)
    assert found.name == "demo"
    with pytest.raises(click.ClickException, match="main.*真的微信"):
        account_to_play(Settings(home=tmp_path), PLATFORM, [Account(REAL, "main"), Account(TRIAL)], "main")


def test_without_an_account_it_is_said_where_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="在 http://127.0.0.1:9000/console 添加，端口 8090"):
        account_to_play(Settings(home=tmp_path, port=9000), PLATFORM, [], None)


def test_the_page_stands_where_the_account_looks_for_the_platform() -> None:
    assert port_of(Account("http://127.0.0.1:8123"), None, 8090) == 8123
    assert port_of(Account("http://127.0.0.1:8123"), 9000, 8090) == 9000
