"""Telephone numbers, addresses, names."""

from __future__ import annotations

import pytest

from followup.reading import Asked, Heard, read


def given(type_: str, text: str) -> str | None:
    reading = read(Asked(type_), Heard(text))
    return reading.value if reading else None


@pytest.mark.parametrize(("text", "value"), [
    ("13812345678", "13812345678"), ("138 1234 5678", "13812345678"), ("138-1234-5678", "13812345678"), ("幺三八一二三四五六七八", "13812345678"), ("一三八 一二三四 五六七八", "13812345678"),
    ("我的电话是13812345678", "13812345678"), ("+8613812345678", "13812345678"), ("１３８１２３４５６７８", "13812345678"), ("010-12345678", "01012345678"), ("(021)66668888", "02166668888"),
    ("0755 1234567", "07551234567"), ("13812345678不对是13912345678", "13912345678"),
    ("1381234567", None), ("138123456789", None), ("23812345678", None), ("打这个就行", None), ("没有", None),
])
def test_phone(text: str, value: str | None) -> None:
    assert given("phone", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("北京市朝阳区建国路88号3号楼201室", "北京市朝阳区建国路88号3号楼201室"), ("我家住在幸福小区5栋2单元301", "幸福小区5栋2单元301"), ("人民路12号", "人民路12号"), ("海淀区", "海淀区"),
    ("在老家那边大桥旁边第二个路口", "在老家那边大桥旁边第二个路口"), ("不方便说", None), ("为什么要地址", None), ("还是原来的地址", None), ("好的", None),
])
def test_address(text: str, value: str | None) -> None:
    assert given("address", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("浙江路12号3栋502，电话13812345678", "浙江路12号3栋502"), ("13812345678，浙江路12号", "浙江路12号"),
    ("0571-88888888，文三路90号", "文三路90号"), ("最近没时间，寄到文三路90号5楼吧，13712345678", "文三路90号5楼"),
    ("送货上门，解放路18号3栋502室", "解放路18号3栋502室"),
])
def test_a_telephone_number_and_what_leads_to_an_address_are_no_part_of_it(text: str, value: str) -> None:
    assert given("address", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("我姓李", "李"), ("免贵姓张", "张"), ("叫王小明", "王小明"), ("王小明", "王小明"), ("我是张三", "张三"), ("我叫李雷,电话138", "李雷"), ("李女士", "李女士"), ("欧阳锋", "欧阳锋"), ("她叫陈静", "陈静"),
    ("阿依古丽·买买提", "阿依古丽·买买提"), ("Tom", "Tom"), ("好的", None), ("没有", None), ("你是谁", None), ("不方便", None), ("我是他老婆", None), ("马上", None), ("高兴", None), ("明天", None),
])
def test_name(text: str, value: str | None) -> None:
    assert given("name", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("我朋友李强想买车，他电话13812345678", "李强"), ("有，我同事张伟在看车", "张伟"), ("我表弟陈明要买", "陈明"),
    ("有朋友想买", None), ("朋友和同事想买", None), ("朋友都没想买", None), ("我朋友家要买", None), ("我朋友马上要买", None),
])
def test_a_friend_who_is_named_has_a_name(text: str, value: str | None) -> None:
    assert given("name", text) == value


def test_an_address_is_kept_without_the_words_that_lead_to_it() -> None:
    for said in ("现在住滨江路66号3栋1201", "我现在住在滨江路66号3栋1201", "滨江路66号3栋1201"):
        reading = read(Asked("address"), Heard(said))
        assert reading is not None and reading.value == "滨江路66号3栋1201"
