"""From normalised text to time atoms, left to right: what is a day, a part of the day, a clock time, a wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from followup.reading.numerals import to_int, to_number
from followup.reading.time import clock as c
from followup.reading.time.clock import Clock, Event, Part
from followup.reading.time.dates import DATE_RULES
from followup.reading.time.days import DayRule

DAY, PART, CLOCK, EVENT, WAIT, PAST, NOW, SAME = "day", "part", "clock", "event", "wait", "past", "now", "same"


@dataclass(frozen=True)
class Wait:
    """半小时后: minutes from the moment of speaking; `within` for 两小时内."""

    low: int
    high: int | None = None
    within: bool = False


@dataclass(frozen=True)
class Atom:
    """One time word: its kind, what it means, where it stands, and the modifier behind it."""

    kind: str
    value: Any
    start: int
    end: int
    edge: str = ""  # after | before | ""
    later: Clock | None = None  # the second hour of 七八点, 3到5点


Found = list[tuple[str, Any]]
Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], Found | None]]

N = r"(?:\d{1,3}|[零〇一二两俩三四五六七八九十百]{1,4})"
H = r"(?:二十[一二三四]?|十(?=来点)|十[一二三四五六七八九]?|[零〇一二两三四五六七八九]|2[0-4]|1\d|0?\d)"
M = r"(?:[二三四五]?十[一二三四五六七八九]?|零[一二三四五六七八九]|[0-5]\d|[一二三四五六七八九](?=分)|\d(?=分))"

_PARTS: tuple[tuple[str, Part], ...] = (
    ("凌晨|拂晓|天没亮|天不亮", c.DAWN),
    ("一大早上?|大清早|清早|老?清老?早|早起(?=[打,.吧再来]|$)|早半天|大早上|大早|一早|早上(?!班)|早晨|清晨|早间|晨间|朝早", c.EARLY),
    ("上午|午前|上半[天日]|头晌|头午|前晌|早半晌|上昼|am(?![a-z])", c.MORNING),
    ("中午|正午|晌午|午间|午休时间?(?!以?后|过后|之后|完)|午饭时间", c.NOON),
    ("下午|午后|下半[天日]|后晌|后半晌|过晌|下晌|过了晌午|下昼|晏昼|pm(?![a-z])", c.AFTERNOON),
    (r"早(?=(?:[五六七八九]|十一?|[5-9]|1[01])(?:点|:))", c.EARLY),
    (r"晚(?=(?:[五六七八九]|十一?|二十|[5-9]|1[0189]|2[0-3])(?:点|:))", c.EVENING),
    ("傍晚|黄昏|(?:天一?)?擦黑|[傍擦](?:麻|抹)?黑|下晚|天黑|(?<=等)黑了|夜快头?|晚半晌", c.DUSK),
    ("晚上|晚间|夜晚|晚黑|下黑|夜黑里?|黑家|夜到|夜里向", c.EVENING),
    ("午夜|大?半夜|深夜|三更半夜|夜里|夜间|入夜", c.NIGHT),
    ("白天", c.DAYTIME),
)


def _meal(names: str, parts: str) -> str:
    """晚饭后, 吃好晚饭, 晚上吃过饭: when a meal is over."""
    over = "以后|之后|过后|后|完"
    eaten = "[吃用食](?:完|过|了|好|罢|毕)"
    at_home = "|".join(f"(?<={part})" for part in parts.split("|"))
    return rf"(?:{eaten})?(?:{names})(?:{over})|(?:{names})(?=(?:之|以)?前)|(?:{eaten})(?:{names})|(?:{names})[吃用](?:完|过|好|了)|(?:{at_home})(?:等?我)?(?:{eaten})饭(?:{over})?"


_EVENTS: tuple[tuple[str, int], ...] = (
    (r"下班(?:时间|了|的?时候)?(?:以后|之后|过后|后|再)?|下了班|(?:收|下|散)[了咗]?工(?:以?后|之后|了)?|放工(?:以?后|之后)?", 18 * 60),
    (r"放学(?:以后|之后|后|了)?|下课(?:以后|之后|后)|放了学", 17 * 60),
    (r"上班(?:以后|之后|后|时间)|上了班|上班(?=(?:之|以)?前)", 9 * 60),
    (_meal("晚饭|晚餐|夜饭|晚上饭", "晚上|傍晚|今晚|明晚"), 19 * 60),
    (_meal("午饭|中饭|午餐|中午饭|晌午饭|晌饭", "中午|晌午"), 13 * 60),
    (_meal("早饭|早餐|早点|早上饭", "早上|早晨|明早|今早"), 9 * 60),
    (r"(?:睡完|睡好|睡醒|睡了|睡过)?(?:午休|午睡|午觉)(?:睡)?(?:以后|之后|过后|后|完|好|起来|醒来?|结束)|(?:睡完|睡好|睡醒|睡了|睡过)(?:个)?(?:午觉|中觉)", 14 * 60),
)

_LIST_NOUN = r"(?:条|个)?(?:小?建议|意见|要求|问题|想法|原因|看法|希望|体会|好处|缺点|优点|疑问|感受|需要|内容|注意|不满|不好|不足|要说|我觉得|想说|是关于|补充)"
_NOT_CLOCK_AFTER = rf"(?![一二三四五六七八九](?:[,.吧了啊呢]|$)|{_LIST_NOUN}|[点儿]|赞|评|餐|菜|单|名|击|水|五?个百分|也(?:不|没)|都(?:不|没))"
# what makes 一点 a clock time when no other time word stands before it
_ONE_OK = re.compile(
    r"(?:钟|整|半|[一三]刻|[零二三四五]?十?[\d一二三四五六七八九]+分|[零二三四五]十|[0-5]\d|左右|前后|以后|之后|过后|后|之前|以前|前|到|至|[-~])"
    r"|(?:再|打|来电|联系|可以|行|方便|有空|吧|给我)"
)
_ONE_BEFORE = re.compile(r"(?:^|[\s,.、!?;你您们]|在|等|约|那就?|就|到|至|[-~]|是|个|我|要不)$")
_NOT_CLOCK_BEFORE = re.compile(r"(?:第|这|有|以上|以下|提|(?<!再)说|讲|补充|总结|强调|反映|差|[贵高低涨降跌]了?|早|晚|快|慢|(?<!差不)多|少|\d\.|[a-z\d:.])$")


def scan(text: str) -> list[Atom]:
    """All time atoms of a normalised text, in order."""
    atoms: list[Atom] = []
    at = 0
    while at < len(text):
        found = _match(text, at, atoms)
        if found is None:
            at += 1
            continue
        atoms.extend(found)
        at = max(found[-1].end if found else at + 1, at + 1)
    return atoms


def _match(text: str, at: int, before: list[Atom]) -> list[Atom] | None:
    for kind_rules in (_CLOCK_RULES, _RULES):
        for pattern, build in kind_rules:
            match = pattern.match(text, at)
            if not match:
                continue
            if kind_rules is _CLOCK_RULES and not _is_clock(text, match, before):
                continue
            found = build(match)
            if found is None:
                continue
            return _atoms(text, match, found)
    return None


def _atoms(text: str, match: re.Match[str], found: Found) -> list[Atom]:
    edge = _EDGE.match(text, match.end())
    end = edge.end() if edge else match.end()
    head = text[: match.start()]
    name = ""
    if edge:
        if edge.group("before") or _AT_LATEST.search(head):
            name = "before"
        elif edge.group("after") or _PASSED.search(head):
            name = "after"
    atoms = []
    shift = _FROM_EVENT.match(text, end) if len(found) == 1 and found[0][0] == EVENT else None
    if shift and not shift["past"]:
        event, minutes = found[0][1], _shift_minutes(shift)
        earlier = name == "before" or text[end - 1] == "前"
        return [Atom(EVENT, Event(event.minutes + (-minutes if earlier else minutes), event.name), match.start(), shift.end())]
    for kind, value in found:
        later = None
        if kind == CLOCK and isinstance(value, tuple):
            value, later = value
        atoms.append(Atom(kind, value, match.start(), end, name, later))
    return atoms


_PASSED = re.compile(r"(?:过了|过完|忙完|最早|不早于|起码(?:得|要)?(?:到|等))$")
_AT_LATEST = re.compile(r"(?:最晚|最迟|不晚于|不迟于|不(?:要|能)?(?:超过|晚于))(?:不超过|也?就?(?:是|到)?)?$")
_FROM_EVENT = re.compile(rf"(?P<edge>前|后)?(?P<n>半|{N})个?(?P<half>半)?(?P<unit>小时|钟头|分钟|刻钟)(?P<past>[以之]?前)?")
_EDGE = re.compile(
    r"(?:钟|整)?(?:左右|前后|上下|来钟|的样子)?"
    r"(?:的?(?P<after>以后|之后|过后|过(?=[再,.吧]|$)|过完了?|往后|后(?![天年面悔来晚续半晌]))|的?(?P<before>以前|之前|前(?![天年面后台])))?"
)


def _shift_minutes(m: re.Match[str]) -> int:
    """Minutes of the 半小时 in 下班后半小时."""
    unit = {"小": 60, "钟": 60, "分": 1, "刻": 15}[m["unit"][0]]
    return int((to_number(m["n"]) or 0) * unit) + (unit // 2 if m["half"] else 0)


def _is_clock(text: str, match: re.Match[str], before: list[Atom]) -> bool:
    """Sort out 有一点贵, 第一点, 三点建议, 差一点: numbers before 点 that tell no time."""
    head = text[: match.start()]
    tail = text[match.end():]
    follows = bool(before) and before[-1].end >= len(head.rstrip(" 的,大概约")) and before[-1].kind in (PART, DAY)
    if ":" in match.group() or follows:
        return True
    if _NOT_CLOCK_BEFORE.search(head):
        return False
    if not re.fullmatch(r"[一1]点", match.group()):
        return True
    if re.search(r"[到至~-]$", head):
        return True
    return bool(_ONE_BEFORE.search(head) and _ONE_OK.match(tail)) or (head == "" and tail.strip(" .,!") == "")


def _hm(hour: str, minute: str | None, half: bool = False, quarter: str | None = None, exact: bool = False) -> Clock | None:
    value = to_int(hour)
    if value is None or value > 24:
        return None
    minutes: int | None = None
    if half:
        minutes = 30
    elif quarter:
        minutes = 15 * (to_int(quarter) or 0)
    elif minute:
        minutes = to_int(minute)
        if minutes is None or minutes > 59:
            return None
    return Clock(value, minutes, exact)


def _back(clock: Clock, minutes: int) -> Clock:
    total = (clock.hour * 60 - minutes) % c.DAY_MINUTES
    return Clock(total // 60, total % 60)


def _plain_clock(m: re.Match[str]) -> Found | None:
    value = _hm(m["h"], m["m"], bool(m["half"]), m["q"])
    return [(CLOCK, value)] if value else None


def _colon_clock(m: re.Match[str]) -> Found | None:
    value = _hm(m["h"], m["m"], exact=m["h"].startswith("0"))
    if not value:
        return None
    if m["ap"]:
        return [(PART, c.MORNING if m["ap"] == "am" else c.AFTERNOON), (CLOCK, value)]
    return [(CLOCK, value)]


def _short_of(m: re.Match[str]) -> Found | None:
    value = _hm(m["h"], None)
    short = 15 * (to_int(m["q"]) or 1) if m["q"] else to_int(m["m"])
    return [(CLOCK, _back(value, short))] if value and short and short < 60 else None


def _two_hours(m: re.Match[str]) -> Found | None:
    first, second = _hm(m["a"], None), _hm(m["b"], m["m"], bool(m["half"]))
    if not first or not second:
        return None
    return [(CLOCK, (first, second))]


def _next_hours(m: re.Match[str]) -> Found | None:
    """七八点; 十一二点 is 11 to 12."""
    first, second = to_int(m["a"]), to_int(m["b"])
    if first is None or second is None:
        return None
    if first > 10 and second < 10:
        second += 10
    if second != first + 1 or second > 24:
        return None
    return [(CLOCK, (Clock(first), Clock(second)))]


def _ampm(m: re.Match[str]) -> Found | None:
    value = _hm(m["h"], None)
    return [(PART, c.MORNING if m["ap"] == "am" else c.AFTERNOON), (CLOCK, value)] if value else None


_CLOCK_RULES: tuple[Rule, ...] = (
    (re.compile(rf"差(?:(?P<m>{N})分钟?|(?P<q>[一三])刻钟?)(?:到|就)?(?P<h>{H})点(?:钟|整)?"), _short_of),
    (re.compile(rf"(?P<h>{H})点钟?差(?:(?P<m>{N})分钟?|(?P<q>[一三])刻钟?)"), _short_of),
    (re.compile(rf"(?P<a>[一二两三四五六七八九]|十[一二]?)[、,]?(?P<b>[二两三四五六七八九十]|十[一二])点{_NOT_CLOCK_AFTER}(?:来?钟)?"), _next_hours),
    (re.compile(rf"(?<![\d.:])(?P<a>\d{{1,2}})[、, ](?P<b>\d{{1,2}})点{_NOT_CLOCK_AFTER}(?:来?钟)?"), _next_hours),
    (re.compile(rf"(?<![\d.:月])(?P<a>{H}) ?(?:到|至|-|~) ?(?P<b>{H})点{_NOT_CLOCK_AFTER}(?:(?P<half>半)|(?P<m>{M})分?)?(?:钟|整)?"), _two_hours),
    (re.compile(r"(?<![\d.:])(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?:分)?(?! ?\d) ?(?P<ap>am|pm)?"), _colon_clock),
    (re.compile(r"(?<=[午上晚早])(?P<h>\d|1[0-2])\.(?P<m>[0-5]\d)(?!\d)(?P<ap>(?!))?"), _colon_clock),
    (re.compile(rf"(?<!\d)(?P<h>{H})(?:(?:来|几)?点|时(?!间|候|常|不时|刻|装|尚|长)){_NOT_CLOCK_AFTER}(?:钟|整)?"
                rf"(?:(?P<half>半)|过?(?P<q>[一二三13])刻钟?|[过零]?(?P<m>{M})(?![一二三四五六七八九\d点])分?|过(?P<past>{N})分)?(?:多|来|几分)?钟?"), _plain_clock),
    (re.compile(r"(?<![\d.:])(?P<h>1[0-2]|0?[1-9]) ?(?P<ap>am|pm)(?![a-z])"), _ampm),
)

_AMOUNT = r"(?:\d+(?:\.\d+)?|十几|[一二两俩仨三四五六七八九十百]{1,4}|半拉?|个把)"
_BEFORE_WAIT = r"(?:再[开忙走坐跑干睡弄做聊]|(?:再|我)?(?:过|等我?|隔|缓我?|给我|[晚迟]|往后推|推迟)(?:个|上)?)"
_AFTER_WAIT = r"(?:左右|的样子|以内|之内|时间)?(?:(?P<later>以后|之后|过后|后|开外)|(?=,?再)|(?P<within>以内|之内|内))"
_UNIT = {"分": 1, "小": 60, "钟": 60, "刻": 15, "个": 60}


def _wait_minutes(m: re.Match[str]) -> Found | None:
    unit = _UNIT[m["unit"][0]]
    low = {"个把": 1, "十几": 15, "半拉": 0.5}.get(m["n"]) or to_number(m["n"])
    high = None
    pair = re.fullmatch(r"([一二两三四五六七八])([二两三四五六七八九])", m["n"])
    if pair:
        low, high = to_number(pair[1]), to_number(pair[2])
    if m["from"] and low is not None:
        low, high = to_number(m["from"]), low
    if low is None:
        return None
    half = unit // 2 if m["half"] or m["halfafter"] else 0
    quarters = 15 * (to_number(m["quarter"]) or 0) if m["quarter"] else 0
    minutes = low * unit + half + quarters + ((to_number(m["extra"]) or 0) if m["extra"] else 0)
    if not 0 < minutes <= 60 * 24 * 366:
        return None
    within = bool(m["within"])
    return [(WAIT, Wait(int(minutes), int(high * unit) if high else None, within))]


def _wait(prefix: str, suffix: str, minute: str = "分钟?") -> re.Pattern[str]:
    return re.compile(
        rf"{prefix}(?:大概|大约|差不多|约)?(?:(?P<from>{_AMOUNT})个?(?:到|至|-|~))?(?P<n>{_AMOUNT})(?:来|多)?个?(?:来|多)?(?P<half>半)?"
        rf"(?P<unit>{minute}|小时|钟头|刻钟|个钟|钟(?=后|以后|之后))(?P<halfafter>半)?(?:(?<!分)(?<!分钟)[零又]?(?P<extra>{N})分钟?|[零又]?(?P<quarter>[一三])刻钟?)?{suffix}"
    )


_OPTIONAL_AFTER = _AFTER_WAIT[:-1] + "|)"


def _part_rule(words: str, part: Part) -> Rule:
    return re.compile(rf"(?:{words})"), lambda m: [(PART, part)]


def _event_rule(words: str, minutes: int) -> Rule:
    return re.compile(rf"(?:{words})"), lambda m: [(EVENT, Event(minutes, m.group()))]


def _as_day(pattern: re.Pattern[str], build: Callable[[re.Match[str]], DayRule | str | None]) -> Rule:
    def found(m: re.Match[str]) -> Found | None:
        rule = build(m)
        if rule is None:
            return None
        if isinstance(rule, str):
            return [(PAST, rule)]
        found: Found = [(DAY, rule)]
        part = m.groupdict().get("part")
        if part:
            found.append((PART, {"早": c.EARLY, "晚": c.EVENING, "夜": c.NIGHT, "午": c.NOON}[part]))
        return found

    return pattern, found


_RULES: tuple[Rule, ...] = (
    (_wait(_BEFORE_WAIT, _OPTIONAL_AFTER), _wait_minutes),
    (_wait("还(?:有|得|要|剩|差)(?:开|忙|走|坐|跑)?", r"(?P<later>)(?P<within>)(?:左右|的样子)?(?=[^,.]{0,3}(?:到|结束|下班|完|散|才|放学|降落|落地|收|下课))"), _wait_minutes),
    (_wait("", _AFTER_WAIT, "分钟|分(?=以?后|之后)"), _wait_minutes),
    (_wait(r"(?:\A|(?<=[完好来去],)|(?<=[奶饭会事课],))(?:那就?|大概|可能|也就)?", r"(?:左右)?吧?[.!,]?\Z(?P<later>)(?P<within>)", "分钟"), _wait_minutes),
    *(_as_day(pattern, build) for pattern, build in DATE_RULES),
    *(_event_rule(words, minutes) for words, minutes in _EVENTS),
    *(_part_rule(words, part) for words, part in _PARTS),
    (re.compile(r"这个?(?:时候|时间|点儿?|钟点)|同一(?:个)?时间|同样(?:的)?时间|老时间|此时|这会儿(?!在|正|忙|没|不)"), lambda m: [(SAME, None)]),
    (re.compile(r"现在就?(?:可以|行|方便|有空|有时间)(?!吗|么)|现在就(?:打|说|聊)"), lambda m: [(WAIT, Wait(0))]),
    (re.compile(r"现在|这会儿|而家|依家|目前|眼下|刚才|刚刚|此刻"), lambda m: [(NOW, None)]),
)
