"""A campaign's definition in plain Chinese, for whoever starts it and whoever reads about it later. Pure."""

from __future__ import annotations

from datetime import time, timedelta

from followup.campaigns.definition import Amount, Audience, Definition, Hours, Late, Retry, Rule, Sampling, Season, Unit, Window
from followup.campaigns.labels import label
from followup.campaigns.parse import UNIT_NAMES

_WEEK = "一二三四五六日"
_LATE = {
    Late.NOW: "导入时已经过了时间的客户，还来得及就尽快联系",
    Late.SKIP: "导入时已经过了时间的客户，不再联系",
    Late.TELL: "导入时已经过了时间的客户，不自动联系，列在台账里由同事处理",
}
_EVERY_DAY, _WORKDAYS = tuple(range(1, 8)), tuple(range(1, 6))


def summary(made: Definition) -> list[tuple[str, str]]:
    """(heading, what it says) of every part but the script."""
    when = "；".join(rule_text(rule) for rule in made.rules)
    return [
        ("联系谁", audience_text(made.audience)),
        ("抽多少", sampling_text(made.sampling)),
        ("什么时候", f"{when}，{hours_text(made.hours)}"),
        ("怎样联系", channels_text(made.channels)),
        ("没有回应", retry_text(made.retry)),
        ("快慢先后", pace_texts(made)[0]),
        ("起止", pace_texts(made)[1]),
    ]


# —— when ————————————————————————————————————————————————————————————————


def rule_text(rule: Rule) -> str:
    """签收后第3天，以后每隔 3 个月一次"""
    return "，".join(filter(None, (moment_text(rule), again_text(rule))))


def moment_text(rule: Rule) -> str:
    """签收后第3天"""
    since = since_text(rule.date_field)
    if rule.latest is not None:
        text = f"{since}后第{rule.after.number}到{rule.latest.number}{_unit(rule.after.unit)}之间"
        return f"{text}的傍晚（每位客户分到其中一天）" if rule.evening else f"{text}（每位客户分到其中一天）"
    if not rule.after.number:
        # Hours run from the moment, everything else from the day.
        return f"{since}当天傍晚" if rule.evening else f"{since}后马上" if rule.after.unit is Unit.HOURS else f"{since}当天"
    text = f"{since}{_after(rule.after)}"
    return f"{text}的傍晚" if rule.evening else text


def again_text(rule: Rule) -> str:
    """以后每隔 3 个月一次，一共 4 次"""
    if not rule.every:
        return ""
    return f"以后每隔 {rule.every} 个月一次，" + (f"一共 {rule.times} 次" if rule.times else "直到任务结束")


def rule_more(rule: Rule) -> str:
    """What happens around the time itself: until when, and what is late."""
    return f"{until_text(rule)}；{_LATE[rule.late]}"


def until_text(rule: Rule) -> str:
    """最多推迟 2 周"""
    if rule.deadline is not None:
        return f"最多推迟{_length(rule.deadline)}"
    return "过了这段日子就不再联系" if rule.latest is not None else "最多推迟 2 周"


def since_text(column: str) -> str:
    """签收日期 → 签收"""
    if not column:
        return "任务启动"
    for end in ("日期", "时间"):
        if column.endswith(end) and len(column) > len(end):
            return column.removesuffix(end)
    return column


def _after(amount: Amount) -> str:
    if amount.unit is Unit.DAYS:
        return f"后第{amount.number}天"
    return f"后{_length(amount)}"


def _length(amount: Amount | None) -> str:
    return "" if amount is None else f" {amount.number} {UNIT_NAMES[amount.unit]}"


def _unit(unit: Unit) -> str:
    return UNIT_NAMES[unit].removeprefix("个")


def hours_text(hours: Hours) -> str:
    """上午10:00–11:30或下午15:00–17:30，节假日不联系"""
    groups: dict[tuple[tuple[int, ...], Season | None], list[Window]] = {}
    for window in hours.windows:
        groups.setdefault((window.weekdays, window.season), []).append(window)
    parts = []
    for (weekdays, season), windows in groups.items():
        spans = "或".join(_window(window) for window in sorted(windows, key=lambda one: one.begin))
        days = "" if weekdays == _EVERY_DAY else weekdays_text(weekdays)
        parts.append("".join(filter(None, (season_text(season), days, spans))))
    return "；".join(parts) + ("，节假日也联系" if hours.holidays else "，节假日不联系")


def _window(window: Window) -> str:
    part = "上午" if window.begin < time(12) else "下午" if window.begin < time(18) else "晚上"
    return f"{part}{window.begin:%H:%M}–{window.end:%H:%M}"


def weekdays_text(weekdays: tuple[int, ...]) -> str:
    if weekdays == _EVERY_DAY:
        return "每天"
    if weekdays == _WORKDAYS:
        return "周一至周五"
    if len(weekdays) > 2 and weekdays == tuple(range(weekdays[0], weekdays[-1] + 1)):
        return f"周{_WEEK[weekdays[0] - 1]}至周{_WEEK[weekdays[-1] - 1]}"
    return "、".join(f"周{_WEEK[day - 1]}" for day in weekdays)


def season_text(season: Season | None) -> str:
    if season is None:
        return ""
    return f"{season.first[0]}月{season.first[1]}日至{season.last[0]}月{season.last[1]}日"


# —— who —————————————————————————————————————————————————————————————————


def audience_text(audience: Audience) -> str:
    parts = []
    if audience.groups:
        parts.append("分组是" + "或".join(f"“{name}”" for name in audience.groups))
    if audience.without_groups:
        parts.append("不在" + "、".join(f"“{name}”" for name in audience.without_groups) + "里")
    parts += [f"{one.field}是" + "或".join(f"“{value}”" for value in one.values) for one in audience.conditions]
    if audience.imports:
        parts.append("来自导入记录 " + "、".join(map(str, audience.imports)))
    return "，并且".join(parts) + "的客户" if parts else "全部登记的客户"


def sampling_text(sampling: Sampling) -> str:
    if len(sampling.strata) == 1 and not sampling.strata[0].groups and sampling.strata[0].share == 1:
        return "全部联系，不抽样"
    parts = [f"“{one.name}”（{'、'.join(one.groups) or '其余客户'}）抽 {one.share * 100:g}%" for one in sampling.strata]
    return "；".join(parts) + ("；联系不上的，从没有抽中的客户里按次序补抽" if sampling.top_up else "；联系不上的不补抽")


# —— how —————————————————————————————————————————————————————————————————


def channels_text(channels: tuple[str, ...]) -> str:
    names = [label(channel, "channels") for channel in channels]
    if len(names) == 1:
        return f"用{names[0]}"
    return "依次用" + "、".join(names) + "；前一种联系不上或者客户没有同意，才用后一种"


def retry_text(retry: Retry) -> str:
    again = f"隔{hours_long(retry.interval)}再提醒，最多 {retry.times} 次" if retry.times else "不再提醒"
    text = f"{again}；最后一次联系以后{hours_long(retry.expires)}没有打开，记为“未响应”"
    if (part := retry.not_delivered).times:
        text += f"；暂时没有送达，隔{hours_long(part.interval)}再发，最多 {part.times} 次"
    if (part := retry.unfinished).times:
        text += f"；打开了没有答完，隔{hours_long(part.interval)}请客户接着聊，最多 {part.times} 次"
    return text


def hours_long(length: timedelta) -> str:
    """ 3 天 , 36 小时"""
    hours = int(length / timedelta(hours=1))
    return f" {hours // 24} 天" if hours % 24 == 0 else f" {hours} 小时"


def pace_texts(made: Definition) -> tuple[str, str]:
    """How fast and in what order; from when to when."""
    return f"每分钟最多联系 {made.per_minute} 位，优先级 {made.priority}（1 最先，9 最后）", _span(made)


def _span(made: Definition) -> str:
    first = f"{made.starts_on} 起" if made.starts_on else "启动以后就开始"
    return f"{first}，{made.ends_on} 以后不再联系" if made.ends_on else f"{first}，不设结束日期，新来的客户也会列入"
