"""A customer list: table -> contacts and the rows that cannot be taken, each with its reason in Chinese. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from followup.contacts.table import ContactsFileError, Row, Table, read_table

_NAME = ("姓名", "客户姓名", "名字", "客户", "客户名称", "联系人", "name")
_TITLE = ("称谓", "称呼", "尊称", "title")
_SEX = ("性别", "sex", "gender")
_PHONE = (
    *("手机号", "手机号码", "手机", "电话", "电话号码", "联系电话", "联系方式", "联系手机", "移动电话"),
    *("phone", "mobile", "tel"),
)
_TITLES = {
    **dict.fromkeys(("先生", "男", "男士", "男性", "m", "male", "mr", "mr."), "先生"),
    **dict.fromkeys(("女士", "女", "小姐", "女性", "太太", "f", "female", "ms", "ms.", "mrs", "mrs."), "女士"),
    **dict.fromkeys(("", "未知", "不详", "保密", "-", "/", "无"), ""),
}
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7}")
_LONGEST_NAME = 40
_LONGEST_CELL = 1000


@dataclass(frozen=True, slots=True)
class NewContact:
    """One customer of the file. `title` is 先生, 女士 or empty; `fields` holds the other columns by their header."""

    line: int
    name: str
    title: str
    phone: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not taken, and why; `line` counts from 1, the header included."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"第 {self.line} 行：{self.reason}"


@dataclass(frozen=True, slots=True)
class ContactsFile:
    """What a file holds. `merged` counts rows that were merged into an earlier row of the same phone."""

    contacts: tuple[NewContact, ...]
    bad: tuple[BadRow, ...]
    merged: int


def parse_contacts(data: bytes) -> ContactsFile:
    """Read a CSV file of customers. Raises ContactsFileError when the file as a whole makes no sense."""
    table = read_table(data)
    columns = _Columns.of(table)
    by_phone: dict[str, NewContact] = {}
    bad: list[BadRow] = []
    merged = 0
    for row in table.rows:
        try:
            contact = columns.contact(row)
            if (earlier := by_phone.get(contact.phone)) is not None:
                contact = _merge(earlier, contact)
                merged += 1
            by_phone[contact.phone] = contact
        except _RowError as error:
            bad.append(BadRow(row.line, str(error)))
    return ContactsFile(tuple(by_phone.values()), tuple(bad), merged)


def normal_phone(text: str) -> str | None:
    """A mainland mobile or landline number as digits, or None. Takes +86, blanks, dashes, full-width digits."""
    digits = unicodedata.normalize("NFKC", text)
    digits = re.sub(r"[\s\-‐‑–—().]+", "", digits.lstrip("'").removeprefix('="').removesuffix('"'))
    digits = re.sub(r"^(?:\+?86|0086)(?=1\d{10}$|0?[1-9]\d{8,11}$)", "", digits)
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    return None


class _RowError(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column means what; -1 where there is none."""

    count: int
    name: int
    phone: int
    title: int
    sex: int
    others: Mapping[int, str]

    @classmethod
    def of(cls, table: Table) -> "_Columns":
        header = [re.sub(r"[\s*:]", "", unicodedata.normalize("NFKC", cell)).lower() for cell in table.header]
        name, phone, title, sex = (_find(header, names) for names in (_NAME, _PHONE, _TITLE, _SEX))
        for column, label, example in ((name, "姓名", "姓名"), (phone, "电话", "手机号")):
            if column < 0:
                seen = "、".join(cell for cell in table.header if cell)[:80]
                raise ContactsFileError(
                    f"表头里没有“{label}”这一列（现有：{seen}）。第一行应为表头，请加上一列“{example}”。"
                )
        known = {name, phone, title, sex}
        others = {index: cell for index, cell in enumerate(table.header) if index not in known and cell}
        if len(set(others.values())) < len(others):
            twice = next(cell for cell in others.values() if list(others.values()).count(cell) > 1)
            raise ContactsFileError(f"表头里有两列都叫“{twice}”，请改成不同的名字。")
        return cls(len(table.header), name, phone, title, sex, others)

    def contact(self, row: Row) -> NewContact:
        if any(row.cells[self.count :]):
            raise _RowError(f"有 {len(row.cells)} 列，而表头只有 {self.count} 列；内容里若有逗号，请用英文双引号括起来。")
        cells = row.cells + ("",) * (self.count - len(row.cells))
        for cell in cells:
            if len(cell) > _LONGEST_CELL:
                raise _RowError(f"有一格超过 {_LONGEST_CELL} 个字。")
        name, title = _name_and_title(
            cells[self.name],
            cells[self.title] if self.title >= 0 else "",
            cells[self.sex] if self.sex >= 0 else "",
        )
        fields = {label: cells[index] for index, label in self.others.items() if cells[index]}
        return NewContact(row.line, name, title, _phone(cells[self.phone]), fields)


def _find(header: list[str], names: tuple[str, ...]) -> int:
    # In the order of the names: with both 手机号 and 联系方式 there, the more exact one is meant.
    return next((header.index(name) for name in names if name in header), -1)


def _name_and_title(name: str, title: str, sex: str) -> tuple[str, str]:
    if not name:
        raise _RowError("没有填写姓名。")
    if len(name) > _LONGEST_NAME:
        raise _RowError(f"姓名超过 {_LONGEST_NAME} 个字，可能是列错位了。")
    stem, said = name, ""
    for ending in ("先生", "女士", "小姐"):
        if name.endswith(ending) and len(name) > len(ending):
            stem, said = name.removesuffix(ending), _TITLES[ending]
    meanings = {}
    for label, text in (("称谓", title), ("性别", sex)):
        if text.lower() not in _TITLES:
            raise _RowError(f"{label}“{text}”看不懂，请填“先生”“女士”或留空。")
        meanings[label] = _TITLES[text.lower()]
    given = {meaning for meaning in (said, *meanings.values()) if meaning}
    if len(given) > 1:
        raise _RowError("姓名、称谓与性别互相矛盾，请核对是先生还是女士。")
    return stem, given.pop() if given else ""


def _phone(text: str) -> str:
    if not text:
        raise _RowError("没有填写电话。")
    if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+", text):
        raise _RowError(f"电话“{text}”被表格软件写成了科学计数法，请把该列设为“文本”后重新填写。")
    phone = normal_phone(re.sub(r"\.0$", "", text))
    if phone is None:
        raise _RowError(f"电话“{text[:30]}”不是有效的手机号或带区号的座机号。")
    return phone


def _merge(earlier: NewContact, later: NewContact) -> NewContact:
    """Two rows of one phone: what the first leaves open, the second adds. Of different people they are no duplicates."""
    if earlier.name != later.name:
        raise _RowError(f"电话与第 {earlier.line} 行相同，姓名却不同（{earlier.name}、{later.name}），请核对。")
    if earlier.title and later.title and earlier.title != later.title:
        raise _RowError(f"与第 {earlier.line} 行是同一位客户，称谓却不同（{earlier.title}、{later.title}），请核对。")
    return replace(earlier, title=earlier.title or later.title, fields={**later.fields, **earlier.fields})
