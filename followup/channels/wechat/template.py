"""Template messages 模板消息 and subscribe messages 订阅通知: which of an account's say what, and whether WeChat would take the values. Pure.

Either brings a customer to a talk outside the 48 hours. The account's settings give each field of the registered template a text
with blanks ({company}, {customer}, {agent}, {date}, {time}); what each kind of field may hold is checked before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from followup.channels.account import KINDS

BLANKS = ("company", "customer", "agent", "date", "time")
LONGEST_THING = 20
MORE = "…"
_ZONE = ZoneInfo("Asia/Shanghai")
_BLANK = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"([a-z_]+?)_?([0-9]{1,3})")
_DATE = r"[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff·]"

LIMITS: Mapping[str, re.Pattern[str]] = {
    "thing": re.compile(rf".{{1,{LONGEST_THING}}}"),
    "const": re.compile(r".{0,20}"),
    "number": re.compile(r"(?=.{1,32}$)[0-9]+(?:\.[0-9]+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[!-~]{1,32}"),
    "time": re.compile(rf"(?:(?:{_DATE}) ?)?{_CLOCK}(?:~(?:(?:{_DATE}) ?)?{_CLOCK})?|(?:{_DATE})(?:~(?:{_DATE}))?"),
    "date": re.compile(rf"(?:{_DATE})(?: {_CLOCK})?(?:~(?:{_DATE})(?: {_CLOCK})?)?"),
    "amount": re.compile(r"[¥￥$€£]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    "phone_number": re.compile(r"[0-9+()\- ]{1,17}"),
    "car_number": re.compile(rf"(?:{_HAN}|[A-Za-z0-9])[A-Za-z0-9]{{1,6}}(?:{_HAN}|[A-Za-z0-9])?"),
    "name": re.compile(rf"(?=.*{_HAN})(?:{_HAN}|[A-Za-z]){{1,10}}|[A-Za-z .'\-]{{1,20}}"),
    "phrase": re.compile(rf"{_HAN}{{1,5}}"),
}
"""Kind of field -> what WeChat takes (else 47003). Fields of older templates (first, keyword1, remark) are of no kind."""
_LONGEST_OLD = 200
_SAID = {
    "thing": "最多 20 个字", "const": "最多 20 个字", "number": "只能是数字，最多 32 位", "letter": "只能是字母，最多 32 个",
    "symbol": "只能是符号，最多 5 个", "character_string": "只能是字母、数字和符号，最多 32 个", "time": "要写成 2026年3月10日 15:01",
    "date": "要写成 2026年3月10日", "amount": "要写成 12.50元", "phone_number": "要是电话号码", "car_number": "要是车牌",
    "name": "最多 10 个汉字或者 20 个字母", "phrase": "最多 5 个汉字，不能有别的字",
}  # fmt: skip


class Way(StrEnum):
    """How it is sent."""

    TEMPLATE = "template"
    SUBSCRIBE = "subscribe"


class BadField(ValueError):
    """WeChat would not take the value. `name`: of the field; `of_customer`: only because of who this customer is."""

    def __init__(self, name: str, *, of_customer: bool) -> None:
        super().__init__(name)
        self.name, self.of_customer = name, of_customer


@dataclass(frozen=True, slots=True)
class Notice:
    """A registered template, and what stands in its fields."""

    way: Way
    template: str
    fields: tuple[tuple[str, str], ...]
    """(field of the template, text with blanks), e.g. ("thing1", "{company}")."""
    lasting: bool = False
    """A subscribe message that may be sent again and again 长期订阅; else each agreement allows one."""


@dataclass(frozen=True, slots=True)
class Notices:
    """All of an account's: kind of invitation -> notice. `first` stands for the kinds that have none, `reminder` for `unfinished`."""

    by_template: tuple[tuple[str, Notice], ...] = ()
    by_subscription: tuple[tuple[str, Notice], ...] = ()

    def of(self, kind: str) -> list[Notice]:
        """What can be sent for this kind of invitation, in the order it is tried."""
        instead = ("reminder", "first") if kind == "unfinished" else ("first",)
        every = (dict(ways) for ways in (self.by_template, self.by_subscription))
        found = (next((ways[one] for one in (kind, *instead) if one in ways), None) for ways in every)
        return [notice for notice in found if notice is not None]

    def subscribed(self, template: str) -> Notice | None:
        """The subscribe message with this template's id."""
        return next((notice for _, notice in self.by_subscription if notice.template == template), None)

    def __bool__(self) -> bool:
        return bool(self.by_template or self.by_subscription)


def kind_of(field: str) -> str | None:
    """thing, time, phrase ...; None for a field of an older template."""
    found = _FIELD.fullmatch(field)
    return found[1] if found is not None and found[1] in LIMITS else None


def takes(field: str, value: str) -> bool:
    """Whether WeChat takes the value in this field."""
    kind = kind_of(field)
    if kind is None:
        return 0 < len(value) <= _LONGEST_OLD
    return LIMITS[kind].fullmatch(value) is not None


def filled(notice: Notice, blanks: Mapping[str, str], at: datetime) -> dict[str, str]:
    """Field -> value. A `thing` that is too long is cut; anything else WeChat would refuse raises BadField."""
    local = at.astimezone(_ZONE)
    day = f"{local.year}年{local.month}月{local.day}日"
    known = {**blanks, "date": day, "time": f"{day} {local:%H:%M}"}
    data = {}
    for name, text in notice.fields:
        value = " ".join(_BLANK.sub(lambda blank: known.get(blank[1], ""), text).split())
        if kind_of(name) == "thing" and len(value) > LONGEST_THING:
            value = value[: LONGEST_THING - len(MORE)] + MORE
        if not takes(name, value):
            raise BadField(name, of_customer="{customer}" in text)
        data[name] = value
    return data


# —— reading them ——————————————————————————————————————————————————————————


def parse_notice(way: Way, template: str, fields: str, *, lasting: bool = False) -> Notice:
    """`fields` as in "thing1={company};time2={time}". Raises ValueError with a Chinese sentence that says what is wrong."""
    template = template.strip()
    if not re.fullmatch(r"[A-Za-z0-9_-]{4,64}", template):
        raise ValueError("不是模板编号。")
    found: list[tuple[str, str]] = []
    for part in filter(None, (part.strip() for part in re.split(r"[;；\n]", fields))):
        name, equals, text = (piece.strip() for piece in part.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name) or not text:
            raise ValueError(f"“{part}”写得不对，请写成 thing1={{company}};time2={{time}} 这样，每个字段一项。")
        if unknown := [blank for blank in _BLANK.findall(text) if blank not in BLANKS]:
            raise ValueError(f"不认识{{{unknown[0]}}}，可以用的有：{'、'.join(f'{{{blank}}}' for blank in BLANKS)}。")
        if name in dict(found):
            raise ValueError(f"字段 {name} 写了两次。")
        if not _BLANK.search(text) and not takes(name, text):
            raise ValueError(f"字段 {name} 放不下“{text}”：{_SAID.get(kind_of(name) or '', '太长')}。")
        found.append((name, text))
    if not found:
        raise ValueError("没有写明模板里每个字段填什么。")
    return Notice(way, template, tuple(found), lasting)


def load_notices(read: Callable[[str], str]) -> Notices:
    """From the environment: `read(key)` is the account's variable without its prefix. Raises NoticeError.

        TEMPLATE, TEMPLATE_FIELDS                      a template message, for all kinds of invitation
        TEMPLATE_REMINDER, TEMPLATE_REMINDER_FIELDS    another one for one kind: FIRST, REMINDER, CALLBACK, REVISIT,
                                                       RESUME, UNFINISHED
        SUBSCRIBE, SUBSCRIBE_FIELDS, SUBSCRIBE_REMINDER ...   the same for subscribe messages
        SUBSCRIBE_LASTING                              1: they are 长期订阅
    """
    found: dict[Way, tuple[tuple[str, Notice], ...]] = {}
    for way in Way:
        lasting = way is Way.SUBSCRIBE and read("SUBSCRIBE_LASTING") in ("1", "yes", "true")
        notices = []
        for kind in KINDS:
            key = way.upper() if kind == "first" else f"{way.upper()}_{kind.upper()}"
            if not read(key):
                continue
            try:
                notices.append((kind, parse_notice(way, read(key), read(f"{key}_FIELDS"), lasting=lasting)))
            except ValueError as error:
                raise NoticeError(key if "模板编号" in str(error) else f"{key}_FIELDS", str(error)) from None
        if notices and notices[0][0] != "first":
            raise NoticeError(way.upper(), f"没有填写，只写了 {notices[0][0]} 的。")
        found[way] = tuple(notices)
    return Notices(found[Way.TEMPLATE], found[Way.SUBSCRIBE])


class NoticeError(ValueError):
    """`key`: the variable without the account's prefix; the message is Chinese."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


def as_json(notices: Notices) -> list[dict[str, Any]]:
    """For an account that is kept in the database."""
    return [
        {"kind": kind, "way": one.way.value, "template": one.template, "fields": dict(one.fields), "lasting": one.lasting}
        for kind, one in (*notices.by_template, *notices.by_subscription)
    ]


def from_json(raw: object) -> Notices:
    """What `as_json` made; parts that cannot be read are left out."""
    found: dict[Way, list[tuple[str, Notice]]] = {way: [] for way in Way}
    for one in raw if isinstance(raw, list) else ():
        try:
            way = Way(one["way"])
            fields = tuple((str(name), str(text)) for name, text in one["fields"].items())
            found[way].append((str(one["kind"]), Notice(way, str(one["template"]), fields, bool(one.get("lasting")))))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return Notices(tuple(found[Way.TEMPLATE]), tuple(found[Way.SUBSCRIBE]))
