"""What plays WeChat and WeCom on this machine is never put before a real account."""

from __future__ import annotations

from dataclasses import dataclass

import click
import pytest

from followup.cli.phone_page import must_be_played


@dataclass
class Account:
    api: str
    name: str = "demo"


@pytest.mark.parametrize("api", ["http://127.0.0.1:8090", "http://localhost:8090"])
def test_an_account_of_this_machine_may_be_played(api: str) -> None:
    must_be_played(Account(api), "FOLLOWUP_WECHAT_{}_API", "微信", 8090)


@pytest.mark.parametrize("api", ["https://api.weixin.qq.com", "http://127.0.0.1.example.com"])
def test_a_real_account_is_refused_and_the_setting_is_named(api: str) -> None:
    with pytest.raises(click.ClickException, match="真的微信.*FOLLOWUP_WECHAT_DEMO_API 设为 http://127.0.0.1:8090"):
        must_be_played(Account(api), "FOLLOWUP_WECHAT_{}_API", "微信", 8090)
