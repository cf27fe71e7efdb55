"""A customer list: table -> contacts and the rows that cannot be taken, each with its reason in Chinese. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from followup.contacts import columns
from followup.contacts.columns import Use
from followup.contacts.dates import DateError, read_date
from followup.contacts.groups import read_groups
from followup.contacts.table import Row, Table, read_table
from followup.settings import is_mail_address

T = TypeVar("T")
OPENID_FIELD = "微信OpenID"
"""The column of `contacts.fields` that keeps it until WeChat has a table of its own."""
_TITLES = {
    **dict.fromkeys(("先生", "男", "男士", "男性", "m", "male", "mr", "mr."), "先生"),
    **dict.fromkeys(("女士", "女", "小姐", "女性", "太太", "f", "female", "ms", "ms.", "mrs", "mrs."), "女士"),
    **dict.fromkeys(("", "未知", "不详", "保密", "-", "/", "无"), ""),
}
CHANNELS = ("sms", "email", "wechat")
"""Channels that need the customer's consent."""
_CHANNEL_WORDS = {
    **dict.fromkeys(("短信", "手机短信", "sms"), ("sms",)),
    **dict.fromkeys(("邮件", "电子邮件", "邮箱", "email", "e-mail"), ("email",)),
    **dict.fromkeys(("微信", "公众号", "wechat"), ("wechat",)),
    **dict.fromkeys(("全部", "都同意", "全部同意", "同意", "已同意", "是", "yes", "y", "1", "√"), CHANNELS),
}
_REFUSED = frozenset(("不同意", "拒绝", "否", "无", "未同意", "no", "n", "0", "×"))
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7}")
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_ERROR_CELL = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
LONGEST_NAME = 40
LONGEST_ID = 100
LONGEST_CELL = 1000


class RowError(ValueError):
    """A row that cannot be taken. `field` is the part it is about, `str()` the reason in Chinese."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """The customer agreed to a channel, or took it back. `at`: ISO text, empty where nobody wrote it."""

    channel: str
    given: bool
    source: str
    text_version: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class NewContact:
    """One customer of the file. `title` is 先生, 女士 or empty; `fields` holds the other columns by their header.

    `phone`, `email`, `external_id`, `openid` are empty where there is none; one of them is there.
    """

    line: int
    name: str
    title: str
    phone: str
    fields: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    external_id: str = ""
    openid: str = ""
    groups: tuple[str, ...] = ()
    consents: tuple[GivenConsent, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not taken, and why; `line` counts from 1, the header included."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"第 {self.line} 行：{self.reason}"


@dataclass(frozen=True, slots=True)
class ContactsFile:
    """What a file holds. `merged` counts rows that were merged into an earlier row of the same customer."""

    contacts: tuple[NewContact, ...]
    bad: tuple[BadRow, ...]
    merged: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """What staff say about the whole file: these channels were agreed to, where, and to which text."""

    channels: tuple[str, ...] = ()
    source: str = ""
    text_version: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """How a file is to be understood."""

    uses: tuple[Use, ...]
    groups: tuple[str, ...] = ()
    """Given to every customer of the file."""
    agreed: Agreed = Agreed()


def parse_contacts(data: bytes) -> ContactsFile:
    """Read a file as its header suggests. Raises ContactsFileError when the file as a whole makes no sense."""
    table = read_table(data)
    return parse_table(table, Choices(columns.guess(table)))


def parse_table(table: Table, choices: Choices) -> ContactsFile:
    """Make customers of the rows. Raises ContactsFileError when the columns make none."""
    columns.check(table, choices.uses)
    reader, merger, bad = _Reader(table.header, choices), Merger(), []
    for row in table.rows:
        try:
            merger.add(reader.contact(row))
        except RowError as error:
            bad.append(BadRow(row.line, str(error), row.cells))
    return ContactsFile(tuple(merger.contacts), tuple(bad), merger.merged)


def normal_phone(text: str) -> str | None:
    """A mainland mobile or landline number as digits, or None. Takes +86, blanks, dashes, full-width digits."""
    if _MOBILE.fullmatch(text) and text.isascii():
        return text
    digits = unicodedata.normalize("NFKC", text)
    digits = re.sub(r"[\s\-‐‑–—().]+", "", digits.lstrip("'").removeprefix('="').removesuffix('"'))
    digits = re.sub(r"^(?:\+?86|0086)(?=1\d{10}$|0?[1-9]\d{8,11}$)", "", digits)
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    return None


class _Reader:
    """Rows of one table -> contacts."""

    def __init__(self, header: Sequence[str], choices: Choices) -> None:
        self._count = len(header)
        self._at = {use: column for column, use in enumerate(choices.uses) if use not in (Use.DATE, Use.TEXT, Use.SKIP)}
        self._texts = [(column, header[column]) for column, use in enumerate(choices.uses) if use is Use.TEXT]
        self._dates = [(column, header[column]) for column, use in enumerate(choices.uses) if use is Use.DATE]
        self._groups, self._agreed = choices.groups, choices.agreed

    def contact(self, row: Row) -> NewContact:
        cells = row.cells
        if any(cells[self._count :]):
            raise RowError(f"有 {len(cells)} 列，而表头只有 {self._count} 列；内容里若有逗号，请用英文双引号括起来。")
        cells += ("",) * (self._count - len(cells))
        for cell in cells:
            if len(cell) > LONGEST_CELL:
                raise RowError(f"有一格超过 {LONGEST_CELL} 个字。")
            if cell[:1] == "#" and _ERROR_CELL.fullmatch(cell):
                raise RowError(f"有一格是表格软件算不出来的“{cell}”，请改成内容本身。")
        said = {use: cells[column] for use, column in self._at.items()}
        faults: list[str] = []
        name, title = _or(faults, ("", ""), name_and_title, said[Use.NAME], said.get(Use.TITLE, ""), said.get(Use.SEX, ""))
        fields = {label: cells[column] for column, label in self._texts if cells[column]}
        for column, label in self._dates:
            if cells[column]:
                fields[label] = _or(faults, "", date_of, label, cells[column])
        contact = NewContact(
            row.line,
            name,
            title,
            _or(faults, "", phone_of, said[Use.PHONE]) if said.get(Use.PHONE) else "",
            fields,
            _or(faults, "", email_of, said.get(Use.EMAIL, "")),
            _or(faults, "", id_of, "客户编号", said.get(Use.EXTERNAL_ID, "")),
            _or(faults, "", id_of, "OpenID", said.get(Use.OPENID, "")),
            read_groups(said.get(Use.GROUPS, ""), self._groups),
            _or(faults, (), self._consents, said),
        )
        if not any(said.get(use) for use in columns.IDENTIFYING):
            faults.append("没有填写电话。" if Use.PHONE in self._at else "没有填写邮箱、客户编号或 OpenID，认不出是哪位客户。")
        if faults:
            raise RowError("".join(faults))
        return contact

    def _consents(self, said: Mapping[Use, str]) -> tuple[GivenConsent, ...]:
        written = said.get(Use.CONSENT, "")
        source = said.get(Use.CONSENT_SOURCE, "") or self._agreed.source
        text = said.get(Use.CONSENT_TEXT, "") or self._agreed.text_version
        at = date_of("同意的时间", said[Use.CONSENT_AT]) if said.get(Use.CONSENT_AT) else ""
        if not written:
            return tuple(GivenConsent(channel, True, source, text, at) for channel in self._agreed.channels)
        given = consents_of(written)
        if any(given.values()) and not source:
            raise RowError("写了同意方式，但没有写同意的来源（例如“购买合同”）。")
        return tuple(GivenConsent(channel, yes, source or "导入文件", text, at) for channel, yes in given.items())


def _or(faults: list[str], instead: T, read: Callable[..., T], *cells: Any) -> T:
    """What `read` makes of the cells; a fault is noted, so that a row is mended in one go."""
    try:
        return read(*cells)
    except RowError as error:
        faults.append(str(error))
        return instead


# —— parts of a row, for files and for the API ————————————————————————————


def name_and_title(name: str, title: str, sex: str) -> tuple[str, str]:
    if not name:
        raise RowError("没有填写姓名。", "name")
    if len(name) > LONGEST_NAME:
        raise RowError(f"姓名超过 {LONGEST_NAME} 个字，可能是列错位了。", "name")
    stem, said = name, ""
    for ending in ("先生", "女士", "小姐"):
        if name.endswith(ending) and len(name) > len(ending):
            stem, said = name.removesuffix(ending), _TITLES[ending]
    if not (title or sex):
        return stem, said
    meanings = {}
    for label, text, part in (("称谓", title, "title"), ("性别", sex, "sex")):
        if text.lower() not in _TITLES:
            raise RowError(f"{label}“{text[:30]}”看不懂，请填“先生”“女士”或留空。", part)
        meanings[label] = _TITLES[text.lower()]
    given = {meaning for meaning in (said, *meanings.values()) if meaning}
    if len(given) > 1:
        raise RowError("姓名、称谓与性别互相矛盾，请核对是先生还是女士。", "title")
    return stem, given.pop() if given else ""


def phone_of(text: str) -> str:
    if _SHORTENED.fullmatch(text):
        raise RowError(f"电话“{text}”被表格软件写成了科学计数法，请把该列设为“文本”后重新填写。", "phone")
    phone = normal_phone(text.removesuffix(".0"))
    if phone is None:
        raise RowError(f"电话“{text[:30]}”不是有效的手机号或带区号的座机号。", "phone")
    return phone


def email_of(text: str) -> str:
    if not text:
        return ""
    address = unicodedata.normalize("NFKC", text).strip().lower()
    if address and not is_mail_address(address):
        raise RowError(f"邮箱“{text[:50]}”不对，请写成 name@example.com 这样。", "email")
    return address


def id_of(label: str, text: str) -> str:
    if len(text) > LONGEST_ID:
        raise RowError(f"{label}超过 {LONGEST_ID} 个字符。", "external_id")
    if text and _SHORTENED.fullmatch(text):
        raise RowError(f"{label}“{text}”被表格软件写成了科学计数法，请把该列设为“文本”后重新填写。", "external_id")
    return text


def date_of(label: str, text: str) -> str:
    try:
        return read_date(text)
    except DateError as error:
        raise RowError(f"{label}{error}", label) from None


@lru_cache(maxsize=1 << 10)
def consents_of(written: str) -> dict[str, bool]:
    """"短信、邮件" -> those channels agreed to; "不同意" -> none of them. Raises RowError for other words."""
    words = [word for word in re.split(r"[、，,;；/|+\s]+", unicodedata.normalize("NFKC", written).lower()) if word]
    if words and all(word in _REFUSED for word in words):
        return dict.fromkeys(CHANNELS, False)
    found: dict[str, bool] = {}
    for word in words:
        if word not in _CHANNEL_WORDS:
            raise RowError(f"同意方式“{written[:30]}”看不懂，请写“短信”“邮件”“微信”“同意”或“不同意”。", "consents")
        found.update(dict.fromkeys(_CHANNEL_WORDS[word], True))
    return found


# —— rows of one customer ————————————————————————————————————————————


class Merger:
    """Rows of one phone, customer number or OpenID are one customer."""

    def __init__(self) -> None:
        self.contacts: list[NewContact] = []
        self.merged = 0
        self._known: dict[tuple[str, str], int] = {}

    def add(self, contact: NewContact) -> None:
        keys = [(label, key) for label, key in _keys(contact) if key]
        places = {self._known[key]: key[0] for key in keys if key in self._known}
        if len(places) > 1:
            told = "，".join(f"{label}与第 {self.contacts[place].line} 行相同" for place, label in places.items())
            raise RowError(f"{told}，分不清是哪一位客户，请核对。")
        if places:
            (place, label), = places.items()
            contact = _merge(self.contacts[place], contact, label)
            self.contacts[place] = contact
            self.merged += 1
        else:
            place = len(self.contacts)
            self.contacts.append(contact)
        self._known.update(dict.fromkeys(keys, place))


def _keys(contact: NewContact) -> tuple[tuple[str, str], ...]:
    return ("电话", contact.phone), ("客户编号", contact.external_id), ("OpenID", contact.openid)


def _merge(earlier: NewContact, later: NewContact, same: str) -> NewContact:
    """Two rows of one customer: what the first leaves open, the second adds. Of different people they are no duplicates."""
    if earlier.name != later.name:
        raise RowError(f"{same}与第 {earlier.line} 行相同，姓名却不同（{earlier.name}、{later.name}），请核对。")
    if earlier.title and later.title and earlier.title != later.title:
        raise RowError(f"与第 {earlier.line} 行是同一位客户，称谓却不同（{earlier.title}、{later.title}），请核对。")
    for (label, one), (_, other) in zip(_keys(earlier), _keys(later), strict=True):
        if one and other and one != other:
            raise RowError(f"{same}与第 {earlier.line} 行相同，{label}却不同，请核对。")
    consents = {one.channel: one for one in (*later.consents, *earlier.consents)}
    return replace(
        earlier,
        title=earlier.title or later.title,
        phone=earlier.phone or later.phone,
        email=earlier.email or later.email,
        external_id=earlier.external_id or later.external_id,
        openid=earlier.openid or later.openid,
        groups=tuple(dict.fromkeys((*earlier.groups, *later.groups))),
        consents=tuple(consents.values()),
        fields={**later.fields, **earlier.fields},
    )
