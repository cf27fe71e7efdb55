"""How many of how many: "三个坏了,一共十二个", "3/12", "一半多", "全坏了" (fruit_order: half or more decides)."""

from __future__ import annotations

import re

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import CHINESE, to_number
from followup.reading.text import core

_N = rf"(?:\d+(?:\.\d+)?|[{CHINESE}]+)(?!大半|小半|多半|半|点|些|部分)"
_UNIT = r"(?:个|只|颗|枚|箱|盒|袋|斤|件|瓶|条|支|包|粒|份|串|台|张|公斤|块)"
_BAD = r"(?:[磕碰压摔挤撞砸]坏|[磕摔挤压碰]烂|磕|摔|挤|撞|坏|烂|破|裂|瘪|霉|损|压|碰|黑|不好|不能吃|吃不了|有问题|不行|蔫|软|丢|扔|臭|碎)"
_GOOD = r"(?:好|完好|没坏|没问题|能吃|没事)"
_REDRESS = re.compile(rf"(?:赔|退|补|返|打|便宜|减|免)[我给了个偿款钱发掉]*(?:一半|半价|{_N}(?:{_UNIT}|元|折)?)")
"""What is asked for is no count of what is spoiled: "赔一半就行"."""
_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正)")

_PERCENT = re.compile(rf"(?:百分之(?P<c>{_N})|(?P<d>\d+(?:\.\d+)?)%)")
_TENTHS = re.compile(rf"(?<![{CHINESE}\d])(?P<n>[一二三四五六七八九\d])成(?P<half>半)?(?!交|功|本)")
_PART_OF = re.compile(rf"(?P<of>{_N})分之(?P<n>{_N})")
_SLASH = re.compile(rf"(?<!\d)(?P<bad>\d{{1,4}}){_UNIT}?/(?P<total>\d{{1,4}})(?!\d)")
_WITHIN = re.compile(rf"(?P<total>{_N}){_UNIT}?(?:[^\d,|]{{0,3}})(?:里面?|里头|当中|中间?|之中|有)(?:有|就|只|大概|差不多|都)?(?:{_BAD}了?)?(?:有|了)?(?:大概)?(?P<bad>{_N})")
_EACH = re.compile(rf"(?P<total>{_N}){_UNIT}(?:[\u4e00-\u9fff]{{0,2}}?){_BAD}(?:掉了|掉|了)?(?:有|大概|得有)?(?P<bad>{_N})")
_GOOD_TAIL = re.compile(rf"{_UNIT}?(?:是|还)?{_GOOD}")
_TOTAL = re.compile(rf"(?:一共|总共|共|统共|全部|总数|合计|买了|订了|收到了?|来了)(?:是|有|买了|收到|就)?(?P<n>{_N})|(?P<m>{_N}){_UNIT}(?:一共|总共)(?![\d{CHINESE}])|^(?:这|我)?一(?:箱|盒|袋|件|筐|篮|包)(?:里|是|有)*(?P<k>{_N})(?:个|只|颗|枚|斤)|^(?:大概|差不多)?(?P<l>{_N})(?:个|只|颗|枚|斤)(?=(?:左右|上下)?,[^,]*{_BAD}[掉了]*(?:大概|有)?{_N})")
_BAD_COUNT = re.compile(rf"{_BAD}(?:掉|了)?(?:的)?(?:(?:不|没)(?:算|太|有)?多(?:少)?[,]?)?(?:有|是|大概|差不多|就|只有|也就|不到|得有)*(?P<a>{_N})(?![小大]?(?:块|片|点|些|部分|半)|[小大]){_UNIT}?|(?P<b>{_N}){_UNIT}?(?:果子?|梨|苹果|左右)?(?:都|已经|是|有点|全)*{_BAD}")
_GOOD_COUNT = re.compile(rf"(?:只有|就|还有|剩|只剩)(?:了)?(?P<a>{_N}){_UNIT}?(?:是|还)?{_GOOD}|{_GOOD}的(?:只有|就|还有|有|只剩)?(?P<b>{_N})")
_NOT_ONE = re.compile(rf"(?:一{_UNIT}|都|完全|全都|全部)?(?:都|也)?(?:没有?|不)(?:发现)?(?:一{_UNIT})?{_BAD}|全是好的|都是好的|都好的|都挺好|完好|没问题|都没事|没有$")
_ALL = re.compile(rf"(?:全|都|全部|所有|整箱|一箱)(?:都|部)?(?:已经)?(?:是)?{_BAD}|没一?个(?:是)?好|没有?一?{_UNIT}?(?:是)?(?:好的|能吃)|没几{_UNIT}?(?:是)?好|(?:整|一整|两|全)(?:箱|盒|袋|批)都(?:已经)?(?:{_BAD}|不能|没法|废|扔)|(?<!不是)全部$|(?<!不是)全都?$|一个好的(?:都|也)没")
_MANY = re.compile(r"(?:好多|很多|许多|不少|好些|有些|有的|几[个只颗箱])[^,。]*都")  # "好多都烂了" is not all of them
_BAD_AND_GOOD = re.compile(rf"(?P<bad>{_N}){_UNIT}?(?:是)?{_BAD}的?[,]?(?P<good>{_N}){_UNIT}?(?:是)?{_GOOD}的?(?:$|[,.])")
_SOUND_SHARE = re.compile(r"(?:(?P<few>少部分|小部分|少数)|绝?大部分|绝?大多数|多半|大半)(?:都|是|还|也|算)*(?:好|没问题|没坏|完好|能吃|没事)")
_SHARES: tuple[tuple[re.Pattern[str], float | None, bool | None], ...] = (
    (re.compile(r"(?:不到|不足|没到|没有|少于|不够|不超过|没超过|接近|将近|快)(?:一半|半|50%|百分之五十)"), None, False),
    (re.compile(r"(?:一大半|大半|多半|大部分|大多数|绝大多数|绝大部分|一多半|基本(?:上)?(?:都|全)|几乎(?:都|全)|差不多(?:都|全)|超过一半|过半|半数以上|一半以上|一半多|一半还多|一半不止|不止一半|多于一半)"), None, True),
    (re.compile(r"(?:少部分|小部分|一小半|小半|少数|少量|个别|一点点|一点|少许|不多(?=$|[,.吧了])|没几个(?!好))"), None, False),
    (re.compile(r"(?:一半|对半|半数|半箱|一半一半)"), 0.5, True),
)


def read_quantity(asked: Asked, heard: Heard) -> Reading | None:
    """{"bad": n|null, "total": n|null, "ratio": 0..1|null, "at_least_half": bool|null}, else None."""
    text = _TAKEN_BACK.split(core(heard.text))[-1].strip(" ,.")
    text = _REDRESS.sub("", text).strip(" ,.")
    if not text or _more_bad_than_all(text):
        return None
    counted = _counted(text)
    if counted is not None:
        return counted
    ratio = _ratio(text)
    if ratio is not None:
        return _reading(None, None, ratio, "ratio")
    sound = _SOUND_SHARE.search(text)
    if sound:
        return _reading(None, None, None, "share", sound["few"] is not None)
    for pattern, share, half in _SHARES:
        if pattern.search(text):
            return _reading(None, None, share, "share", half)
    if _NOT_ONE.search(text):
        return _reading(0, None, 0.0, "none")
    if _ALL.search(text) and not _MANY.search(text):
        return _reading(None, None, 1.0, "all")
    if _TOTAL.search(text):
        return None  # "一箱12个": how many of them were bad is not said
    alone = re.search(_N, text)
    value = _number(alone.group()) if alone else None
    if alone and value is not None and len(text) <= 10 and not re.search(r"[天月年号点块元钱次]|分钟|有一点|小时", text):
        return _reading(value, None, None, "count", fit=WEAK)
    return None


def _counted(text: str) -> Reading | None:
    """Both numbers, or the bad ones with a word for bad beside them."""
    slash = _SLASH.search(text)
    if slash:
        return _of(_number(slash["bad"]), _number(slash["total"]), "slash")
    within = _EACH.search(text) or _WITHIN.search(text)
    if within and not _PART_OF.search(text) and not re.search("一共|总共", text[within.start("bad") - 3: within.start("bad")]):
        bad, total = _number(within["bad"]), _number(within["total"])
        if bad is not None and total is not None and bad <= total and _comparable(text, within):
            if _GOOD_TAIL.match(text, within.end()):
                bad = total - bad
            return _of(bad, total, "counts")
    both = _BAD_AND_GOOD.search(text)
    if both:
        bad, good = _number(both["bad"]), _number(both["good"])
        return _of(bad, bad + good, "counts") if bad is not None and good is not None else None
    total_match = _TOTAL.search(text)
    rest = text if not total_match else text[: total_match.start()] + "|" + text[total_match.end():]
    total = _number(total_match["n"] or total_match["m"] or total_match["k"] or total_match["l"]) if total_match else None
    good = _GOOD_COUNT.search(rest)
    if good and total is not None and not re.search(rf"{_N}{_UNIT}?{_BAD}", rest):
        value = _number(good["a"] or good["b"])
        if value is not None and value <= total:
            return _of(total - value, total, "counts")
    bad_match = _BAD_COUNT.search(rest)
    bad = _number(bad_match["a"] or bad_match["b"]) if bad_match else None
    if bad is None and total is not None:
        if _ALL.search(rest):
            return _of(total, total, "all")
        other = re.search(_N, rest)
        bad = _number(other.group()) if other and not _SHARES[1][0].search(rest) and not _SHARES[3][0].search(rest) else None
    if bad is None:
        return None
    if total is None and re.search(rf"{_N}(?:箱|盒|袋|筐|篮|批)都(?:已经)?{_BAD}", text):
        return None  # "两箱都坏了" are all
    if bad_match and re.search(r"一(?:大?半|点|些)", bad_match.group()):
        return None
    if _ratio(text) is not None and total is None:
        return None
    return _of(bad, total, "counts" if total is not None else "bad")


def _more_bad_than_all(text: str) -> bool:
    """十二个里坏了三十个: one of the two numbers was misheard, so both are asked again."""
    within = _EACH.search(text) or _WITHIN.search(text)
    if not within or not _comparable(text, within):
        return False
    bad, total = _number(within["bad"]), _number(within["total"])
    return bad is not None and total is not None and bad > total


def _comparable(text: str, within: re.Match[str]) -> bool:
    """两箱里有五个: boxes and pieces cannot be set against each other."""
    units = re.findall(rf"{_N}({_UNIT})", text[within.start(): within.end() + 2])
    return len(set(units)) < 2


def _ratio(text: str) -> float | None:
    percent = _PERCENT.search(text)
    if percent:
        value = _number(percent["c"] or percent["d"])
        return round(value / 100, 4) if value is not None and value <= 100 else None
    part = _PART_OF.search(text)
    if part:
        n, of = _number(part["n"]), _number(part["of"])
        return round(n / of, 4) if n is not None and of and n <= of else None
    tenths = _TENTHS.search(text)
    if tenths:
        value = _number(tenths["n"])
        return round(value / 10 + (0.05 if tenths["half"] else 0), 4) if value is not None else None
    return None


def _of(bad: float | None, total: float | None, how: str) -> Reading | None:
    if bad is None:
        return None
    if total is not None and (total <= 0 or bad > total):
        return None
    ratio = round(bad / total, 4) if total else None
    return _reading(bad, total, 0.0 if bad == 0 else ratio, how)


def _reading(bad: float | None, total: float | None, ratio: float | None, how: str,
             half: bool | None = None, fit: str = STRONG) -> Reading:
    if half is None and ratio is not None:
        half = ratio >= 0.5
    value = {"bad": bad, "total": total, "ratio": ratio, "at_least_half": half}
    return Reading(value, f"quantity_of:{how}", fit)


def _number(words: str | None) -> float | int | None:
    """五六个 counts as five: the smaller number is certain."""
    if not words:
        return None
    if re.fullmatch("[一二两三四五六七八九]{2}", words):
        words = words[0]
    return to_number(words)
