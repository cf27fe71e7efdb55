"""What the sentences say is what the engine does: they are read here like a person would, by a calendar of this file's own."""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.campaigns.decide import Facts, Send, Stop, Talk, Wait, decide
from followup.campaigns.definition import Again, Amount, Definition, Hours, Late, Retry, Rule, Unit, Window
from followup.campaigns.gate import Standing
from followup.campaigns.plan import Customer, plan
from followup.console.campaigns import sentences
from followup.holidays import is_worked_weekend, public_holiday
from followup.settings import SHANGHAI

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=SHANGHAI)
WEEKDAYS = {"周一至周五": {1, 2, 3, 4, 5}, "周六、周日": {6, 7}}


# —— a reader of the sentences ————————————————————————————————————————————————


def months_later(day: date, number: int) -> date:
    year, month = divmod(day.month - 1 + number, 12)
    return date(day.year + year, month + 1, min(day.day, calendar.monthrange(day.year + year, month + 1)[1]))


def later(day: date, number: int, unit: str) -> date:
    return months_later(day, number) if unit in ("个月", "月") else day + timedelta(days=number * (7 if unit == "周" else 1))


def wanted_of(sentence: str, base: datetime, timed: bool) -> tuple[datetime, date]:
    """(the moment that is wanted, the last day of the span) as the sentence says."""
    day = base.date()
    if found := re.search(r"后第(\d+)到(\d+)(天|周|月)之间", sentence):
        day, last = later(base.date(), int(found[1]), found[3]), later(base.date(), int(found[2]), found[3])
    elif found := re.search(r"后第(\d+)天|后 (\d+) (周|个月|天)", sentence):
        day = last = later(base.date(), int(found[1] or found[2]), found[3] or "天")
    elif "后马上" in sentence or "小时" in sentence:
        hours = int(found[1]) if (found := re.search(r"后 (\d+) 小时", sentence)) else 0
        start = base if timed else datetime.combine(base.date() + timedelta(days=1), time(), SHANGHAI)
        return start + timedelta(hours=hours), date.max
    else:
        assert "当天" in sentence, sentence
        last = day
    at = datetime.combine(day, time(17) if "傍晚" in sentence else time(), SHANGHAI)
    return max(at, base), last


def openings(sentence: str, at: datetime, days: int = 120) -> datetime | None:
    """The first moment from `at` on that is inside the hours of the sentence."""
    hours = sentence.partition("联系")[2]
    for day in (at.date() + timedelta(days=n) for n in range(days)):
        if "节假日不联系" in hours and public_holiday(day):
            continue
        for part in hours.split("；"):
            names = [name for name in WEEKDAYS if name in part]
            if names and day.isoweekday() not in WEEKDAYS[names[0]] and not (names[0] == "周一至周五" and is_worked_weekend(day)):
                continue
            for begin, end in re.findall(r"(\d\d:\d\d)–(\d\d:\d\d)", part):
                opens = max(datetime.combine(day, time.fromisoformat(begin), SHANGHAI), at)
                if opens < datetime.combine(day, time.fromisoformat(end), SHANGHAI):
                    return opens
    return None


def deadline_of(more: str, wanted: datetime, last: date) -> datetime:
    """Exclusive."""
    if "过了这段日子就不再联系" in more:
        return datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    number, unit = re.search(r"最多推迟 (\d+) (小时|天|周|个月)", more).groups()
    if unit == "小时":
        return wanted + timedelta(hours=int(number))
    return datetime.combine(later(wanted.date(), int(number), unit) + timedelta(days=1), time(), SHANGHAI)


# —— rules ——————————————————————————————————————————————————————————————


@st.composite
def rule(draw: st.DrawFn) -> Rule:
    unit = draw(st.sampled_from(Unit))
    number = draw(st.integers(0, 40 if unit is not Unit.MONTHS else 14))
    latest = Amount(number + draw(st.integers(0, 10)), unit) if unit is not Unit.HOURS and draw(st.booleans()) else None
    deadline = draw(st.none() | st.builds(Amount, st.integers(1, 30), st.sampled_from(Unit)))
    evening = draw(st.booleans()) and (unit is not Unit.HOURS or number == 0)
    return Rule("甲", "签收日期", Amount(number, unit), evening, latest, deadline, late=draw(st.sampled_from(Late)))


HOURS = st.sampled_from(
    [
        Hours(),
        Hours(holidays=True),
        Hours((Window(time(9), time(11), (1, 2, 3, 4, 5)),)),
        Hours((Window(time(9), time(11), (1, 2, 3, 4, 5)), Window(time(18), time(19, 30), (6, 7)))),
    ]
)


@given(rule(), HOURS, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.none() | st.times(), st.floats(0, 0.999))
def test_the_plan_does_what_the_sentence_says(rule: Rule, hours: Hours, day: date, clock: time | None, spread: float) -> None:
    made = Definition("fruit_order", (rule,), hours=hours)
    base = datetime.combine(day, (clock or time()).replace(second=0, microsecond=0), SHANGHAI)
    written = f"{base:%Y-%m-%d %H:%M}" if clock else f"{day}"
    (told,) = sentences.rules(made, NOW)
    (entry,) = plan(made, Customer(1, fields={"签收日期": written}), base - timedelta(days=30), base, spread)
    wanted, last = wanted_of(told.text, base, clock is not None)
    if rule.latest is not None:
        days = (last - wanted.date()).days + 1
        wanted = max(datetime.combine(wanted.date() + timedelta(days=int(spread * days)), time(17) if rule.evening else time(), SHANGHAI), base)
    opens, deadline = openings(told.text, wanted), deadline_of(told.more, wanted, last)
    if opens is None or opens >= deadline:
        assert (entry.state, entry.reason) == ("suppressed", "no_opening"), told
    else:
        assert entry.next_at == opens and entry.not_after == deadline, (told, entry)


@given(rule(), HOURS)
def test_the_example_is_what_the_plan_has_for_that_customer(rule: Rule, hours: Hours) -> None:
    made = Definition("fruit_order", (rule,), hours=hours)
    (told,) = sentences.rules(made, NOW)
    timed = rule.after.unit is Unit.HOURS and not rule.evening
    (entry,) = plan(made, Customer(1, fields={"签收日期": "2026-11-20 10:05" if timed else "2026-11-20"}), NOW, NOW)
    if entry.next_at is None:
        assert "不联系：" in told.example
    else:
        assert f"{entry.next_at.month}月{entry.next_at.day}日（周{'一二三四五六日'[entry.next_at.weekday()]}）{entry.next_at:%H:%M}" in told.example


@pytest.mark.parametrize(("late", "said", "reason"), [(Late.SKIP, "不再联系", "late_skipped"), (Late.TELL, "由同事处理", "late_told"), (Late.NOW, "尽快联系", "")])
def test_what_is_said_of_late_customers_is_done(late: Late, said: str, reason: str) -> None:
    made = Definition("fruit_order", (Rule("3天", "签收日期", Amount(3, Unit.DAYS), late=late),))
    (told,) = sentences.rules(made, NOW)
    (entry,) = plan(made, Customer(1, fields={"签收日期": "2026-11-10"}), NOW, NOW)
    assert told.more.split("；")[1].split("。")[0].endswith(said) and entry.reason == reason
    assert (entry.next_at == NOW) == (late is Late.NOW)


def test_who_has_no_date_is_not_contacted_as_it_is_said() -> None:
    made = Definition("fruit_order", (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),))
    assert "没有“签收日期”的客户不联系。" in sentences.rules(made, NOW)[0].more
    assert plan(made, Customer(1), NOW, NOW)[0].state == "suppressed"


def test_a_repeated_contact_is_told_and_planned() -> None:
    made = Definition("fruit_order", (Rule("季度", "购买日期", Amount(1, Unit.MONTHS), every=3, times=4),))
    (told,) = sentences.rules(made, NOW)
    assert told.text.startswith("每位客户在购买后 1 个月联系（以后每隔 3 个月一次，一共 4 次），上午10:00")
    at, seen = NOW, set()
    while at < NOW + timedelta(days=500):
        seen |= {entry.due_at.date() for entry in plan(made, Customer(1, fields={"购买日期": "2026-11-30"}), at, NOW)}
        at += timedelta(days=30)
    # The last of December, of March (30), of June and of September, moved past holidays and into the hours.
    assert seen == {date(2026, 12, 30), date(2027, 3, 30), date(2027, 6, 30), date(2027, 9, 30)}


def test_the_sentences_read_well() -> None:
    made = Definition("fruit_order", (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),))
    (told,) = sentences.rules(made, NOW)
    assert told.text == "每位客户在签收后第3天联系，上午10:00–11:30或下午15:00–17:30，节假日不联系；不在时段里的，改到下一个时段。"
    assert told.more == "最多推迟 2 周；导入时已经过了时间的客户，还来得及就尽快联系。没有“签收日期”的客户不联系。"
    assert told.example == "例如：11月20日签收的客户，11月23日（周一）10:00联系，最晚到12月7日。"
    (told,) = sentences.rules(Definition("fruit_order", (Rule("马上", ""),)), NOW)
    assert told.example == "例如：11月20日启动，11月20日（周五）10:05联系，最晚到12月4日。"


# —— after the first message —————————————————————————————————————————————————


def life(made: Definition, failing: tuple[str, ...] = (), off: tuple[str, ...] = (), days: int = 300) -> list[tuple[datetime, str, str]]:
    """(when, channel, kind) of everything that `decide` would send to a customer who never comes, and how it ends.

    `failing`: channels on which nothing will ever arrive; `off`: those on which it could, and does not.
    """
    standing = Standing(False, frozenset(made.channels), frozenset(made.channels), 0)
    facts, at, found = Facts("waiting", "", 0, None, NOW + timedelta(days=days), False, standing), NOW, []
    for _ in range(200):
        step = decide(made, facts, at, 9)
        if isinstance(step, Wait):
            at = step.until
        elif isinstance(step, Stop):
            return [*found, (at, step.state, step.reason)]
        elif isinstance(step, Send):
            found.append((at, step.channel, step.kind))
            same = step.channel == facts.channel
            if step.channel in failing + off:
                failed_at, failures = (at, (facts.failures if same else 0) + 1) if step.channel in off else (None, 0)
                facts = replace(facts, state="waiting", channel=step.channel, failed_at=failed_at, failures=failures)
            else:
                facts = replace(facts, state="sent", channel=step.channel, tries=facts.tries + 1 if same else 1, sent_at=at, failed_at=None)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("channels", [("sms",), ("sms", "email")])
@pytest.mark.parametrize(("times", "interval", "expires"), [(0, 24, 48), (1, 24, 72), (3, 48, 168), (2, 30, 100)])
def test_reminders_come_as_it_is_said(channels: tuple[str, ...], times: int, interval: int, expires: int) -> None:
    all_day = Hours((Window(time(8, 30), time(21)),), holidays=True)
    made = Definition("x", (Rule("a", ""),), hours=all_day, channels=channels, retry=Retry(times, timedelta(hours=interval), timedelta(hours=expires)))
    said = dict(sentences.by_reason(made))["没有打开"]
    happened = life(made)
    reminders = int(found[1]) if (found := re.search(r"最多 (\d+) 次", said)) else 0
    assert [kind for _, channel, kind in happened[:-1] if channel == "sms"] == ["first", *["reminder"] * reminders]
    assert ("改用邮件" in said) == any(channel == "email" for _, channel, _ in happened)
    units = {"天": 24, "小时": 1}
    for number, unit in re.findall(r"隔 (\d+) (天|小时)", said):
        least = timedelta(hours=int(number) * units[unit])
        gaps = [later[0] - earlier[0] for earlier, later in zip(happened[:-1], happened[1:-1], strict=False)]
        assert all(least <= gap < least + timedelta(days=1) for gap in gaps), gaps
    number, unit = re.search(r"最后一次联系以后 (\d+) (天|小时)", said).groups()
    assert happened[-1][0] - happened[-2][0] == timedelta(hours=int(number) * units[unit]) and happened[-1][1] == "unreachable"


ALL_DAY = Hours((Window(time(8, 30), time(21)),), holidays=True)
UNITS = {"天": 24, "小时": 1}


def test_what_is_said_of_failures_is_done() -> None:
    two = Definition("x", (Rule("a", ""),), channels=("sms", "email"))
    assert "空号、黑名单、地址不存在的，马上改用邮件，短信不再试。" == dict(sentences.by_reason(two))["送不到"]
    assert [step[1:] for step in life(two, failing=("sms",))][:2] == [("sms", "first"), ("email", "first")]
    assert life(two, failing=("sms",))[1][0] == NOW
    one = Definition("x", (Rule("a", ""),), channels=("sms",))
    assert dict(sentences.by_reason(one))["送不到"] == "空号、黑名单、地址不存在的，短信不再试，列在台账里。"
    assert life(one, failing=("sms",))[-1][1:] == ("suppressed", "cannot_send")


@pytest.mark.parametrize("channels", [("sms",), ("sms", "email")])
@pytest.mark.parametrize(("times", "hours"), [(0, 24), (1, 24), (3, 5), (2, 72)])
def test_what_could_not_be_delivered_is_sent_again_as_it_is_said(channels: tuple[str, ...], times: int, hours: int) -> None:
    again = Again(times, timedelta(hours=hours))
    made = Definition("x", (Rule("a", ""),), hours=ALL_DAY, channels=channels, retry=Retry(not_delivered=again))
    said = dict(sentences.by_reason(made))["暂时没有送达"]
    happened = life(made, off=("sms",))
    by_sms = [at for at, channel, _ in happened if channel == "sms"]
    most = int(found[1]) if (found := re.search(r"最多 (\d+) 次", said)) else 0
    assert len(by_sms) == 1 + most
    for number, unit in re.findall(r"隔 (\d+) (天|小时)", said):
        least = timedelta(hours=int(number) * UNITS[unit])
        assert all(least <= later - earlier < least + timedelta(days=1) for earlier, later in zip(by_sms, by_sms[1:], strict=False))
    after = happened[len(by_sms)]
    assert after[0] == by_sms[-1]  # the moment it is known that it did not arrive
    assert after[1:] == (("email", "first") if "改用邮件" in said else ("suppressed", "cannot_send"))
    if times:
        late = life(made, off=("sms",), days=0)  # the deadline is now
        assert late[0][1] in ("suppressed",)
        soon = life(replace(made, retry=Retry(not_delivered=Again(times, timedelta(days=3)))), off=("sms",), days=2)
        assert [step[1] for step in soon[:2]] == ["sms", "email" if "马上改用邮件" in said else "suppressed"] and soon[1][0] == NOW


@pytest.mark.parametrize(("times", "hours"), [(0, 24), (1, 24), (3, 48), (2, 30)])
def test_who_left_before_the_end_is_asked_to_go_on_as_it_is_said(times: int, hours: int) -> None:
    made = Definition("x", (Rule("a", ""),), hours=ALL_DAY, channels=("email", "sms"), retry=Retry(unfinished=Again(times, timedelta(hours=hours))))
    said = dict(sentences.by_reason(made))["打开了没有答完"]
    standing, at, found = Standing(False, frozenset({"sms", "email"}), frozenset(), 0), NOW, []
    talk = Talk(heard_at=NOW, came_by="sms")
    for _ in range(50):
        facts = Facts("closed", "sms", 1, NOW, NOW + timedelta(days=300), True, standing, talk=talk)
        step = decide(made, facts, at, 9)
        if isinstance(step, Stop):
            break
        if isinstance(step, Wait):
            at = step.until
        elif isinstance(step, Send):
            found.append((at, step.channel, step.kind))
            talk = replace(talk, sent=talk.sent + 1, sent_at=at)
    most = int(told[1]) if (told := re.search(r"请他接着聊(?:一次)?，最多 (\d+) 次", said)) else 0
    assert [step[1:] for step in found] == [("sms", "unfinished")] * most  # by the way the customer came
    for number, unit in re.findall(r"隔 (\d+) (天|小时)", said):
        least = timedelta(hours=int(number) * UNITS[unit])
        times_of = [NOW, *(step[0] for step in found)]
        assert all(least <= later - earlier < least + timedelta(days=1) for earlier, later in zip(times_of, times_of[1:], strict=False))


def test_the_reasons_read_well() -> None:
    made = Definition(
        "x", (Rule("a", ""),), channels=("sms", "email"),
        retry=Retry(not_delivered=Again(2, timedelta(hours=12)), unfinished=Again(1, timedelta(days=2))),
    )  # fmt: skip
    said = dict(sentences.by_reason(made))
    assert said["暂时没有送达"] == "手机关机、信箱已满这一类的，隔 12 小时用短信再发，最多 2 次；还是没有送达，改用邮件；截止以前来不及再发的，马上改用邮件。"
    assert said["打开了没有答完"].startswith("客户停下来不说话以后，隔 2 天请他接着聊，最多 1 次；")
    assert said["客户说不想聊了"] == "到此为止，不再提醒，也不请他接着聊。"
