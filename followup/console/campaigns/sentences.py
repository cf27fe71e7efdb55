"""What a campaign will do, in sentences, for script authors who do not read forms; with an example reckoned by the plan itself. Pure.

tests/unit/console/campaigns/test_sentences.py reads the sentences and holds them against `plan` and `decide`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from followup.campaigns.definition import Again, Definition, Retry, Rule, Unit
from followup.campaigns.labels import label
from followup.campaigns.plan import Customer, plan
from followup.console.campaigns.describe import again_text, hours_long, hours_text, rule_more, moment_text, since_text
from followup.settings import SHANGHAI

_WEEK = "一二三四五六日"
_LAST = 0.999999
"""The spread of the customer whose day is the last of a span."""


@dataclass(frozen=True, slots=True)
class Told:
    """A rule in a sentence, what else there is to know about it, and one customer as an example."""

    text: str
    more: str
    example: str


def rules(made: Definition, now: datetime) -> list[Told]:
    """One for each rule, in their order."""
    return [Told(rule_sentence(made, rule), _more(rule), example(made, rule, now)) for rule in made.rules]


def rule_sentence(made: Definition, rule: Rule) -> str:
    """每位客户在签收后第3天联系，上午10:00–11:30或下午15:00–17:30，节假日不联系；不在时段里的，改到下一个时段。"""
    again = again_text(rule)
    return f"每位客户在{moment_text(rule)}联系{f'（{again}）' if again else ''}，{hours_text(made.hours)}；不在时段里的，改到下一个时段。"


def _more(rule: Rule) -> str:
    found = [f"{rule_more(rule)}。"]
    if rule.evening:
        found.append("傍晚指 17:00 以后的第一个时段。")
    if rule.date_field:
        if rule.after.unit is Unit.HOURS and not rule.evening:
            found.append("客户资料里只有日期、没有钟点的，从第二天零点算起。")
        found.append(f"没有“{rule.date_field}”的客户不联系。")
    return "".join(found)


def example(made: Definition, rule: Rule, now: datetime) -> str:
    """One customer whose date is today, as `plan` has it."""
    local = now.astimezone(SHANGHAI)
    if rule.date_field:
        timed = rule.after.unit is Unit.HOURS and not rule.evening
        given = {rule.date_field: f"{local:%Y-%m-%d %H:%M}" if timed else f"{local:%Y-%m-%d}"}
        who = f"{_date(local)}{f' {local:%H:%M} ' if timed else ''}{since_text(rule.date_field)}的客户"
    else:
        given, who = {}, f"{_date(local)}启动"
    alone, customer = replace(made, rules=(replace(rule, every=0),)), Customer(0, fields=given)
    (first,) = plan(alone, customer, local, local, 0.0)
    if first.next_at is None:
        return f"例如：{who}，不联系：{label(first.reason, 'reasons')}。"
    (last,) = plan(alone, customer, local, local, _LAST)
    if rule.latest is not None and last.next_at is not None:
        return f"例如：{who}，在{_moment(first.next_at)}到{_moment(last.next_at)}之间的某一天联系。"
    return f"例如：{who}，{_moment(first.next_at)}联系，最晚到{_until(first.not_after)}。"


def _date(at: datetime) -> str:
    return f"{at.month}月{at.day}日"


def _moment(at: datetime) -> str:
    """11月23日（周一）10:00"""
    local = at.astimezone(SHANGHAI)
    return f"{_date(local)}（周{_WEEK[local.weekday()]}）{local:%H:%M}"


def _until(not_after: datetime | None) -> str:
    """A deadline that ends with a day is told as that day."""
    assert not_after is not None  # of every entry that has a time
    local = not_after.astimezone(SHANGHAI)
    return f"{_date(local - timedelta(days=1))}" if local.hour == local.minute == 0 else f"{_date(local)} {local:%H:%M}"


# —— what happens when a contact leads to nothing, reason by reason ————————————————————————


def by_reason(made: Definition) -> list[tuple[str, str]]:
    """(why there was no talk, what is done then)."""
    names = [label(channel, "channels") for channel in made.channels]
    return [
        ("没有打开", not_opened(made.retry, names)),
        ("暂时没有送达", not_delivered(made.retry.not_delivered, names)),
        ("送不到", f"空号、黑名单、地址不存在的，马上改用{names[1]}，{names[0]}不再试。" if len(names) > 1 else f"空号、黑名单、地址不存在的，{names[0]}不再试，列在台账里。"),
        ("打开了没有答完", unfinished(made.retry.unfinished)),
        ("没有同意，或者没有号码", "改用客户同意的后一种方式；一种也没有的，不联系，台账里写明原因。" if len(names) > 1 else "不联系，台账里写明原因。"),
        ("不知道有没有收到", "不再发，列在“待核实”里等同事处理。"),
        ("客户说现在不方便", "不算没有答完，按客户约的时间再联系，最多两次，两次都没有联系上就转给同事。"),
        ("客户说不想聊了", "到此为止，不再提醒，也不请他接着聊。"),
        ("客户说不要再联系", "马上停止，以后所有任务都不再联系这位客户。"),
    ]  # fmt: skip


def not_opened(retry: Retry, names: list[str]) -> str:
    """没有打开的，隔 1 天提醒，最多 1 次；……"""
    parts = [f"隔{hours_long(retry.interval)}提醒一次，最多 {retry.times} 次" if retry.times else "不提醒"]
    if len(names) > 1:
        parts.append(f"还没有打开，再隔{hours_long(retry.interval)}改用{names[1]}")
    parts.append(f"最后一次联系以后{hours_long(retry.expires)}还没有打开，记为“未响应”")
    return "；".join(parts) + "。"


def not_delivered(again: Again, names: list[str]) -> str:
    """隔 1 天用短信再发，最多 2 次；……"""
    what = "手机关机、信箱已满这一类的"
    then = f"改用{names[1]}" if len(names) > 1 else "列在台账里"
    if not again.times:
        return f"{what}，马上{then}。" if len(names) > 1 else f"{what}，不再发，{then}。"
    late = f"截止以前来不及再发的，马上{then}" if len(names) > 1 else f"截止以前来不及再发的，不再发，{then}"
    return f"{what}，隔{hours_long(again.interval)}用{names[0]}再发，最多 {again.times} 次；还是没有送达，{then}；{late}。"


def unfinished(again: Again) -> str:
    """隔 1 天请他接着聊，最多 2 次；……"""
    if not again.times:
        return "一天没有回话，会话就结束；下一个工作日再请他接着聊一次，没有来，第二天再请一次，还没有来就转给同事。"
    often = f"每隔{hours_long(again.interval)}请他接着聊一次" if again.times > 1 else f"隔{hours_long(again.interval)}请他接着聊"
    return (
        f"客户停下来不说话以后，{often}，最多 {again.times} 次；用客户来时的那种方式，从没有答的问题接着问；"
        "过了截止时间或者任务的最后一天，就不再请。"
    )
