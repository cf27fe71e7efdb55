"""Patterns for day expressions. A builder gives a day rule, "past" for days gone by, or None for "not a day"."""

from __future__ import annotations

import re
from collections.abc import Callable

from followup.reading.numerals import to_int
from followup.reading.time import days as d
from followup.reading.time import festivals

PAST = "past"
Build = Callable[[re.Match[str]], "d.DayRule | str | None"]

N = r"(?:\d{1,3}|[零〇一二两俩三四五六七八九十百]{1,4})"
DD = r"(?:[12]\d|3[01]|0?[1-9]|三十一?|二十[一二三四五六七八九]?|十[一二三四五六七八九]?|[一二三四五六七八九])"
MM = r"(?<![\d零一二三四五六七八九十])(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
NOT_A_NUMBER_OF = r"(?!楼|线|店|房|院|门|汽油|油|铺|桌|车|码|机|柜|病|室|公|床|窗|馆|仓|库|技师|员)"
EARLY_LATE = r"(?P<part>[早晚夜](?![点些一饭餐安班到]|上|里向)|午(?=饭|休))?"
_AFTER = r"(?:以后|之后|过后|后)"

_RELATIVE = {"今": 0, "本": 0, "当": 0, "听": 1, "明": 1, "次": 1, "翌": 1, "第二": 1, "后": 2, "大后": 3, "大大后": 4}
_WEEKDAY = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5,
            "1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 5, "7": 6}
_MONTHS = {"本": 0, "这": 0, "当": 0, "下": 1, "下下": 2}
_YEARS = {"今": 0, "本": 0, "明": 1, "来": 1, "后": 2}


def _relative(m: re.Match[str]) -> d.DayRule:
    return d.InDays(_RELATIVE[m["day"]])


def _week_shift(prefix: str | None) -> int | None:
    """None without a prefix, 0 for 这/本, 1 for 下, 2 for 下下."""
    if not prefix:
        return None
    return prefix.count("下") + ("再" in prefix) if "下" in prefix else 0


def _weekday(m: re.Match[str]) -> d.DayRule | str:
    if m["week"] and "上" in m["week"]:
        return PAST
    week = _week_shift(m["week"])
    if m["day"] == "末":
        return d.Weekend(week)
    day = _WEEKDAY[m["day"]]
    last = _WEEKDAY[m["last"]] if m["last"] else None
    run = len(re.findall("[一二三四五六日天]", m.group()[m.start("day") - m.start(): m.end("last") - m.start()])) if m["last"] else 0
    return d.Weekday(day, week, last if last == day + run - 1 else None)  # 周三四, but not 周一三五


def _week(m: re.Match[str]) -> d.DayRule | str:
    if "上" in m["week"]:
        return PAST
    part = {"初": (0, 1), "头": (0, 1), "头上": (0, 1), "中": (2, 2), "前半": (0, 2), "后半": (3, 6), "尾": (4, 4)}.get(m["wp"] or "")
    return d.Week(_week_shift(m["week"]) or 0, part)


def _month_day(m: re.Match[str]) -> d.DayRule | str | None:
    day = to_int(m["d"])
    month = to_int(m["m"]) if m["m"] else None
    if day is None or not 1 <= day <= 31 or (month is not None and not 1 <= month <= 12):
        return PAST  # no such date: taken as a time that cannot be used
    months = None
    if m["rel"]:
        if m["rel"].startswith("上"):
            return PAST
        months = _MONTHS[re.sub("[一个月的]", "", m["rel"])]
    year, years = _year(m["y"])
    return d.MonthDay(day, month, year, years, months)


def _year(words: str | None) -> tuple[int | None, int | None]:
    """Absolute and relative year of "2026年", "明年", "今年"."""
    if not words:
        return None, None
    if words[0] in _YEARS:
        return None, _YEARS[words[0]]
    number = to_int(re.sub("年的?", "", words))
    return (None if number is None else number + 2000 if number < 100 else number), None


def _written(m: re.Match[str]) -> d.DayRule | None:
    month, day = int(m["m"]), int(m["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    year = int(m["y"]) if m["y"] else None
    return d.MonthDay(day, month, year + 2000 if year is not None and year < 100 else year)


def _month(m: re.Match[str]) -> d.DayRule | str | None:
    part = re.sub("月$", "", re.sub("^尾.*", "底", re.sub("^头.*", "初", m["mp"] or ""))) or None
    _, years = _year(m["y"])
    rel = m["rel"]
    if rel:
        if rel.startswith("上"):
            return PAST
        return d.Month(months=_MONTHS[re.sub("[一个月]", "", rel)], part=part)
    month = to_int(m["m"]) if m["m"] else None
    if month is None and part is None:
        return None
    return d.Month(month, None, years, part)


def _nth_in_month(m: re.Match[str]) -> d.DayRule | None:
    """这个月最后一个周五, 下个月第一个周一, 11月最后一天, 月底最后两天."""
    if not m["rel"] and not m["m"] and not m["final"]:
        return None  # "第二天"
    months = _MONTHS[re.sub("[一个月]", "", m["rel"])] if m["rel"] else None
    count = to_int(m["n"]) or 1
    weekday = None if m["what"] == "天" else _WEEKDAY[m["what"][-1]]
    return d.NthInMonth(-count if m["final"] else count, weekday, to_int(m["m"]) if m["m"] else None, months)


def _year_alone(m: re.Match[str]) -> d.DayRule | str | None:
    if m["y"] in ("去", "前", "上"):
        return PAST
    years = _YEARS[m["y"]]
    if m["yp"] in ("底", "末"):
        return d.Month(12, None, years, closing=True)
    if m["yp"] == "初":
        return d.Month(1, None, years or None)
    return d.Year(years) if years else None


def _in_days(m: re.Match[str]) -> d.DayRule | str | None:
    words = m["n"]
    pair = re.fullmatch(r"([一二两三四五六七八])([二两三四五六七八九])", words)
    low, high = (to_int(pair[1]), to_int(pair[2])) if pair else (to_int(words), None)
    if low is not None and m.groupdict().get("from"):
        low, high = to_int(m["from"]), low
    if low is None and words == "半":
        return {"月": d.InDays(15), "年": d.InMonths(6)}.get(m["unit"][-1])
    if low is None or not 0 < low <= 400:
        return None
    unit = m["unit"].lstrip("个")
    if unit in ("天", "日"):
        return d.InDays(low, high)
    if unit in ("周", "星期", "礼拜"):
        return d.InDays(7 * low, 7 * high if high else None)
    if unit == "月":
        return d.InMonths(low)
    return d.InMonths(12 * low) if unit == "年" and low <= 5 else None


def _within_days(m: re.Match[str]) -> d.DayRule | None:
    last = _in_days(m)
    return d.Between(d.InDays(0), last) if isinstance(last, d.InDays) else None


def _festival(m: re.Match[str]) -> d.DayRule | str:
    if (m["y"] or "").startswith("去"):
        return PAST
    _, years = _year(m["y"])
    tail = m["tail"] or ""
    done = bool(m["done"]) or bool(re.search("收假|忙|后|过去|过了|完|回来|结束", tail))
    rule = d.FestivalDay(festivals.names()[m["name"]], whole=bool(re.search("期间|假|长假|几天|那段", tail)) and not done,
                         after=done, years=years)
    ahead = re.search("前([一两二三])天$", tail)
    if ahead and (ahead[1] == "一" or rule.single):
        return d.FestivalDay(rule.festival, shift=-(to_int(ahead[1]) or 1), years=years)
    if ahead:
        rule = d.FestivalDay(rule.festival, years=years)  # "国庆前三天" are its first ones
    return d.Before(rule) if tail.endswith("前") else rule


def _ten_one(m: re.Match[str]) -> d.DayRule:
    tail = m.group()
    return d.FestivalDay("national", whole="后" not in tail and "完" not in tail and "过了" not in tail,
                         after="后" in tail or "完" in tail or "过了" in tail)


def _lunar_new_year(m: re.Match[str]) -> d.DayRule | None:
    day = to_int(m["d"] or m["d2"] or m["d3"])
    return d.FestivalDay("spring", shift=day - 1) if day and 1 <= day <= 29 else None


def _last_lunar_month(m: re.Match[str]) -> d.DayRule | None:
    """腊月二十三, counted from 腊八, its eighth day."""
    day = to_int(m["d"])
    return d.FestivalDay("laba", shift=day - 8) if day and 1 <= day <= 30 else None


def _tenth(m: re.Match[str]) -> d.DayRule | None:
    """过了十五, 十六上午: by the moon while the new year is kept, otherwise the day of the month."""
    day = to_int(m["d"])
    if day is None or not 1 <= day <= 31:
        return None
    rule = d.NewYearOrMonthDay(day)
    return d.After(rule) if m["past"] is not None else rule


_UNITS = r"天|日(?!常)|周|个?星期|个?礼拜|个?月|年"
_NAMES = "|".join(sorted(map(re.escape, festivals.names()), key=len, reverse=True)) or "(?!)"

DATE_RULES: tuple[tuple[re.Pattern[str], Build], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        # a season is no date
        (r"(?:(?:今|明|后|来)年的?)?(?:开春|入[春夏秋冬]|[春夏秋冬](?:天|季|上)|[暑寒]假)(?:以后|之后|过后|后)?", lambda m: PAST),
        # by the moon, as far as it can be counted from a festival
        (r"(?:正月|大年|年)初(?P<d>[一二三四五六七八九十])|(?<![月底年])初(?P<d2>[一二三四五六七八九十])(?![步次级期])|正月(?P<d3>二?十[一二三四五六七八九]?|三十)",
         _lunar_new_year),
        (r"(?:腊月|十二月腊月)(?:初|里)?(?P<d>二?十[一二三四五六七八九]?|[一二三四五六七八九]|三十)(?!月)号?", _last_lunar_month),
        (r"过了?正月十五", lambda m: d.FestivalDay("lantern", after=True)),
        (r"(?:阴历|农历|旧历)[^,.!?;]{1,6}(?:以后|之后|前|后)?|[出过]了?正月|[正腊]月里?(?:以后|之后|后)?|二月二(?![十\d号日])", lambda m: PAST),
        (r"(?:过了|过完|出了?)(?P<d>十[一二三四五六七八九]?|二十[一二三四五六七八九]?)(?![\d点号天块个分月年多几日小])(?P<past>(?:再|以?后|之后|$|(?=[,.吧])))", _tenth),
        (r"(?<![\d月年第百零一二三四五六七八九十两])(?P<d>十[二三四五六七八九]|二十[一二三四五六七八九]?)(?:(?=[早上中下晚][上午])|(?P<past>以后|之后|过后))(?!$^)", _tenth),
        # gone by
        (rf"[去前]年的?(?:{_NAMES}|(?:\d{{1,2}}|[一二三四五六七八九十]{{1,2}})月(?:份|(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[号日])?)", lambda m: PAST),
        (r"大?前天|昨[天日晚儿]|[去前]年|上个?月(?!底)|上(?:次|回)|前(?:几|两)天|前阵子|之前那?次", lambda m: PAST),
        (rf"(?:{N}|半|几)个?(?:天|周|星期|礼拜|月|年|小时|钟头|分钟)(?:多)?(?:以前|之前|前)(?!后)", lambda m: PAST),
        # relative days
        (r"明后(?:两|二)?[天日]", lambda m: d.InDays(1, 2)),
        (r"今明(?:两|二)?[天日]", lambda m: d.InDays(0, 1)),
        (r"下(?:个)?(?:周|星期|礼拜)的?(?:今天|这(?:一)?天)", lambda m: d.InDays(7)),
        (r"明年的?(?:今天|这(?:一)?天)", lambda m: d.InMonths(12)),
        (r"下个?月的?(?:今天|这(?:一)?天)", lambda m: d.InMonths(1)),
        (rf"(?<![以之])(?:(?P<day>大大后|大后|后|明|今|听|次|翌)[天日](?!天?气)|(?P<d3>今|明|后)朝(?=[^阳]|$)|(?P<d2>大后|(?<!赶)明|今|后)(?:儿个?|个儿?(?=[早晚上下中])))(?:的)?{EARLY_LATE}",
         lambda m: d.InDays(_RELATIVE[m["day"] or m["d2"] or m["d3"]])),
        (r"第二天", lambda m: d.InDays(1)),
        (r"(?P<day>今|明|后|听)(?P<part>[早晚夜])(?![点些一饭餐安到]|里向)", lambda m: d.InDays(_RELATIVE[m["day"]])),
        (r"当(?:天|日|晚)", lambda m: d.InDays(0)),
        # waits of days and more
        (rf"(?:[再还][有得要]|还剩)(?P<n>{N})(?P<unit>{_UNITS})(?=[^,.]{{0,4}}(?:完|回|结束|到家|放假|解放))", _in_days),
        (r"(?:(?:下下?|这|本)个?月)?的?二?十[几来]号|几号", lambda m: PAST),
        (rf"(?:(?:再|我)?(?:过|等|隔|晚|往后推|推迟|延后|顺延|推后)(?:个|上)?)(?P<n>{N}|半)(?:来|多)?(?P<unit>个半月|{_UNITS})(?:时间|左右)?(?:以后|之后|过后|后)?(?!前|了)", _in_days),
        (r"(?P<n>[一两二三])个半月(?:时间|左右)?(?:以后|之后|过后|后|再)", lambda m: d.InDays(30 * (to_int(m["n"]) or 1) + 15)),
        (rf"(?P<n>{N})(?P<unit>天|周|个?星期|个?礼拜)(?:之内|以内|内)", _within_days),
        (rf"(?P<from>{N})(?:到|至|-|~)(?P<n>{N})(?P<unit>{_UNITS})(?:时间|左右)?(?:以后|之后|过后|后)(?!天|面)", _in_days),
        (rf"(?P<n>{N}|半)(?P<unit>{_UNITS})(?:时间|左右)?(?:(?:以后|之后|过后|后)(?!天|面)|(?=再))", _in_days),
        # weekdays and weeks
        (r"(?:(?<![一两几三\d])|(?<=休一))(?P<week>(?:这|本|下下|再下|下一?|上上|上一?)个?(?:的)?)?(?:周|星期|礼拜|拜)(?P<day>[一二三四五六日天末1-7])(?!次|期|[点个]|(?<=[1-7])\d|(?<=日)常)"
         rf"(?:[、和]?(?:[二三四五六](?=[二三四五六日]))*(?P<last>[二三四五六日天])(?![点号月十]))?(?:的)?{EARLY_LATE}", _weekday),
        (r"每(?:个)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天末])(?P<week>(?!))?(?P<last>(?!))?", _weekday),
        (r"(?P<week>这|本)?个?双休日?", lambda m: d.Weekend(_week_shift(m["week"]))),
        (r"(?P<week>这个?|本|下下个?|再下个?|下一?个?|上上个?|上一?个?)(?:周|星期|礼拜)(?P<wp>初|头上?|中|前半|后半|尾)?(?:以?内|之内|里|的)?", _week),
        (r"周初(?P<week>)", lambda m: d.Week(1, (0, 1))),
        (rf"(?P<n>{N})个?工作日(?:以后|之后|过后|后)", lambda m: d.InWorkdays(to_int(m["n"]) or 1)),
        (r"工作日", lambda m: d.Workday()),
        # lunar new year, festivals
        (r"(?:过完|过了)十一(?!点|月|号|[ ]?:)(?:以?后|之后|再)?|十一(?:假期|长假|期间|放假|黄金周)?(?:以后|之后|过后|后|结束后?)|十一(?:假期|长假|期间|放假|黄金周)", _ten_one),
        (r"(?:过完|过了)(?:大?年|春节)(?:以?后|之后)?|(?<![今明后去今多几\d半一两三四五六七八九十百千万])年后", lambda m: d.FestivalDay("spring", after=True)),
        (r"(?<![今明后去多几\d半一两三四五六七八九十])年前", lambda m: d.Before(d.FestivalDay("spring"))),
        (rf"(?P<y>今年|明年|后年|去年)?的?(?P<done>过完|过了)?(?P<name>{_NAMES})(?!卡|路|店|费)"
         r"(?P<tail>(?:节|当天|那天|那几天|那段时间|这几天|期间|长假|假期?|放假|放完假|收假(?:回来)?|黄金周)?(?:忙完|忙过)?(?:的时候)?(?:以后|之后|过后|后(?!天)|过了|(?:过完|结束|回来)(?:以后|之后|后)?|[之以]?前[一两二三]天|之前|以前|前(?!后|天))?)", _festival),
        (r"(?:过完|过了)节|节(?:日|假日)?(?:以后|之后|过后|后)|放完假|假期(?:以?后|之后|(?:结束|完)(?:以后|之后|后)?)|收假", lambda m: d.AfterHoliday()),
        # calendar dates
        (r"(?<!\d)(?P<y>20\d\d)[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})(?!\d)[日号]?", _written),
        (rf"(?:(?P<y>今年|明年|后年|20\d\d年|\d\d年|二[零〇][一二三四五六七八九零〇]{{2}}年)的?)?"
         rf"(?:(?P<rel>(?:本|这个?|当|下下个?|下一?个?|上个?)月)的?|(?P<m>{MM}|\d{{2}})月(?:份)?的?)?(?P<d>{DD}(?!\d)|\d{{2}})[号日]{NOT_A_NUMBER_OF}(?:那天|当天)?{EARLY_LATE}", _month_day),
        (rf"(?:(?P<y>今年|明年|后年|20\d\d年)的?)?(?P<rel>(?!))?(?P<m>{MM})月(?P<d>{DD})(?![\d点:个、])", _month_day),
        (r"(?<![\d.:/-])(?P<y>(?!))?(?P<m>1[0-2]|0?[1-9])[/-](?P<d>[12]\d|3[01]|0?[1-9])(?![\d.:/点时分折%-]|小时|个|天|周|星期|人|次|刻)", _written),
        (r"(?:(?<![\d.:/-])|(?<=\.\d[-~到至])|(?<=\.\d\d[-~到至]))(?P<y>(?!))?(?P<m>1[0-2]|[1-9])\.(?P<d>[12]\d|3[01]|0?[1-9])(?=(?:上午|下午|晚上|中午|早上|号|日|[-~到至]\d\d?\.\d| |,|吧|$))", _written),
        (rf"(?<![\d月:.])(?P<y>(?!))?(?P<rel>(?!))?(?P<m>(?!))?(?P<d>{DD})(?=[到至~-]{DD}[号日](?!线|楼))", _month_day),
        (r"(?P<y>(?!))?(?P<rel>(?:本|这个?|当|下下个?|下一?个?)月)的?(?P<m>(?!))?(?P<d>十[一二三四五六七八九]?|二十[一二三四五六七八九]?|三十一?)(?![\d点:个、天分多几号日])", _month_day),
        # months and years
        (rf"(?:(?P<rel>(?:本|这个?|当|下下个?|下一?个?)月)|(?P<m>{MM})月份?)?(?:月?底)?的?(?:(?P<final>最后|倒数第?)|第)(?P<n>[一二两三四])个?(?P<what>天|(?:周|星期|礼拜)[一二三四五六日天])", _nth_in_month),
        (r"(?:(?P<y>今年|明年|后年|20\d\d年)的?)?(?P<rel>(?:本|这个?|当|下下个?|下一?个?|上个?)月)的?(?P<mp>初|底|末|尾巴?上?|头上?|中旬|中|上旬|下旬|上半月?|下半月?)?(?:份|内|里|以内)?(?P<m>(?!))?", _month),
        (rf"(?:(?P<y>今年|明年|后年|20\d\d年)的?)?(?<![\d个零一二三四五六七八九十])(?P<rel>(?!))?(?P<m>{MM})月份?的?(?P<mp>初|底|末|尾巴?上?|头上?|中旬|中|上旬|下旬)?", _month),
        (r"(?<![个\d一二三四五六七八九十])(?P<y>(?!))?(?P<rel>(?!))?(?P<m>(?!))?月(?P<mp>初|底|末|尾巴?上?|头上?|中)", _month),
        (r"月半", lambda m: d.MonthDay(15)),
        (r"(?P<mp>上旬|中旬|下旬|上半月|下半月)(?P<y>(?!))?(?P<rel>(?!))?(?P<m>(?!))?", _month),
        (r"(?P<y>今|明|后|来|本)年的?(?:年?(?P<yp>底|末|初))?", _year_alone),
        (r"年(?P<yp>底|末|尾)(?P<y>)", lambda m: d.Month(12, closing=True)),
        (r"(?<![\d一二三])年初", lambda m: d.Month(1)),
    )
)
