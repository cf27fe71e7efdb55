"""Personal data out of sight: names, numbers, plates, addresses. Pure.

For staff who work on the understanding and need the customers' words, not the customers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

HIDDEN = "［已隐藏］"
_ADDRESS = "［地址］"
_DIGITS = r"[\d零〇一二三四五六七八九幺]"
_PLACE = r"省|自治区|市|区|县|镇|乡|街道|大道|路|街|巷|弄|胡同|小区|花园|家园|苑|大厦|广场|公寓|新村|村|里"
_HOUSE = r"号院|号楼|号|栋|幢|座|单元|楼|层|室|弄"
_COUNT = r"[\dA-Za-z一二三四五六七八九十百零－\-]+"
_TITLES = r"先生|女士|小姐|太太|老师|经理|医生|师傅"
_FAMILY = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严金魏陶姜谢邹喻柏窦章苏潘葛范彭鲁韦马苗方俞任袁柳史唐薛雷贺倪汤罗毕郝邬安常傅"
    "卞齐康伍余顾孟黄萧尹姚邵汪毛戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房丁邓洪石崔龚程邢裴陆荣"
    "翁甄封储靳段焦谷车侯宁仇栾刘詹龙叶黎白赖卓池乔翟谭冉桂牛边燕尚温庄晏柴阎连习容向易廖耿欧聂曾关岳代闫涂覃"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII), "［邮箱］"),
    (re.compile(r"(?<!\d)\d{6}(?:19|20)\d{9}[\dXx](?!\d)"), "［证件号］"),
    (re.compile(r"(?<!\d)(1[3-9]\d)(?:[ \-]?\d){4}(?:[ \-]?)((?:\d[ \-]?){3}\d)(?!\d)"), lambda m: f"{m[1]}****{m[2]}"),
    (re.compile(r"(?<!\d)(0\d{2,3}|[48]00)[ \-]?\d{3,4}[ \-]?\d{4}(?!\d)"), lambda m: f"{m[1]}-****"),
    (
        re.compile(r"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z])[·\s]?[A-Za-z0-9]{4,5}[A-Za-z0-9挂学警港澳](?![A-Za-z0-9])"),
        lambda m: f"{m[1]}*****",
    ),
    (re.compile(rf"(?:[\u4e00-\u9fff]{{1,6}}?(?:{_PLACE}))+[\u4e00-\u9fff]{{0,4}}?(?:{_COUNT}(?:{_HOUSE}))+\d*"), _ADDRESS),
    (re.compile(rf"[\u4e00-\u9fff]{{1,5}}?(?:省|市)(?:[\u4e00-\u9fff]{{1,6}}?(?:{_PLACE}))+"), _ADDRESS),
    (re.compile(rf"(?<!{_DIGITS}){_DIGITS}{{7,}}"), "*******"),
    (re.compile(rf"((?:我叫|名叫|名字叫|名字是|叫做)[{_FAMILY}])[\u4e00-\u9fff]{{1,3}}?(?=$|[，。！？、；,.!? 的])"), lambda m: f"{m[1]}**"),
    (re.compile(rf"([{_FAMILY}])[\u4e00-\u9fff]{{1,2}}(?={_TITLES})"), lambda m: f"{m[1]}**"),
)
_PERSONAL_KEYS = re.compile(
    r"姓名|联系人|电话|手机|号码|车牌|地址|住址|身份证|证件|邮箱|微信|customer|(?<![a-z])name|phone|mobile|tel(?![a-z])|plate|address|contact|wechat|email|id_card",
    re.IGNORECASE,
)


def name_of(name: str) -> str:
    """王强 → 王*; a single character is only a family name and stays."""
    return name if len(name) < 2 else name[0] + "*" * (len(name) - 1)


def phone_of(phone: str | None) -> str:
    """13812345678 → 138****5678; landlines keep the area code."""
    if not phone:
        return ""
    if len(phone) == 11 and phone.startswith("1"):
        return f"{phone[:3]}****{phone[-4:]}"
    return phone[:3] + "*" * max(4, len(phone) - 3)


def is_personal(key: str) -> bool:
    """Whether a variable or field of this name holds personal data."""
    return bool(_PERSONAL_KEYS.search(key))


class Mask:
    """Masks texts and values; `known` are this customer's own name, number, plate and address, wherever they occur.

    >>> Mask(["王强"])("王强先生，您的电话是13812345678")
    '王*先生，您的电话是138****5678'
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        words = sorted({word.strip() for word in known if len(word.strip()) >= 2}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None

    def __call__(self, text: str | None) -> str:
        if not text:
            return ""
        if self._known:
            text = self._known.sub(lambda match: _shown(match[0]), text)
        for pattern, put in _PATTERNS:
            text = pattern.sub(put, text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, Mapping):
            return {key: HIDDEN if one and is_personal(key) else self.value(one) for key, one in value.items()}
        return value


class NoMask(Mask):
    """For who may see everything."""

    def __call__(self, text: str | None) -> str:
        return text or ""

    def value(self, value: Any) -> Any:
        return value


def _shown(known: str) -> str:
    if re.fullmatch(r"[\u4e00-\u9fff]{2,4}", known):
        return name_of(known)
    if known.isdigit():
        return phone_of(known)
    return HIDDEN
