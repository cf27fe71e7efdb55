"""A customer list: table -> contacts and the rows that cannot be taken, each with its reason in Chinese. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from followup.contacts import columns
from followup.contacts.columns import Use
from followup.contacts.dates import DateError, read_date
from followup.contacts.groups import read_groups
from followup.contacts.merge import Merger
from followup.contacts.model import Agreed, BadRow, Choices, ContactsFile, GivenConsent, NewContact, RowError, Stop
from followup.contacts.progress import NOBODY_ASKS, Progress
from followup.contacts.stop import AgeError, StopReader
from followup.contacts.table import Row, Table, read_table
from followup.settings import is_mail_address

__all__ = ["Agreed", "BadRow", "Choices", "ContactsFile", "GivenConsent", "Merger", "NewContact", "RowError", "Stop", "parse_contacts", "parse_table"]
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
# Plain digits only: \d would take those of other scripts, and one number would be two.
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")
_EXTENSION = re.compile(r"(.{7,}?)\s*(?:转|轉|分机|ext\.?|x|#|[-*,，])\s*[:：]?\s*([0-9]{1,6})", re.IGNORECASE)
_SHORTENED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_ERROR_CELL = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
LONGEST_NAME = 40
LONGEST_ID = 100
LONGEST_CELL = 1000


def parse_contacts(data: bytes, today: date | None = None) -> ContactsFile:
    """Read a file as its header suggests. Raises ContactsFileError when the file as a whole makes no sense."""
    table = read_table(data)
    return parse_table(table, Choices(columns.guess(table)), today)


def parse_table(table: Table, choices: Choices, today: date | None = None, progress: Progress = NOBODY_ASKS) -> ContactsFile:
    """Make customers of the rows. Raises ContactsFileError when the columns make none.

    `today`: what must not lie in the future, and who is of age, is judged by it; None: neither is judged.
    """
    columns.check(table, choices.uses)
    reader, merger, bad, stops = _Reader(table.header, choices, today), Merger(), [], []
    for number, row in enumerate(table.rows):
        if number % 500 == 0:
            progress.done = number
        try:
            merger.add(reader.contact(row))
        except RowError as error:
            bad.append(BadRow(row.line, str(error), row.cells))
            if (stop := reader.stop(row)) is not None:
                stops.append(stop)
    return ContactsFile(tuple(merger.contacts), tuple(bad), merger.merged, tuple(stops))


def normal_phone(text: str) -> str | None:
    """A mainland mobile or landline number as digits, or None. Takes +86, blanks, dashes, full-width digits."""
    if _MOBILE.fullmatch(text):
        return text
    digits = _compact(text)
    if match := re.fullmatch(r"(?:\+?86|0086)(0?)(1[0-9]{10}|[1-9][0-9]{8,11})", digits):
        # Abroad the area code is dialled without its zero.
        digits = match[2] if _MOBILE.fullmatch(match[2]) else f"0{match[2]}"
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    return None


def _compact(text: str) -> str:
    digits = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s\-‐‑–—().·]+", "", digits.lstrip("'").removeprefix('="').removesuffix('"'))


class _Reader:
    """Rows of one table -> contacts."""

    def __init__(self, header: Sequence[str], choices: Choices, today: date | None) -> None:
        self._count, self._today = len(header), today
        self._at = {use: column for column, use in enumerate(choices.uses) if use not in (Use.DATE, Use.TEXT, Use.SKIP, Use.STOP)}
        self._texts = [(column, header[column]) for column, use in enumerate(choices.uses) if use is Use.TEXT]
        self._dates = [(column, header[column]) for column, use in enumerate(choices.uses) if use is Use.DATE]
        self._groups, self._agreed = choices.groups, choices.agreed
        self._stops = StopReader(header, choices.uses)

    def contact(self, row: Row) -> NewContact:
        cells = row.cells
        if any(cells[self._count :]):
            raise RowError(f"有 {len(cells)} 列，而表头只有 {self._count} 列；内容里若有逗号，请用英文双引号括起来。")
        cells += ("",) * (self._count - len(cells))
        if max(map(len, cells), default=0) > LONGEST_CELL:
            raise RowError(f"有一格超过 {LONGEST_CELL} 个字。")
        if broken := [cell for cell in cells if cell[:1] == "#" and _ERROR_CELL.fullmatch(cell)]:
            raise RowError(f"有一格是表格软件算不出来的“{broken[0]}”，请改成内容本身。")
        said = {use: cells[column] for use, column in self._at.items()}
        faults: list[str] = []
        name, title = _or(faults, ("", ""), name_and_title, said[Use.NAME], said.get(Use.TITLE, ""), said.get(Use.SEX, ""))
        fields = {label: cells[column] for column, label in self._texts if cells[column]}
        for column, label in self._dates:
            if cells[column]:
                fields[label] = _or(faults, "", date_of, label, cells[column])
        stop = _or(faults, "", self._stop, cells, name, fields)
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
            () if stop else _or(faults, (), self._consents, said),
            stop,
        )
        if not any(said.get(use) for use in columns.IDENTIFYING):
            faults.append("没有填写电话。" if Use.PHONE in self._at else "没有填写邮箱、客户编号或 OpenID，认不出是哪位客户。")
        if faults:
            raise RowError("".join(faults))
        return contact

    def stop(self, row: Row) -> Stop | None:
        """What a row that is not taken says about contacting its customer. None: nothing, or nobody knows whom it means."""
        cells = row.cells + ("",) * (self._count - len(row.cells))
        said = {use: cells[column] for use, column in self._at.items()}
        faults: list[str] = []
        fields = {label: _or(faults, "", date_of, label, cells[column]) for column, label in self._dates if cells[column]}
        reason = _or(faults, "", self._stop, cells, said.get(Use.NAME, ""), fields)
        phone = _or(faults, "", phone_of, said[Use.PHONE]) if said.get(Use.PHONE) else ""
        email = _or(faults, "", email_of, said.get(Use.EMAIL, ""))
        return Stop(row.line, reason, phone, email) if reason and (phone or email) else None

    def _stop(self, cells: Sequence[str], name: str, fields: Mapping[str, str]) -> str:
        dated = list(cells)
        for column, label in self._dates:
            dated[column] = fields.get(label, "")
        try:
            return self._stops.reason(dated, name, self._today)
        except AgeError as error:
            raise RowError(str(error)) from None

    def _consents(self, said: Mapping[Use, str]) -> tuple[GivenConsent, ...]:
        written = said.get(Use.CONSENT, "")
        source = said.get(Use.CONSENT_SOURCE, "") or self._agreed.source
        text = said.get(Use.CONSENT_TEXT, "") or self._agreed.text_version
        at = consent_at(said.get(Use.CONSENT_AT, ""), self._today)
        if not written:
            return _all_given(self._agreed.channels, source, text, at)
        given = consents_of(written)
        if any(given.values()) and not source:
            raise RowError("写了同意方式，但没有写同意的来源（例如“购买合同”）。")
        return _given(written, source or "导入文件", text, at)


# Thousands of rows say the same of their consent; they share one value.
@lru_cache(maxsize=1 << 12)
def _all_given(channels: tuple[str, ...], source: str, text: str, at: str) -> tuple[GivenConsent, ...]:
    return tuple(GivenConsent(channel, True, source, text, at) for channel in channels)


@lru_cache(maxsize=1 << 12)
def _given(written: str, source: str, text: str, at: str) -> tuple[GivenConsent, ...]:
    return tuple(GivenConsent(channel, yes, source, text, at) for channel, yes in consents_of(written).items())


def _or(faults: list[str], instead: T, read: Callable[..., T], *cells: Any) -> T:
    """What `read` makes of the cells; a fault is noted, so that a row is mended in one go."""
    try:
        return read(*cells)
    except RowError as error:
        faults.append(str(error))
        return instead


# —— parts of a row, for files and for the API ————————————————————————————


@lru_cache(maxsize=1 << 14)
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
        raise RowError(f"电话“{text[:30]}”{_why_no_phone(text)}", "phone")
    return phone


def _why_no_phone(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip()
    if (match := _EXTENSION.fullmatch(plain)) and normal_phone(match[1]):
        return "带着分机号。请去掉分机号，或者另放一列。"
    if len([part for part in re.split(r"[/、,;|\s]+", plain) if normal_phone(part)]) > 1:
        return "是几个号码。一位客户请只写一个，其余的另放一列。"
    return "不是有效的手机号或带区号的座机号。"


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


def consent_at(text: str, today: date | None) -> str:
    """When somebody agreed or refused, which nobody can have done tomorrow."""
    at = date_of("同意的时间", text) if text else ""
    if at and today is not None and date.fromisoformat(at[:10]) > today:
        raise RowError(f"同意的时间“{text[:30]}”在将来，请核对。", "at")
    return at


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
