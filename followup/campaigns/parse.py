"""Definition <-> JSON, as the wizard, the API and the database hold it. Every error names its field, in Chinese. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, time, timedelta
from typing import Any, TypeVar

from followup.campaigns.definition import (
    EARLIEST,
    LATEST,
    Again,
    Amount,
    Audience,
    Condition,
    Definition,
    Hours,
    Late,
    Retry,
    Rule,
    Sampling,
    Season,
    Stratum,
    Unit,
    Window,
)

CHANNELS = ("sms", "email", "wechat", "link")
UNIT_NAMES = {Unit.HOURS: "小时", Unit.DAYS: "天", Unit.WEEKS: "周", Unit.MONTHS: "个月"}
_LONGEST = {Unit.HOURS: 24 * 31, Unit.DAYS: 366 * 3, Unit.WEEKS: 157, Unit.MONTHS: 36}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` names the field as it stands in the JSON: rules.0.after.number"""

    path: str
    message: str

    def __str__(self) -> str:
        return self.message


class DefinitionErrors(ValueError):
    """What must be put right first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("；".join(map(str, problems)))
        self.problems = tuple(problems)


def definition(raw: Mapping[str, Any]) -> Definition:
    """Raises DefinitionErrors with everything that is wrong, not only the first."""
    reader = _Reader(raw, "", [])
    made = _definition(reader)
    if not reader.problems:
        reader.problems.extend(_contradictions(made))
    if reader.problems:
        raise DefinitionErrors(reader.problems)
    return made


def as_json(made: Definition) -> dict[str, Any]:
    """The form `definition` reads."""
    return {
        "script_id": made.script_id,
        "rules": [_rule_json(rule) for rule in made.rules],
        "audience": {
            "groups": list(made.audience.groups),
            "without_groups": list(made.audience.without_groups),
            "conditions": [{"field": c.field, "values": list(c.values)} for c in made.audience.conditions],
            "imports": list(made.audience.imports),
        },
        "variables": dict(made.variables),
        "hours": {"windows": [_window_json(window) for window in made.hours.windows], "holidays": made.hours.holidays},
        "sampling": {
            "strata": [{"name": s.name, "groups": list(s.groups), "share": s.share} for s in made.sampling.strata],
            "top_up": made.sampling.top_up,
        },
        "retry": {
            "times": made.retry.times,
            "interval_hours": _hours(made.retry.interval),
            "expires_hours": _hours(made.retry.expires),
            "not_delivered": _again_json(made.retry.not_delivered),
            "unfinished": _again_json(made.retry.unfinished),
        },
        "channels": list(made.channels),
        "priority": made.priority,
        "per_minute": made.per_minute,
        "keep_days": made.keep_days,
        "starts_on": made.starts_on.isoformat() if made.starts_on else None,
        "ends_on": made.ends_on.isoformat() if made.ends_on else None,
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "date_field": rule.date_field,
        "after": _amount_json(rule.after),
        "evening": rule.evening,
        "latest": _amount_json(rule.latest),
        "deadline": _amount_json(rule.deadline),
        "every": rule.every,
        "times": rule.times,
        "late": rule.late.value,
    }


def _amount_json(amount: Amount | None) -> dict[str, Any] | None:
    return None if amount is None else {"number": amount.number, "unit": amount.unit.value}


def _again_json(again: Again) -> dict[str, int]:
    return {"times": again.times, "interval_hours": _hours(again.interval)}


def _window_json(window: Window) -> dict[str, Any]:
    season = window.season
    return {
        "begin": window.begin.strftime("%H:%M"),
        "end": window.end.strftime("%H:%M"),
        "weekdays": list(window.weekdays),
        "season": None if season is None else {"first": "%02d-%02d" % season.first, "last": "%02d-%02d" % season.last},
    }


def _hours(length: timedelta) -> int:
    return int(length / timedelta(hours=1))


class _Reader:
    """One mapping of the JSON: takes its values one by one and remembers what is wrong with them."""

    def __init__(self, raw: Any, path: str, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        if not isinstance(raw, Mapping):
            self.problem("", "这一部分的格式不对。")
            raw = {}
        self._raw = raw

    def problem(self, key: str, message: str) -> None:
        self.problems.append(Problem(".".join(part for part in (self.path, key) if part), message))

    def done(self, *known: str) -> None:
        """Whatever is left is an error: a setting that is silently ignored misleads."""
        for key in self._raw:
            if key not in known:
                self.problem(str(key), f"没有“{key}”这一项设置，请检查写法。")

    def text(self, key: str, name: str, *, longest: int = 60, needed: bool = False) -> str:
        value = self._raw.get(key)
        if value is not None and not isinstance(value, str):
            self.problem(key, f"“{name}”应当是文字。")
            return ""
        value = (value or "").strip()
        if needed and not value:
            self.problem(key, f"请填写“{name}”。")
        if len(value) > longest:
            self.problem(key, f"“{name}”最多 {longest} 个字，现在有 {len(value)} 个。")
        return value

    def number(self, key: str, name: str, low: int, high: int, default: int) -> int:
        value = self._raw.get(key, default)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(key, f"“{name}”应当是 {low} 到 {high} 之间的整数。")
            return default
        return value

    def share(self, key: str, name: str) -> float:
        value = self._raw.get(key, 1.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
            self.problem(key, f"“{name}”应当大于 0%，不超过 100%。")
            return 1.0
        return float(value)

    def yes(self, key: str, name: str) -> bool:
        value = self._raw.get(key, False)
        if not isinstance(value, bool):
            self.problem(key, f"“{name}”应当是“是”或“否”。")
        return value is True

    def day(self, key: str, name: str) -> date | None:
        text = self.text(key, name)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.problem(key, f"“{name}”不是日期：{text}。请写成 2026-03-05 这样。")
            return None

    def clock(self, key: str, name: str, default: time) -> time:
        text = self.text(key, name, needed=True)
        try:
            return time.fromisoformat(text) if re.fullmatch(r"\d\d:\d\d", text) else self._no_clock(key, name, text, default)
        except ValueError:
            return self._no_clock(key, name, text, default)

    def _no_clock(self, key: str, name: str, text: str, default: time) -> time:
        # What is not there was complained of already.
        if text:
            self.problem(key, f"“{name}”不是时间：{text}。请写成 09:30 这样。")
        return default

    def texts(self, key: str, name: str) -> tuple[str, ...]:
        value = self._raw.get(key) or ()
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
            self.problem(key, f"“{name}”应当是一列文字。")
            return ()
        return tuple(dict.fromkeys(text.strip() for text in value if text.strip()))

    def numbers(self, key: str, name: str, low: int, high: int) -> tuple[int, ...]:
        value = self._raw.get(key) or ()
        good = isinstance(value, Sequence) and not isinstance(value, str)
        if not good or not all(isinstance(v, int) and not isinstance(v, bool) and low <= v <= high for v in value):
            self.problem(key, f"“{name}”有填得不对的。")
            return ()
        return tuple(sorted(set(value)))

    def mapping(self, key: str) -> Mapping[str, str]:
        value = self._raw.get(key) or {}
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            self.problem(key, "话术变量的值应当是文字。")
            return {}
        return {str(name): text for name, text in value.items() if text.strip()}

    def part(self, key: str, read: "Callable[[_Reader], _T]", default: _T) -> _T:
        """A mapping inside this one; `default` when it is not there."""
        if self._raw.get(key) is None:
            return default
        return read(_Reader(self._raw[key], ".".join(part for part in (self.path, key) if part), self.problems))

    def parts(self, key: str, read: "Callable[[_Reader], _T]", name: str, most: int) -> tuple[_T, ...]:
        value = self._raw.get(key) or ()
        if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
            self.problem(key, f"“{name}”应当是一列。")
            return ()
        if len(value) > most:
            self.problem(key, f"“{name}”最多 {most} 个。")
        path = ".".join(part for part in (self.path, key) if part)
        return tuple(read(_Reader(each, f"{path}.{number}", self.problems)) for number, each in enumerate(value[:most]))


def _definition(r: _Reader) -> Definition:
    r.done(*(field.name for field in fields(Definition)))
    made = Definition(
        script_id=r.text("script_id", "话术", needed=True),
        rules=r.parts("rules", _rule, "联系时间", 12),
        audience=r.part("audience", _audience, Audience()),
        variables=r.mapping("variables"),
        hours=r.part("hours", _read_hours, Hours()),
        sampling=r.part("sampling", _sampling, Sampling()),
        retry=r.part("retry", _retry, Retry()),
        channels=r.texts("channels", "渠道"),
        priority=r.number("priority", "优先级", 1, 9, 5),
        per_minute=r.number("per_minute", "每分钟最多联系", 1, 10_000, 60),
        keep_days=r.number("keep_days", "对话保留多少天", 0, 3650, 0),
        starts_on=r.day("starts_on", "开始日期"),
        ends_on=r.day("ends_on", "结束日期"),
    )
    if not made.rules and not r.problems:
        r.problem("rules", "请至少设一个联系时间。")
    if not made.channels:
        r.problem("channels", "请至少选一个渠道。")
    for channel in made.channels:
        if channel not in CHANNELS:
            r.problem("channels", f"没有“{channel}”这个渠道。")
    return made


def _rule(r: _Reader) -> Rule:
    r.done(*(field.name for field in fields(Rule)))
    late = r.text("late", "错过时间以后") or Late.NOW.value
    if late not in tuple(Late):
        r.problem("late", "“错过时间以后”请选“马上联系”“不再联系”或“告诉同事”。")
        late = Late.NOW.value
    return Rule(
        id=r.text("id", "名称", longest=20, needed=True),
        date_field=r.text("date_field", "从哪个日期算起"),
        after=r.part("after", _amount, Amount(0, Unit.HOURS)),
        evening=r.yes("evening", "当天傍晚"),
        latest=r.part("latest", _amount, None),
        deadline=r.part("deadline", _amount, None),
        every=r.number("every", "每隔几个月", 0, 36, 0),
        times=r.number("times", "最多几次", 0, 100, 0),
        late=Late(late),
    )


def _amount(r: _Reader) -> Amount:
    r.done("number", "unit")
    unit = r.text("unit", "单位") or Unit.DAYS.value
    if unit not in tuple(Unit):
        r.problem("unit", "单位请选小时、天、周或月。")
        unit = Unit.DAYS.value
    return Amount(r.number("number", "多久以后", 0, _LONGEST[Unit(unit)], 0), Unit(unit))


def _audience(r: _Reader) -> Audience:
    r.done(*(field.name for field in fields(Audience)))
    return Audience(
        groups=r.texts("groups", "客户分组"),
        without_groups=r.texts("without_groups", "不包括的分组"),
        conditions=r.parts("conditions", _condition, "条件", 20),
        imports=r.numbers("imports", "导入记录", 1, 2**53),
    )


def _condition(r: _Reader) -> Condition:
    r.done("field", "values")
    made = Condition(r.text("field", "列名", needed=True), r.texts("values", "取值"))
    if not made.values:
        r.problem("values", f"请写明“{made.field}”是什么值的客户。")
    return made


def _read_hours(r: _Reader) -> Hours:
    r.done("windows", "holidays")
    made = Hours(r.parts("windows", _window, "可联系时段", 24), r.yes("holidays", "节假日也联系"))
    if not made.windows:
        r.problem("windows", "请至少设一个可联系时段。")
    return made


def _window(r: _Reader) -> Window:
    r.done(*(field.name for field in fields(Window)))
    made = Window(
        begin=r.clock("begin", "开始时间", EARLIEST),
        end=r.clock("end", "结束时间", LATEST),
        weekdays=r.numbers("weekdays", "星期", 1, 7),
        season=r.part("season", _season, None),
    )
    if not made.weekdays:
        r.problem("weekdays", "请至少选一个星期几。")
    if made.begin >= made.end:
        r.problem("end", f"时段的结束（{made.end:%H:%M}）要晚于开始（{made.begin:%H:%M}）。")
    elif made.begin < EARLIEST or made.end > LATEST:
        r.problem("begin", f"只能在 {EARLIEST:%H:%M} 到 {LATEST:%H:%M} 之间联系客户，时段 {made.begin:%H:%M}–{made.end:%H:%M} 超出了。")
    return made


def _season(r: _Reader) -> Season:
    r.done("first", "last")
    return Season(_month_day(r, "first", "季节从"), _month_day(r, "last", "季节到"))


def _month_day(r: _Reader, key: str, name: str) -> tuple[int, int]:
    text = r.text(key, name, needed=True)
    try:
        day = date.fromisoformat(f"2028-{text}")  # a leap year: 02-29 is a day
    except ValueError:
        r.problem(key, f"“{name}”不是日期：{text}。请写成 05-01 这样。")
        return 1, 1
    return day.month, day.day


def _sampling(r: _Reader) -> Sampling:
    r.done("strata", "top_up")
    made = Sampling(r.parts("strata", _stratum, "抽样分层", 20), r.yes("top_up", "联系不上就补抽"))
    if not made.strata:
        r.problem("strata", "请至少设一层抽样；全部都联系，就设一层 100%。")
    return made


def _stratum(r: _Reader) -> Stratum:
    r.done("name", "groups", "share")
    return Stratum(r.text("name", "分层名称", longest=20, needed=True), r.texts("groups", "客户分组"), r.share("share", "抽样比例"))


def _retry(r: _Reader) -> Retry:
    r.done("times", "interval_hours", "expires_hours", "not_delivered", "unfinished")
    return Retry(
        times=r.number("times", "再提醒几次", 0, 3, 1),
        interval=timedelta(hours=r.number("interval_hours", "间隔", 4, 24 * 30, 24)),
        expires=timedelta(hours=r.number("expires_hours", "多久没有回应算未响应", 1, 24 * 60, 24 * 7)),
        not_delivered=r.part("not_delivered", lambda part: _again(part, "暂时没有送达，", 1), Again()),
        unfinished=r.part("unfinished", lambda part: _again(part, "打开了没有答完，", 4), Again()),
    )


def _again(r: _Reader, when: str, least_hours: int) -> Again:
    """One reason to do it again; a part that is missing keeps what was before there were parts: never."""
    r.done("times", "interval_hours")
    hours = r.number("interval_hours", f"{when}隔几小时", least_hours, 24 * 30, 24)
    return Again(r.number("times", f"{when}再发几次", 0, 3, 0), timedelta(hours=hours))


def _contradictions(made: Definition) -> list[Problem]:
    """What is wrong between fields that are each right by themselves."""
    found = []
    ids = [rule.id for rule in made.rules]
    for number, rule in enumerate(made.rules):
        path = f"rules.{number}"
        if ids.index(rule.id) < number:
            found.append(Problem(f"{path}.id", f"有两个联系时间都叫“{rule.id}”，请改成不同的名称。"))
        if rule.latest is not None and (rule.latest.unit is not rule.after.unit or rule.latest.number < rule.after.number):
            found.append(Problem(f"{path}.latest", f"“{rule.id}”：最晚要用同一个单位，而且不能早于最早。"))
        if rule.latest is not None and rule.after.unit is Unit.HOURS:
            found.append(Problem(f"{path}.latest", f"“{rule.id}”：一段日子请用天、周或月。"))
        if rule.every and not rule.date_field:
            found.append(Problem(f"{path}.every", f"“{rule.id}”：重复联系要从客户的某个日期算起。"))
    names = [stratum.name for stratum in made.sampling.strata]
    if len(set(names)) < len(names):
        found.append(Problem("sampling.strata", "抽样分层的名称不能相同。"))
    if any(not stratum.groups for stratum in made.sampling.strata[:-1]):
        found.append(Problem("sampling.strata", "不限分组的一层要放在最后，否则后面的分层里不会有客户。"))
    if made.starts_on and made.ends_on and made.ends_on < made.starts_on:
        found.append(Problem("ends_on", "结束日期早于开始日期。"))
    return found
