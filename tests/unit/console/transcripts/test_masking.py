"""What trainers see of a customer's words."""

from __future__ import annotations

import pytest

from followup.console.transcripts.masking import Mask, NoMask, is_personal, name_of, phone_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("我的电话是13812345678", "我的电话是138****5678"),
        ("138 1234 5678", "138****5678"),
        ("138-1234-5678这个号", "138****5678这个号"),
        ("座机020-87654321", "座机020-****"),
        ("微信同号，一三八一二三四五六七八", "微信同号，*******"),
        ("车牌浙A12345", "车牌浙A*****"),
        ("粤B·D12345的车", "粤B*****的车"),
        ("身份证330106199001011234", "身份证［证件号］"),
        ("邮箱wang.q@example.com", "邮箱［邮箱］"),
        ("寄到文三路100号3单元502室", "［地址］"),
        ("我叫王小明，想问一下", "我叫王**，想问一下"),
        ("请找李建国先生", "请找李**先生"),
    ],
)
def test_personal_data_is_put_out_of_sight(text: str, shown: str) -> None:
    masked = Mask()(text)
    assert masked == shown or (shown == "［地址］" and masked.endswith(shown) and "100" not in masked and "502" not in masked)


@pytest.mark.parametrize(
    "text",
    [
        "利率有点贵，等了3天",
        "2026年11月22日下午3点",
        "2026-11-22 15:00",
        "给8分吧",
        "服务态度很好，一般般",
        "十二个里坏了三个",
        "我在路上，马上到",
        "路边停车不方便",
        "还有一个多小时",
        "价格在市面上偏高",
        "这个区别不大",
        "小区门口取的快递",
        "你们店里的师傅不错",
        "金额是12345元",
        "我说的是不满意",
    ],
)
def test_what_identifies_nobody_stays(text: str) -> None:
    assert Mask()(text) == text


def test_the_customers_own_data_is_found_wherever_it_stands() -> None:
    mask = Mask(["王强", "13812345678", "怡景苑2幢", "", "张"])
    assert mask("王强先生，您住怡景苑2幢吗？13812345678") == "王*先生，您住［已隐藏］吗？138****5678"
    assert mask("张女士") == "张女士"  # a family name alone is nobody


def test_values_are_masked_inside() -> None:
    mask = Mask(["王强"])
    assert mask.value(["王强", 8, True]) == ["王*", 8, True]
    assert mask.value({"start": "2026-11-22T15:00:00", "phone": "13812345678"}) == {"start": "2026-11-22T15:00:00", "phone": "［已隐藏］"}
    assert mask.value(None) is None


def test_names_and_numbers_alone() -> None:
    assert [name_of(name) for name in ("", "王", "王强", "欧阳小明")] == ["", "王", "王*", "欧***"]
    assert [phone_of(phone) for phone in (None, "13812345678", "02087654321")] == ["", "138****5678", "020********"]


@pytest.mark.parametrize(("key", "personal"), [("customer_name", True), ("plate", True), ("收货地址", True), ("联系电话", True), ("company", False), ("box_price", False), ("model", False)])
def test_fields_are_told_by_their_names(key: str, personal: bool) -> None:
    assert is_personal(key) is personal


def test_who_may_see_everything_does() -> None:
    assert NoMask(["王强"])("王强13812345678") == "王强13812345678"
