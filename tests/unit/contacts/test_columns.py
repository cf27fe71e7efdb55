"""What columns mean: known by their header, by what they hold, and as somebody chose."""

import pytest

from followup.contacts.columns import Use, check, guess, read_uses, use_labels
from followup.contacts.parse import Agreed, Choices, GivenConsent, NewContact, parse_contacts, parse_table
from followup.contacts.table import ContactsFileError, read_table


def table(text: str):
    return read_table(text.encode())


def test_the_usual_headers_are_known() -> None:
    found = guess(table("客户姓名,称呼,联系电话,电子邮箱,微信OpenID,客户编号,客户类型,是否同意回访,同意来源,车型\n王芳,,,,,,,,,途观\n"))
    assert found == (Use.NAME, Use.TITLE, Use.PHONE, Use.EMAIL, Use.OPENID, Use.EXTERNAL_ID, Use.GROUPS, Use.CONSENT, Use.CONSENT_SOURCE, Use.TEXT)


def test_a_column_holds_dates_when_most_of_its_cells_are_some() -> None:
    assert guess(table("姓名,签收日期,配送时间,到店\n甲,2026-3-5,上午,2026-3-5\n乙,2月30日,下午,2026-3-6\n"))[1:] == (Use.DATE, Use.TEXT, Use.DATE)


def test_every_use_has_a_chinese_name() -> None:
    assert set(use_labels()) == set(Use)


def test_what_somebody_chose_counts_and_nonsense_is_left_to_the_guess() -> None:
    read = table("甲,乙,丙\n王芳,13800138000,x\n")
    assert read_uses(["name", "phone", "bogus"], read) == (Use.NAME, Use.PHONE, Use.TEXT)


def test_one_use_for_two_columns_is_refused() -> None:
    read = table("姓名,手机,电话\n王芳,13800138000,\n")
    with pytest.raises(ContactsFileError, match="有 2 列都当作“电话”"):
        check(read, (Use.NAME, Use.PHONE, Use.PHONE))


def one(text: str, **choices) -> NewContact:
    read = table(text)
    parsed = parse_table(read, Choices(guess(read), **choices))
    assert parsed.bad == ()
    return parsed.contacts[0]


def reason(text: str) -> str:
    return str(parse_contacts(text.encode()).bad[0])


def test_groups_of_the_row_and_of_the_file_are_joined() -> None:
    assert one("姓名,手机号,分组\n王芳,13800138000,vip、事故车\n", groups=("十月",)).groups == ("VIP", "事故车", "十月")


def test_a_customer_may_be_known_by_a_number_or_an_address_alone() -> None:
    assert one("姓名,邮箱\n王芳,Wang@Example.com\n").email == "wang@example.com"
    assert one("姓名,手机号,客户编号\n王芳,,C1\n").external_id == "C1"
    assert "没有填写电话" in reason("姓名,手机号,客户编号\n王芳,,\n")


@pytest.mark.parametrize("later", ["王芳,13800138000,C2", "王芳,13900139000,C1"])
def test_one_customer_has_one_number_of_each_kind(later: str) -> None:
    assert "却不同" in reason(f"姓名,手机号,客户编号\n王芳,13800138000,C1\n{later}\n")


def test_a_row_that_could_be_two_earlier_customers_is_told() -> None:
    assert "分不清是哪一位" in reason("姓名,手机号,客户编号\n王芳,13800138000,\n王芳,,C1\n王芳,13800138000,C1\n")


def test_rows_of_one_customer_number_are_merged() -> None:
    parsed = parse_contacts("姓名,手机号,客户编号,城市\n王芳,13800138000,C1,\n王芳,,C1,北京\n".encode())
    assert parsed.merged == 1 and parsed.contacts[0].fields == {"城市": "北京"}


def test_consent_of_the_row_comes_before_that_of_the_file() -> None:
    agreed = Agreed(("email",), "购买合同", "2026版")
    assert one("姓名,手机号,同意方式\n王芳,13800138000,短信\n", agreed=agreed).consents == (GivenConsent("sms", True, "购买合同", "2026版"),)
    assert one("姓名,手机号,同意方式\n王芳,13800138000,\n", agreed=agreed).consents == (GivenConsent("email", True, "购买合同", "2026版"),)
    refused = one("姓名,手机号,同意方式\n王芳,13800138000,不同意\n", agreed=agreed).consents
    assert {consent.channel: consent.given for consent in refused} == {"sms": False, "email": False, "wechat": False}


def test_a_consent_without_source_or_in_unknown_words_is_told() -> None:
    assert "没有写同意的来源" in reason("姓名,手机号,同意方式\n王芳,13800138000,短信\n")
    assert "看不懂" in reason("姓名,手机号,同意方式,同意来源\n王芳,13800138000,也许,合同\n")


def test_everything_wrong_in_a_row_is_told_at_once() -> None:
    told = reason("姓名,手机号,生日\n甲,13800138001,1990-01-01\n,138,2月30日\n")
    assert told.startswith("第 3 行：没有填写姓名。") and "“138”不是有效的手机号" in told and "这一天不存在" in told
