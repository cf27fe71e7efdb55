"""Rows that say themselves that nobody may contact the customer; and those that only sound like it."""

from __future__ import annotations

from datetime import date

import pytest

from followup.contacts.parse import ContactsFile, parse_contacts
from followup.contacts.stop import says_stop

TODAY = date(2026, 11, 20)


def parse(*lines: str) -> ContactsFile:
    return parse_contacts("\n".join(lines).encode(), TODAY)


@pytest.mark.parametrize(
    "words",
    [
        "免打扰", "勿扰", "客户要求勿扰！", "请勿打扰", "请勿联系", "别打电话", "别再打了", "不要再给我打电话", "不同意回访", "不同意", "拒绝", "拒绝回访", "客户明确拒绝", "拒访",
        "未同意接收短信", "不想再被打扰", "谢绝推销电话联系", "不接受调查", "已退订", "黑名单", "列入黑名单客户", "不用再联系", "不需要回访", "已故", "客户已故，由儿子联系", "客户去世", "车主过世",
        "身故", "do not call", "Opt-out", "DNC", "免 打 扰".replace(" ", ""), "不再接受回访", "不同意给公司使用微信联系", "2024年起拒绝营销短信",
    ],
)  # fmt: skip
def test_a_remark_that_says_so_stops(words: str) -> None:
    assert says_stop("备注", words) == words[:30]


@pytest.mark.parametrize(
    "words",
    [
        "", "VIP 客户", "已取消免打扰", "不在黑名单", "非黑名单客户", "未设置免打扰", "特别的信息", "级别信息：金卡", "客户不用微信，请打电话", "不要红色的", "现在不方便接电话，晚上可以",
        "暂时联系不上", "可以联系", "同意回访", "喜欢看世界杯", "去世界各地旅行", "不需要发票", "请电话联系", "类别电话", "不能联系上，改天再打",
    ],
)  # fmt: skip
def test_a_remark_that_only_sounds_like_it_does_not(words: str) -> None:
    assert says_stop("备注", words) == ""


def test_in_another_column_only_what_says_nothing_else_counts() -> None:
    assert says_stop("产品", "意外死亡险") == "" and says_stop("方案", "不同意") == ""
    assert says_stop("城市", "免打扰") and says_stop("来源", "已故")


@pytest.mark.parametrize(("cell", "stopped"), [("是", True), ("Y", True), ("2024年起", True), ("客户要求", True), ("", False), ("否", False), ("无", False), ("0", False), ("已取消免打扰", False)])
def test_a_column_of_its_own_means_yes_unless_it_says_no(cell: str, stopped: bool) -> None:
    (one,) = parse("姓名,手机号,是否免打扰", f"王芳,13800138000,{cell}").contacts
    assert bool(one.stop) is stopped


def test_a_group_a_name_and_a_column_nobody_imports_are_heard_too() -> None:
    file = parse("姓名,手机号,客户类型,需要修改的原因", "王芳,13800138000,VIP、黑名单,", "李强（已故）,13900139000,,", "赵敏,13700137000,,免打扰", "钱多,13600136000,VIP,")
    assert [bool(one.stop) for one in file.contacts] == [True, True, True, False]


@pytest.mark.parametrize(
    ("header", "cell", "stopped"),
    [
        ("年龄", "17", True), ("年龄", "17岁", True), ("年龄", "18", False), ("年龄", "很大", False), ("出生日期", "2008-11-21", True), ("出生日期", "2008-11-20", False),
        ("生日", "2012年3月5日", True), ("身份证号", "11010120120305001X", True), ("身份证号", "110101198003050019", False), ("宝宝生日", "2024-03-05", False), ("购车日期", "2026-03-05", False),
    ],
)  # fmt: skip
def test_who_is_not_of_age_is_not_contacted(header: str, cell: str, stopped: bool) -> None:
    (one,) = parse(f"姓名,手机号,{header}", f"王芳,13800138000,{cell}").contacts
    assert bool(one.stop) is stopped, one.stop


def test_a_date_of_birth_to_come_is_told() -> None:
    (bad,) = parse("姓名,手机号,出生日期", "王芳,13800138000,2027-01-01").bad
    assert "在将来" in bad.reason


def test_who_must_not_be_contacted_has_agreed_to_nothing() -> None:
    (one,) = parse("姓名,手机号,同意方式,同意来源,备注", "王芳,13800138000,短信,合同,勿扰").contacts
    assert one.stop and one.consents == ()


def test_a_row_that_is_not_taken_still_stops_its_number() -> None:
    file = parse("姓名,手机号,备注", "王芳,+86 138-0013-8000,VIP", "李强,13800138000,免打扰", ",13900139000,拒绝回访", "赵敏,123,免打扰")
    assert [(one.phone, bool(one.reason)) for one in file.stops] == [("13800138000", True), ("13900139000", True)]
    assert len(file.bad) == 3 and file.stopped == 2


def test_of_two_rows_of_one_customer_the_one_that_says_stop_counts() -> None:
    for lines in (("王芳,13800138000,,", "王芳,１３８００１３８０００,免打扰,"), ("王芳,13800138000,免打扰,", "王芳,138 0013 8000,,")):
        (one,) = parse("姓名,手机号,备注,城市", *lines).contacts
        assert one.stop


@pytest.mark.parametrize(
    ("rows", "given"),
    [
        (("同意,", "不同意,"), False), (("不同意,", "同意,"), False), (("同意,2026-01-01", "不同意,2026-02-01"), False), (("不同意,2026-01-01", "同意,2026-02-01"), True),
        (("同意,2026-02-01", "不同意,2026-02-01"), False), (("同意,2026-02-01", "不同意,"), False),
    ],
)  # fmt: skip
def test_of_two_words_on_consent_the_newer_counts_and_in_doubt_the_refusal(rows: tuple[str, str], given: bool) -> None:
    lines = [f"王芳,13800138000,{row.split(',')[0]},合同,{row.split(',')[1]}" for row in rows]
    (one,) = parse("姓名,手机号,同意方式,同意来源,同意时间", *lines).contacts
    assert {consent.given for consent in one.consents} == {given}


def test_nobody_can_have_agreed_tomorrow() -> None:
    (bad,) = parse("姓名,手机号,同意方式,同意来源,同意时间", "王芳,13800138000,短信,合同,2026-11-21", "李强,13900139000,短信,合同,2026-11-20 23:59").bad
    assert bad.line == 2 and "同意的时间“2026-11-21”在将来" in bad.reason
