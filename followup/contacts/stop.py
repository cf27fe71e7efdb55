"""Rows that say themselves that the customer must not be contacted 免打扰: in a column made for it, in a remark, by the age. Pure.

In doubt the customer is left alone: they can be taken off the list again, a message cannot be taken back. Who reads the check
of the file sees each of them with the words that did it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from followup.contacts.columns import Use, plain_header

GROWN_UP = 18
_SPEAKING = (Use.TEXT, Use.SKIP, Use.GROUPS)
_REMARK = re.compile(r"备注|说明|备忘|批注|标记|标签|状态|情况|提示|提醒|注意|附言|反馈|意见|意愿|意向|沟通|跟进|remark|note|memo|comment|status|tag|flag")
_AGE = re.compile(r"(?:客户)?(?:年龄|周岁|岁数|age)")
_BIRTH = re.compile(r"(?:客户|本人)?(?:出生日期|出生年月日?|生日|birthday|birth_?date|date_?of_?birth)")
_ID_CARD = re.compile(r"(?:客户)?(?:身份证|身份证号|身份证号码|证件号|证件号码|id_?card)")

_NO_CONTACT = (
    r"免打扰|免打搅|勿扰|勿打扰|勿电|勿联系|勿拨|勿回访|勿发|禁止(?:联系|回访|拨打|致电|发送)|禁拨|禁呼|黑名单|拒访|拒联|拒接回访|退订|拉黑"
    # Strong words: whatever kind of contact they are said of.
    r"|(?:不要|不必|无需|请勿|(?<![特级类区个性派识分鉴辨告])别|不得|停止|不再|谢绝|拒绝|不接受|不同意|不愿意?|不想|不希望|未同意|没有同意|没同意)"
    r"(?:再|被|给(?:我|他|她|客户|本人)|接受|接收|接听|收到|我们|任何|继续|进行|参加|参与|公司|商家|接|打|做|这种|此类|电话|微信|短信)*"
    r"(?:联系|联络|回访|打扰|打搅|骚扰|电话|来电|致电|拨打|短信|信息|消息|微信|邮件|推送|营销|调查|调研|访问|打了|打来)"
    r"|(?:请勿|谢绝|拒绝|不接受|不同意|不愿意|未同意|没有同意|没同意|禁止)[\u4e00-\u9fff]{0,7}?(?:联系|联络|回访|打扰|骚扰|电话|来电|拨打|短信|微信|邮件|推送|营销)"
    # Weak ones: 不用微信 may only say that somebody has none.
    r"|(?:不用|不需要?|不能|不可以?)(?:再|给(?:我|他|她|客户|本人)|电话|进行|做)*(?:联系(?!上|到|不)|回访|打扰|骚扰|打电话|致电|拨打|打了|打来)"
    r"|do not (?:contact|call|disturb)|don'?t (?:contact|call)|\bdnc\b|\bopt(?:ed)?[- ]?out\b|\bunsubscribed?\b"
)
_DEAD = r"已故|故去|(?:去|过|离)世(?!界)|身故|亡故|逝世|病故|病逝|死亡|已死|死了|不在世(?!界)|已不在人世|\bdeceased\b"
_ALONE = r"不同意|拒绝|拒绝同意|未同意|没有同意|不愿意|勿"
"""What counts as a refusal when a remark says nothing else."""
_STOP = re.compile(_NO_CONTACT, re.IGNORECASE)
_GONE = re.compile(_DEAD, re.IGNORECASE)
_WHOLE = re.compile(rf"(?:客户|本人|已|（|\(|\[|【)*(?:{_NO_CONTACT}|{_DEAD}|已注销身故)(?:客户|名单|的?人|了|）|\)|\]|】|[。！!])*", re.IGNORECASE)
_LONE_WORD = re.compile(rf"(?:客户|本人|明确|已)*(?:{_ALONE})[。！!]*")
_TAKEN_BACK = re.compile(r"(?:已经?)?(?:取消|解除|撤销|移出|移除|退出|不在|不是|并非|没有|非|无|未)(?:了|过|被|列入|加入|设置|设|开启|开|要求|进)*(?:免打扰|免打搅|勿扰|黑名单|拉黑|退订|拒访)(?:名单)?")
_YES = frozenset("是 有 y yes true 1 √ ✓ ✔ 对 开 已开启 开启 已设置 在".split())
_NO = frozenset("否 无 没有 不是 n no false 0 × ✗ x 关 未开启 未设置 - / — 正常 可联系 可以联系 可回访 允许 不在".split())


class AgeError(ValueError):
    """A date of birth that lies in the future. The message is Chinese."""


class StopReader:
    """The columns of one table, or the names of one customer's fields, looked at once for all rows."""

    def __init__(self, header: Sequence[str], uses: Sequence[Use]) -> None:
        self._columns = [
            (column, header[column], use, _tells_age(header[column], use))
            for column, use in enumerate(uses)
            if use is Use.STOP or use in _SPEAKING or use is Use.DATE
        ]

    def reason(self, cells: Sequence[str], name: str, today: date | None) -> str:
        """Why this row's customer must not be contacted, with the file's own words; empty when nothing says so. Raises AgeError."""
        if _name_says_stop(name):
            return f"姓名一栏写着“{name[:30]}”"
        for column, header, use, age_of in self._columns:
            cell = cells[column] if column < len(cells) else ""
            if not cell:
                continue
            if use is Use.STOP:
                if reason := _of_its_own_column(header, cell):
                    return reason
                continue
            if use is not Use.DATE and (words := _words(header, cell, use)):
                return f"“{header or '没有名字的一列'}”写着“{words}”"
            if today is not None and age_of is not None and (age := age_of(header, cell, today)) is not None and age < GROWN_UP:
                return f"未成年人，{age} 岁"
        return ""


@lru_cache(maxsize=1 << 14)
def _name_says_stop(name: str) -> bool:
    return bool(_GONE.search(name) or _STOP.search(name))


def _words(header: str, cell: str, use: Use) -> str:
    if use is Use.GROUPS:
        return next(filter(None, (says_stop(header, part) for part in re.split(r"[、，,;；/|]+", cell))), "")
    return says_stop(header, cell)


@lru_cache(maxsize=1 << 14)
def says_stop(header: str, cell: str) -> str:
    """The cell's words, when they say that the customer must not be contacted or is dead; else empty."""
    text = _TAKEN_BACK.sub("", unicodedata.normalize("NFKC", cell))
    if _REMARK.search(plain_header(header)):
        found = _STOP.search(text) or _GONE.search(text) or _LONE_WORD.fullmatch(text.strip())
    else:
        # Another column may well speak of a product: only what says nothing else counts.
        found = _WHOLE.fullmatch(text.strip())
    return cell[:30] if found else ""


def _of_its_own_column(header: str, cell: str) -> str:
    """A column such as 是否免打扰: everything but a plain no is a yes."""
    said = unicodedata.normalize("NFKC", cell).strip().lower()
    if said in _NO or _TAKEN_BACK.fullmatch(said):
        return ""
    return f"“{header}”是“{cell[:30]}”"


def _tells_age(header: str, use: Use) -> Callable[[str, str, date], int | None] | None:
    """How the column tells somebody's years; None where it does not."""
    plain = plain_header(header)
    if _AGE.fullmatch(plain):
        return _years
    if _ID_CARD.fullmatch(plain):
        return _years_of_card
    return _years_since if use is Use.DATE and _BIRTH.fullmatch(plain) else None


def _years(header: str, cell: str, today: date) -> int | None:
    years = re.fullmatch(r"([0-9]{1,3})(?:\.0)?(?:岁|周岁)?", unicodedata.normalize("NFKC", cell))
    return int(years[1]) if years else None


def _years_of_card(header: str, cell: str, today: date) -> int | None:
    card = re.fullmatch(r"[1-9][0-9]{5}([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{3}[0-9Xx]", unicodedata.normalize("NFKC", cell))
    return _years_since(header, "-".join(card.groups()), today) if card else None


def _years_since(header: str, cell: str, today: date) -> int | None:
    """`cell` begins with the day of birth as ISO text."""
    try:
        day = date.fromisoformat(cell[:10])
    except ValueError:
        return None
    if day > today:
        raise AgeError(f"“{plain_header(header)}”{day.isoformat()} 在将来，请核对。")
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))
