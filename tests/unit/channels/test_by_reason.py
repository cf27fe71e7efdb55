"""Which failures last, and which template says what."""

import pytest

from followup.channels.account import SmsAccount
from followup.channels.reports import is_lasting
from followup.channels.wechat.template import Notice, Notices, Way


@pytest.mark.parametrize("code", ["MK:0001", "mi:0210", "DBBLACK", "MOBILE_IN_BLACK", "BLOCKED", "空号", "手机号在黑名单"])
def test_a_number_that_does_not_exist_or_is_on_a_black_list_fails_for_good(code: str) -> None:
    assert is_lasting(code)


@pytest.mark.parametrize("code", ["MK:0023", "EXPIRED", "UNDELIV", "MOBILE_TERMINAL_ERROR", "NOROUTE", "", "MK:0010"])
def test_a_phone_that_is_off_may_be_on_tomorrow(code: str) -> None:
    assert not is_lasting(code)


def test_who_is_asked_to_go_on_gets_the_reminders_template_where_there_is_none_of_its_own() -> None:
    assert SmsAccount("aliyun", templates={"first": "1"}).template("unfinished") == "1"
    assert SmsAccount("aliyun", templates={"first": "1", "reminder": "2"}).template("unfinished") == "2"
    assert SmsAccount("aliyun", templates={"first": "1", "reminder": "2", "unfinished": "3"}).template("unfinished") == "3"
    assert SmsAccount("aliyun", templates={"first": "1", "reminder": "2"}).template("callback") == "1"
    first, reminder = (Notice(Way.TEMPLATE, name, ()) for name in ("first", "reminder"))
    assert Notices((("first", first), ("reminder", reminder))).of("unfinished") == [reminder]
    assert Notices((("first", first),)).of("unfinished") == [first]
    assert Notices((("first", first), ("reminder", reminder))).of("callback") == [first]
