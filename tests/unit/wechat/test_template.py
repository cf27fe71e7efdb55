from __future__ import annotations

from datetime import UTC, datetime

import pytest

from followup.channels.wechat.account import AccountError, load_accounts
from followup.channels.wechat.template import BadField, Notice, Way, as_json, filled, from_json, load_notices, parse_notice, takes

AT = datetime(2026, 3, 10, 2, 5, tzinfo=UTC)
BLANKS = {"company": "招远汇商城", "customer": "张女士", "agent": "小汇"}
ENV = {
    "FOLLOWUP_WECHAT": "main", "FOLLOWUP_WECHAT_MAIN_APP_ID": "wx1", "FOLLOWUP_WECHAT_MAIN_TOKEN": "AAAAA",
    "FOLLOWUP_WECHAT_MAIN_TEMPLATE": "TPL_1", "FOLLOWUP_WECHAT_MAIN_TEMPLATE_FIELDS": "thing1={company};time2={time}",
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("thing1", "二十个字" * 5, True),
        ("thing1", "二十个字" * 5 + "多", False),
        ("thing1", "", False),
        ("phrase2", "待回访", True),
        ("phrase2", "一二三四五六", False),
        ("phrase2", "待回访1", False),
        ("time3", "15:01", True),
        ("time3", "2026年3月10日 10:05", True),
        ("time3", "明天下午", False),
        ("date4", "2026年3月10日", True),
        ("date4", "10:05", False),
        ("name5", "张三", True),
        ("name5", "一二三四五六七八九十一", False),
        ("name5", "Zhang San", True),
        ("name5", "张三2", False),
        ("number6", "1" * 32, True),
        ("number6", "1" * 33, False),
        ("number6", "3.5", True),
        ("character_string7", "A-1", True),
        ("character_string7", "订单", False),
        ("amount8", "¥12.50", True),
        ("amount8", "很多", False),
        ("phone_number9", "+86-0766-66888866", True),
        ("car_number10", "粤A8Z888挂", True),
        ("car_number10", "粤", False),
        ("letter11", "abc", True),
        ("letter11", "abc1", False),
        ("symbol12", "!?", True),
        ("const13", "已完成", True),
        ("keyword1", "什么都可以写", True),
        ("keyword1", "长" * 201, False),
        ("first", "您好", True),
    ],
)
def test_what_a_field_takes(field, value, taken):
    assert takes(field, value) is taken


def test_the_blanks_are_filled_by_beijing_time():
    notice = parse_notice(Way.TEMPLATE, "TPL_1", "thing1={company};time2={time};date3={date};thing4=客户：{customer}")
    assert filled(notice, BLANKS, AT) == {
        "thing1": "招远汇商城", "time2": "2026年3月10日 10:05", "date3": "2026年3月10日", "thing4": "客户：张女士",
    }  # fmt: skip


def test_a_thing_that_is_too_long_is_cut():
    notice = parse_notice(Way.TEMPLATE, "TPL_1", "thing1={company}客户服务部")
    said = filled(notice, {**BLANKS, "company": "很长的公司名称" * 4}, AT)["thing1"]
    assert len(said) == 20 and said.endswith("…") and takes("thing1", said)


def test_what_cannot_be_cut_is_not_sent_and_says_whose_fault_it_is():
    notice = parse_notice(Way.TEMPLATE, "TPL_1", "thing1={company};name2={customer}")
    with pytest.raises(BadField) as caught:
        filled(notice, {**BLANKS, "customer": "张三2号"}, AT)
    assert (caught.value.name, caught.value.of_customer) == ("name2", True)
    with pytest.raises(BadField) as caught:
        filled(notice, {**BLANKS, "company": ""}, AT)
    assert (caught.value.name, caught.value.of_customer) == ("thing1", False)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("", "没有写明"),
        ("thing1", "写得不对"),
        ("thing1={company};thing1={agent}", "写了两次"),
        ("thing1={phone}", "不认识{phone}"),
        ("phrase1=正在等待您的回复", "放不下"),
    ],
)
def test_mistakes_in_the_fields_are_told_in_chinese(fields, why):
    with pytest.raises(ValueError, match=why):
        parse_notice(Way.TEMPLATE, "TPL_1", fields)


def test_an_accounts_templates_come_from_the_environment():
    more = {"TEMPLATE_REVISIT": "TPL_2", "TEMPLATE_REVISIT_FIELDS": "thing1=处理结果", "SUBSCRIBE": "SUB_1", "SUBSCRIBE_FIELDS": "thing1={agent}"}
    (account,) = load_accounts(ENV | {f"FOLLOWUP_WECHAT_MAIN_{key}": value for key, value in more.items()})
    assert [one.template for one in account.notices.of("revisit")] == ["TPL_2", "SUB_1"]
    assert [one.template for one in account.notices.of("callback")] == ["TPL_1", "SUB_1"], "the first stands for those that are missing"
    assert account.notices.subscribed("SUB_1") == Notice(Way.SUBSCRIBE, "SUB_1", (("thing1", "{agent}"),))
    assert account.notices.subscribed("TPL_1") is None


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"TEMPLATE_FIELDS": "phrase1=太长的一个短语"}, "FOLLOWUP_WECHAT_MAIN_TEMPLATE_FIELDS"),
        ({"TEMPLATE": "含有中文"}, "FOLLOWUP_WECHAT_MAIN_TEMPLATE "),
        ({"SUBSCRIBE_REMINDER": "SUB_2", "SUBSCRIBE_REMINDER_FIELDS": "thing1={agent}"}, "FOLLOWUP_WECHAT_MAIN_SUBSCRIBE "),
    ],
)
def test_a_wrong_template_names_its_variable(changed, variable):
    with pytest.raises(AccountError, match=variable):
        load_accounts(ENV | {f"FOLLOWUP_WECHAT_MAIN_{key}": value for key, value in changed.items()})


def test_what_the_database_keeps_is_read_back_and_rubbish_is_left_out():
    given = {"TEMPLATE": "TPL_1", "TEMPLATE_FIELDS": "thing1={company}", "SUBSCRIBE": "SUB_1", "SUBSCRIBE_FIELDS": "thing1={agent}", "SUBSCRIBE_LASTING": "1"}
    notices = load_notices(lambda key: given.get(key, ""))
    assert from_json(as_json(notices)) == notices and notices.subscribed("SUB_1").lasting
    assert not from_json([{"way": "pigeon"}, 3, {"way": "template"}]) and not from_json(None)
