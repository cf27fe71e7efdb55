"""A campaign's JSON: read back as written, every mistake named where it stands."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from followup.campaigns.definition import (
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
from followup.campaigns.parse import DefinitionErrors, as_json, definition

GOOD = {"script_id": "fruit_order", "rules": [{"id": "3天", "date_field": "签收日期", "after": {"number": 3, "unit": "days"}}], "channels": ["sms"]}


def problems(**changed: object) -> dict[str, str]:
    with pytest.raises(DefinitionErrors) as caught:
        definition({**GOOD, **changed})
    return {problem.path: problem.message for problem in caught.value.problems}


def rule(**changed: object) -> dict[str, object]:
    return {**GOOD["rules"][0], **changed}


def test_little_need_be_said() -> None:
    made = definition(GOOD)
    assert made == Definition("fruit_order", (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems(script_id="", priority=12, channels=[])
    assert set(found) == {"script_id", "priority", "channels"}


@pytest.mark.parametrize(
    ("changed", "path", "words"),
    [
        ({"script_id": None}, "script_id", "请填写“话术”。"),
        ({"rules": []}, "rules", "请至少设一个联系时间。"),
        ({"rules": "每天"}, "rules", "“联系时间”应当是一列。"),
        ({"rules": [rule(), rule()]}, "rules.1.id", "有两个联系时间都叫“3天”，请改成不同的名称。"),
        ({"rules": [rule(after={"number": 3, "unit": "years"})]}, "rules.0.after.unit", "单位请选小时、天、周或月。"),
        ({"rules": [rule(after={"number": -1, "unit": "days"})]}, "rules.0.after.number", "“多久以后”应当是 0 到 1098 之间的整数。"),
        ({"rules": [rule(latest={"number": 2, "unit": "days"})]}, "rules.0.latest", "“3天”：最晚要用同一个单位，而且不能早于最早。"),
        ({"rules": [rule(late="never")]}, "rules.0.late", "“错过时间以后”请选“马上联系”“不再联系”或“告诉同事”。"),
        ({"rules": [rule(evry=1)]}, "rules.0.evry", "没有“evry”这一项设置，请检查写法。"),
        ({"rules": [rule(date_field="", every=1)]}, "rules.0.every", "“3天”：重复联系要从客户的某个日期算起。"),
        ({"channels": ["pigeon"]}, "channels", "没有“pigeon”这个渠道。"),
        ({"hours": {"windows": []}}, "hours.windows", "请至少设一个可联系时段。"),
        ({"sampling": {"strata": [{"name": "普通", "share": 0}]}}, "sampling.strata.0.share", "“抽样比例”应当大于 0%，不超过 100%。"),
        ({"sampling": {"strata": [{"name": "全部"}, {"name": "重点", "groups": ["VIP"]}]}}, "sampling.strata", "不限分组的一层要放在最后，否则后面的分层里不会有客户。"),
        ({"starts_on": "2026-02-30"}, "starts_on", "“开始日期”不是日期：2026-02-30。请写成 2026-03-05 这样。"),
        ({"starts_on": "2026-03-05", "ends_on": "2026-03-04"}, "ends_on", "结束日期早于开始日期。"),
        ({"audience": {"conditions": [{"field": "车型", "values": []}]}}, "audience.conditions.0.values", "请写明“车型”是什么值的客户。"),
        ({"nonsense": 1}, "nonsense", "没有“nonsense”这一项设置，请检查写法。"),
    ],
)
def test_a_mistake_is_named_where_it_stands(changed: dict, path: str, words: str) -> None:
    assert problems(**changed).get(path) == words


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        ("07:00", "12:00", "只能在 08:30 到 21:00 之间联系客户，时段 07:00–12:00 超出了。"),
        ("10:00", "21:30", "只能在 08:30 到 21:00 之间联系客户，时段 10:00–21:30 超出了。"),
        ("12:00", "10:00", "时段的结束（10:00）要晚于开始（12:00）。"),
        ("25:00", "26:00", "“开始时间”不是时间：25:00。请写成 09:30 这样。"),
    ],
)
def test_hours_at_which_nobody_may_be_contacted_are_refused(begin: str, end: str, words: str) -> None:
    window = {"begin": begin, "end": end, "weekdays": [1, 2, 3]}
    assert words in problems(hours={"windows": [window]}).values()


_names = st.text("甲乙丙丁abc", min_size=1, max_size=6)
_days = st.integers(0, 30)
_times = st.tuples(st.integers(9, 14), st.integers(15, 20))
_rules = st.builds(
    Rule,
    _names,
    _names,
    st.builds(Amount, _days, st.just(Unit.DAYS)),
    st.booleans(),
    st.none() | st.builds(Amount, st.integers(30, 60), st.just(Unit.DAYS)),
    st.none() | st.builds(Amount, _days, st.sampled_from(Unit)),
    st.integers(0, 36),
    st.integers(0, 9),
    st.sampled_from(Late),
)
_windows = st.builds(
    lambda clock, days, season: Window(time(clock[0]), time(clock[1]), tuple(sorted(days)), season),
    _times,
    st.sets(st.integers(1, 7), min_size=1),
    st.none() | st.just(Season((10, 1), (4, 30))),
)
_definitions = st.builds(
    Definition,
    _names,
    st.lists(_rules, min_size=1, max_size=4, unique_by=lambda made: made.id).map(tuple),
    st.builds(Audience, st.just(("VIP",)), st.just(()), st.lists(st.builds(Condition, _names, st.just(("是",))), max_size=2).map(tuple), st.just((3, 9))),
    st.dictionaries(_names, _names, max_size=2),
    st.builds(Hours, st.lists(_windows, min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Sampling, st.just((Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.3))), st.booleans()),
    st.builds(Retry, st.integers(0, 3), st.just(timedelta(hours=24)), st.just(timedelta(hours=72))),
    st.just(("sms", "email")),
    st.integers(1, 9),
    st.integers(1, 100),
    st.none() | st.just(date(2026, 3, 1)),
    st.none() | st.just(date(2026, 9, 1)),
)


@settings(max_examples=60, deadline=None)
@given(_definitions)
def test_what_is_written_is_read_back(made: Definition) -> None:
    assert definition(as_json(made)) == made


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rules", "hours", "windows", "after", "number", "unit", "id", "sampling", "strata", "share", "season", "x"]), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_json)
def test_whatever_is_sent_is_read_or_refused_with_words(raw: object) -> None:
    try:
        definition(raw)
    except DefinitionErrors as errors:
        assert all(problem.message for problem in errors.problems)


# —— done again by reason ——————————————————————————————————————————————————————


def test_a_definition_from_before_there_were_reasons_does_nothing_more_than_it_did() -> None:
    made = definition({**GOOD, "retry": {"times": 2, "interval_hours": 48, "expires_hours": 72}})
    assert made.retry == Retry(2, timedelta(days=2), timedelta(days=3), Again(), Again())
    assert not made.retry.not_delivered.times and not made.retry.unfinished.times


def test_each_reason_has_its_own_number_and_interval() -> None:
    parts = {"not_delivered": {"times": 3, "interval_hours": 2}, "unfinished": {"times": 1, "interval_hours": 36}}
    made = definition({**GOOD, "retry": parts})
    assert (made.retry.not_delivered, made.retry.unfinished) == (Again(3, timedelta(hours=2)), Again(1, timedelta(hours=36)))
    assert definition(as_json(made)) == made


@pytest.mark.parametrize(
    ("part", "path", "said"),
    [
        ({"not_delivered": {"times": 4}}, "retry.not_delivered.times", "“暂时没有送达，再发几次”应当是 0 到 3 之间的整数。"),
        ({"not_delivered": {"interval_hours": 0}}, "retry.not_delivered.interval_hours", "“暂时没有送达，隔几小时”应当是 1 到 720 之间的整数。"),
        ({"unfinished": {"interval_hours": 3}}, "retry.unfinished.interval_hours", "“打开了没有答完，隔几小时”应当是 4 到 720 之间的整数。"),
        ({"unfinished": {"often": 3}}, "retry.unfinished.often", "没有“often”这一项设置，请检查写法。"),
        ({"unfinished": 3}, "retry.unfinished", "这一部分的格式不对。"),
    ],
)
def test_what_is_wrong_with_a_reason_is_said_at_its_field(part: dict, path: str, said: str) -> None:
    assert problems(retry=part) == {path: said}
