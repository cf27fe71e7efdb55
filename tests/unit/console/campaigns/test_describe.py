from __future__ import annotations

from datetime import time, timedelta

import pytest

from followup.campaigns.definition import Again, Amount, Audience, Condition, Definition, Hours, Late, Retry, Rule, Sampling, Season, Stratum, Unit, Window
from followup.console.campaigns import describe

DAYS, HOURS, WEEKS, MONTHS = Unit.DAYS, Unit.HOURS, Unit.WEEKS, Unit.MONTHS


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule("a", "签收日期", Amount(3, DAYS)), "签收后第3天"),
        (Rule("a", "新车交付时间", Amount(2, HOURS)), "新车交付后 2 小时"),
        (Rule("a", "签收日期", evening=True), "签收当天傍晚"),
        (Rule("a", "签收日期", Amount(1, DAYS), evening=True), "签收后第1天的傍晚"),
        (Rule("a", "签收日期"), "签收后马上"),
        (Rule("a", "签收日期", Amount(0, DAYS)), "签收当天"),
        (Rule("a", "签收日期", Amount(2, WEEKS), evening=True, latest=Amount(3, WEEKS)), "签收后第2到3周之间的傍晚（每位客户分到其中一天）"),
        (Rule("a", "", Amount(1, DAYS)), "任务启动后第1天"),
        (Rule("a", "购买日期", Amount(8, DAYS), latest=Amount(15, DAYS)), "购买后第8到15天之间（每位客户分到其中一天）"),
        (Rule("a", "购买日期", Amount(3, WEEKS)), "购买后 3 周"),
        (Rule("a", "购买日期", Amount(1, MONTHS), every=3), "购买后 1 个月，以后每隔 3 个月一次，直到任务结束"),
        (Rule("a", "日期", Amount(6, MONTHS), every=6, times=4), "日期后 6 个月，以后每隔 6 个月一次，一共 4 次"),
    ],
)
def test_a_rule_is_told_as_one_would_say_it(rule: Rule, text: str) -> None:
    assert describe.rule_text(rule) == text


def test_what_happens_around_the_time_is_told() -> None:
    assert describe.rule_more(Rule("a", "x", late=Late.TELL)) == "最多推迟 2 周；导入时已经过了时间的客户，不自动联系，列在台账里由同事处理"
    assert describe.rule_more(Rule("a", "x", deadline=Amount(5, DAYS), late=Late.SKIP)) == "最多推迟 5 天；导入时已经过了时间的客户，不再联系"


def test_hours_are_told_with_part_of_the_day_weekdays_and_season() -> None:
    assert describe.hours_text(Hours()) == "上午10:00–11:30或下午15:00–17:30，节假日不联系"
    summer, workdays = Season((5, 1), (9, 30)), (1, 2, 3, 4, 5)
    windows = (Window(time(9), time(11), workdays, summer), Window(time(18), time(19), (6, 7)))
    assert describe.hours_text(Hours(windows, holidays=True)) == "5月1日至9月30日周一至周五上午09:00–11:00；周六、周日晚上18:00–19:00，节假日也联系"
    assert describe.weekdays_text((1, 2, 3, 4, 5, 6)) == "周一至周六"


def test_the_audience_is_told() -> None:
    assert describe.audience_text(Audience()) == "全部登记的客户"
    audience = Audience(("VIP", "车队"), ("曾投诉",), (Condition("城市", ("烟台",)),), (7,))
    assert describe.audience_text(audience) == "分组是“VIP”或“车队”，并且不在“曾投诉”里，并且城市是“烟台”，并且来自导入记录 7的客户"


def test_sampling_channels_and_reminders_are_told() -> None:
    assert describe.sampling_text(Sampling()) == "全部联系，不抽样"
    strata = (Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.3))
    assert describe.sampling_text(Sampling(strata, top_up=True)).startswith("“重点”（VIP）抽 100%；“普通”（其余客户）抽 30%；联系不上的，从")
    assert describe.channels_text(("sms",)) == "用短信"
    assert describe.channels_text(("sms", "email")).startswith("依次用短信、邮件；")
    assert describe.retry_text(Retry(2, timedelta(hours=36), timedelta(days=5))) == "隔 36 小时再提醒，最多 2 次；最后一次联系以后 5 天没有打开，记为“未响应”"
    by_reason = describe.retry_text(Retry(not_delivered=Again(2, timedelta(hours=12)), unfinished=Again(1)))
    assert by_reason.endswith("；暂时没有送达，隔 12 小时再发，最多 2 次；打开了没有答完，隔 1 天请客户接着聊，最多 1 次")


def test_every_part_of_a_definition_is_in_the_summary() -> None:
    told = dict(describe.summary(Definition("x", (Rule("3天", "签收日期", Amount(3, DAYS)),))))
    assert told["什么时候"] == "签收后第3天，上午10:00–11:30或下午15:00–17:30，节假日不联系"
    assert all(told.values()) and len(told) == 7
