from __future__ import annotations

import pytest

from followup.channels.wechat.account import AccountError, load_accounts

GIVEN = {
    "FOLLOWUP_WECHAT": "main",
    "FOLLOWUP_WECHAT_MAIN_APP_ID": "wxba5fad812f8e6fb9",
    "FOLLOWUP_WECHAT_MAIN_TOKEN": "AAAAA",
    "FOLLOWUP_WECHAT_MAIN_SECRET": "very-secret",
    "FOLLOWUP_WECHAT_MAIN_AES_KEY": "A" * 43,
}


def test_without_the_variable_there_is_no_account():
    assert load_accounts({}) == ()


def test_an_account_with_a_key_takes_nothing_that_is_not_encrypted():
    (account,) = load_accounts(GIVEN)
    assert (account.name, account.channel, account.kind, account.mode) == ("main", "wechat:main", "service", "aes")
    assert account.may_send and account.has_menus


def test_what_is_printed_of_an_account_holds_no_secret():
    (account,) = load_accounts(GIVEN)
    assert all(secret not in repr(account) for secret in ("AAAAA", "very-secret", "A" * 43))


@pytest.mark.parametrize(
    ("key", "value"),
    [("KIND", "other"), ("MODE", "both"), ("AES_KEY", "A" * 42), ("AES_KEY", "不" * 43), ("TOKEN", ""), ("TOKEN", "a b"), ("APP_ID", ""), ("API", "ftp:x")],
)
def test_a_value_that_cannot_be_is_named_but_not_repeated(key, value):
    with pytest.raises(AccountError, match=f"FOLLOWUP_WECHAT_MAIN_{key}") as error:
        load_accounts({**GIVEN, f"FOLLOWUP_WECHAT_MAIN_{key}": value})
    assert not value or value == "ftp:x" or value not in str(error.value)


@pytest.mark.parametrize("names", ["main,main", "1st", "a-b", "名"])
def test_names_of_accounts_are_plain_and_differ(names):
    with pytest.raises(AccountError, match="FOLLOWUP_WECHAT"):
        load_accounts({**GIVEN, "FOLLOWUP_WECHAT": names})


def test_the_web_authorisation_needs_a_service_account_with_its_secret():
    base = {"FOLLOWUP_WECHAT": "main", "FOLLOWUP_WECHAT_MAIN_APP_ID": "wx1", "FOLLOWUP_WECHAT_MAIN_TOKEN": "AAAAA", "FOLLOWUP_WECHAT_MAIN_SECRET": "s"}
    assert [account.login for account in load_accounts(base)] == [False]
    assert load_accounts({**base, "FOLLOWUP_WECHAT_MAIN_LOGIN": "yes"})[0].login
    for wrong in ({"LOGIN": "maybe"}, {"LOGIN": "yes", "SECRET": ""}, {"LOGIN": "yes", "KIND": "subscription"}):
        with pytest.raises(AccountError, match="MAIN_LOGIN"):
            load_accounts({**base, **{f"FOLLOWUP_WECHAT_MAIN_{key}": value for key, value in wrong.items()}})
