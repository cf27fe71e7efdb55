"""A customer list in CSV: what is taken, what is refused, and with which words."""

import pytest

from followup.contacts.parse import NewContact, normal_phone, parse_contacts
from followup.contacts.table import ContactsFileError

GOOD = "姓名,称谓,手机号,车型\n王芳,女士,13800138000,途观\n"


def only(data: bytes) -> NewContact:
    parsed = parse_contacts(data)
    assert parsed.bad == ()
    (contact,) = parsed.contacts
    return contact


def only_reason(text: str) -> str:
    parsed = parse_contacts(text.encode())
    (bad,) = parsed.bad
    return str(bad)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_encoding_of_the_trade_gives_the_same_customer(encoding: str) -> None:
    assert only(GOOD.encode(encoding)) == NewContact(2, "王芳", "女士", "13800138000", {"车型": "途观"})


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_separator_is_found_in_the_header(separator: str) -> None:
    assert only(GOOD.replace(",", separator).encode()).phone == "13800138000"


@pytest.mark.parametrize("header", ["客户姓名,性别,联系电话", "姓名*,性别,手机", "name,sex,mobile"])
def test_columns_are_known_by_their_usual_names(header: str) -> None:
    contact = only(f"{header}\n王强,男,13912345678\n".encode())
    assert (contact.name, contact.title, contact.phone) == ("王强", "先生", "13912345678")


def test_a_title_behind_the_name_is_a_title() -> None:
    contact = only("姓名,电话\n李小姐,13912345678\n".encode())
    assert (contact.name, contact.title) == ("李", "女士")


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("138 0013 8000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 13800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("\uff11\uff13\uff18\uff10\uff10\uff11\uff13\uff18\uff10\uff10\uff10", "13800138000"),
        ("'13800138000", "13800138000"),
        ('="13800138000"', "13800138000"),
        ("010-62345678", "01062345678"),
        ("(0755)26345678", "075526345678"),
    ],
)
def test_a_phone_is_understood_however_it_is_written(written: str, digits: str) -> None:
    assert normal_phone(written) == digits


@pytest.mark.parametrize("written", ["12345", "12800138000", "1380013800", "138001380001", "电话", "62345678", "=1+1"])
def test_what_is_no_phone_is_refused(written: str) -> None:
    assert normal_phone(written) is None


def test_a_bad_phone_is_told_with_its_line() -> None:
    text = GOOD + "李强,先生,12345,帕萨特\n"
    assert only_reason(text) == "第 3 行：电话“12345”不是有效的手机号或带区号的座机号。"


def test_the_line_is_the_files_own_after_a_cell_of_two_lines() -> None:
    text = '姓名,手机号,地址\n王芳,13800138000,"一号楼\n二单元"\n\n,13912345678,\n'
    assert only_reason(text) == "第 5 行：没有填写姓名。"


def test_a_number_that_excel_shortened_is_explained() -> None:
    assert "科学计数法" in only_reason("姓名,手机号\n王芳,1.38E+10\n")


def test_a_number_with_a_decimal_point_from_a_spreadsheet_is_taken() -> None:
    assert only("姓名,手机号\n王芳,13800138000.0\n".encode()).phone == "13800138000"


def test_the_same_customer_twice_is_one() -> None:
    text = "姓名,称谓,手机号,车型,城市\n王芳,,13800138000,途观,\n王芳,女士,+86 138-0013-8000,,北京\n"
    parsed = parse_contacts(text.encode())
    assert parsed.merged == 1
    assert parsed.contacts == (NewContact(2, "王芳", "女士", "13800138000", {"车型": "途观", "城市": "北京"}),)


def test_two_people_with_one_phone_are_not_merged() -> None:
    text = GOOD + "李强,先生,13800138000,\n"
    assert only_reason(text) == "第 3 行：电话与第 2 行相同，姓名却不同（王芳、李强），请核对。"


def test_title_and_sex_that_contradict_are_refused() -> None:
    assert "矛盾" in only_reason("姓名,称谓,性别,手机号\n王芳,先生,女,13800138000\n")


def test_a_formula_stays_text() -> None:
    contact = only('姓名,手机号,备注\n王芳,13800138000,"=HYPERLINK(""http://x"",""点我"")"\n'.encode())
    assert contact.fields["备注"] == '=HYPERLINK("http://x","点我")'


def test_a_row_with_too_many_columns_is_refused() -> None:
    assert "有 4 列，而表头只有 2 列" in only_reason("姓名,手机号\n王芳,13800138000,北京,朝阳\n")


def test_a_short_row_has_empty_cells() -> None:
    assert only("姓名,手机号,城市,备注\n王芳,13800138000\n".encode()).fields == {}


def test_control_characters_are_dropped() -> None:
    assert only("姓名,手机号\n王\x00\u200b芳,\u202d13800138000\n".encode()).name == "王芳"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "文件是空的"),
        ("王芳,13800138000\n".encode(), "表头里没有“姓名”"),
        ("姓名,城市\n王芳,北京\n".encode(), "表头里没有“电话”"),
        (b"PK\x03\x04rest", "这个 Excel 文件打不开"),
        (b"\xd0\xcf\x11\xe0rest", r"旧版的 Excel 文件（.xls）"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "加了密码"),
        (b"\xff\x81\x30\xff", "编码"),
        ('姓名,手机号\n王芳,13800138000\n"李强,13912345678\n'.encode(), "第 3 行的引号没有成对"),
        ("姓名,手机号,城市,城市\n王芳,13800138000,京,沪\n".encode(), "两列都叫“城市”"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_as_a_whole(data: bytes, words: str) -> None:
    with pytest.raises(ContactsFileError, match=words):
        parse_contacts(data)
