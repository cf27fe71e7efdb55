from __future__ import annotations

import pytest

from followup.channels.wecom.account import AccountError, load_accounts

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
GOOD = {
    "FOLLOWUP_WECOM": "main",
    "FOLLOWUP_WECOM_MAIN_CORP_ID": "ww0123456789abcdef",
    "FOLLOWUP_WECOM_MAIN_SECRET": "topsecret",
    "FOLLOWUP_WECOM_MAIN_TOKEN": "AAAAA",
    "FOLLOWUP_WECOM_MAIN_AES_KEY": KEY,
    "FOLLOWUP_WECOM_MAIN_KF": "wkMain, wkOther,wkMain",
}


def test_without_names_there_are_no_accounts():
    assert load_accounts({}) == ()


def test_an_account_is_read_and_tells_no_secret():
    (account,) = load_accounts(GOOD)
    assert (account.channel, account.kfids, account.handover) == ("wecom:main", ("wkMain", "wkOther"), "console")
    assert account.api == "https://qyapi.weixin.qq.com" and account.sealed.app_id == "ww0123456789abcdef"
    assert not {"topsecret", KEY, "AAAAA"} & set(repr(account).split("'"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CORP_ID", ""), ("SECRET", ""), ("TOKEN", "x"), ("TOKEN", "有"), ("AES_KEY", "short"), ("KF", " , "), ("KF", "wk 1"),
        ("HANDOVER", "nobody"), ("SERVICER", "张三 "), ("API", "qyapi"), ("CORP_ID", "ww 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_variables_name(key, value):
    with pytest.raises(AccountError, match=f"FOLLOWUP_WECOM_MAIN_{key}"):
        load_accounts({**GOOD, f"FOLLOWUP_WECOM_MAIN_{key}": value})


@pytest.mark.parametrize("names", ["Haupt-1", "a,a", "1a"])
def test_names_are_plain_and_different(names):
    with pytest.raises(AccountError, match="FOLLOWUP_WECOM"):
        load_accounts({**GOOD, "FOLLOWUP_WECOM": names})
