from __future__ import annotations

from pathlib import Path

from followup.channels.notifiers import channels_of
from followup.channels.wechat.account import Account
from followup.settings import Settings

MUTE = Account("mute", "wx1", "subscription", "AAAAA")
ABLE = Account("able", "wx1", "service", "AAAAA", secret="s")


def test_wechat_is_offered_where_an_account_may_send_wherever_it_is_set_up(tmp_path: Path) -> None:
    assert channels_of(Settings(home=tmp_path)) == {"link"}
    assert channels_of(Settings(home=tmp_path, wechat=(MUTE,))) == {"link"}
    assert channels_of(Settings(home=tmp_path, wechat=(MUTE, ABLE))) == {"link", "wechat"}
    assert channels_of(Settings(home=tmp_path), [ABLE]) == {"link", "wechat"}
