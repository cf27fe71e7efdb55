from __future__ import annotations

from multidict import MultiDict

import pytest

from followup.campaigns.definition import Definition, Rule
from followup.campaigns.parse import DefinitionErrors, Problem, as_json, definition
from followup.console.campaigns import form

BASE = as_json(Definition("fruit_order", (Rule("启动后", ""),)))


def rules(*rows: dict[str, str]) -> MultiDict[str]:
    fields = MultiDict[str]()
    for row in rows:
        for name in form._RULE:
            fields.add(name, row.get(name, ""))
    return fields


THREE = {"rule": "3天", "moment": "after", "after_number": "3", "after_unit": "days", "late": "now"}


def test_a_row_in_which_nothing_is_written_is_no_row() -> None:
    made = form.rules_part(rules(THREE, {"moment": "after", "after_unit": "weeks", "deadline_unit": "days", "late": "tell"}))
    assert [rule["id"] for rule in made["rules"]] == ["3天"]
    assert definition({**BASE, **made}).rules[0].after.number == 3
    assert form.hours_part(MultiDict({"begin": "", "end": "", "weekdays": "12345"}))["hours"]["windows"] == []


def test_nothing_that_was_typed_is_dropped() -> None:
    assert form.audience_part(MultiDict({"field": "", "values": "烟台"}))["audience"]["conditions"] == [{"field": "", "values": ["烟台"]}]
    assert form.hours_part(MultiDict({"begin": "", "end": "11:00", "weekdays": "1"}))["hours"]["windows"][0]["end"] == "11:00"
    assert form.strategy_part(MultiDict({"stratum": "", "share": "三成", "stratum_groups": "VIP"}))["sampling"]["strata"][0]["share"] == "三成"


def test_a_row_is_taken_out_by_its_tick() -> None:
    fields = rules(THREE, {**THREE, "rule": "三天后"})
    fields.add("drop", "0")
    assert [rule["id"] for rule in form.rules_part(fields)["rules"]] == ["三天后"]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"moment": "after", "after_number": "3", "after_unit": "weeks"}, "3周"),
        ({"moment": "after", "after_number": "8", "latest_number": "15", "after_unit": "days"}, "8-15天"),
        ({"moment": "evening", "date_field": "签收日期"}, "当天傍晚"),
        ({"moment": "evening", "after_number": "1", "after_unit": "days"}, "1天傍晚"),
        ({"moment": "at_once", "date_field": "签收日期"}, "马上"),
        ({"moment": "after", "after_number": "3", "after_unit": "days"}, "3天（2）"),
    ],
)
def test_a_rule_without_a_name_is_called_by_its_time(row: dict[str, str], name: str) -> None:
    assert form.rules_part(rules(THREE, row))["rules"][1]["id"] == name


@pytest.mark.parametrize("moment", ["after", "evening", "at_once"])
def test_the_kind_of_time_is_read_back_as_it_was_chosen(moment: str) -> None:
    made = form.rules_part(rules({"rule": "甲", "moment": moment, "after_number": "2", "after_unit": "days", "date_field": "签收日期"}))
    stored = as_json(definition({**BASE, **made}))["rules"][0]
    assert form.moment_of(stored) == moment


def test_a_span_counts_only_where_a_time_is_counted() -> None:
    row = {"rule": "甲", "after_number": "8", "after_unit": "days", "latest_number": "15"}
    assert form.rules_part(rules({**row, "moment": "after"}))["rules"][0]["latest"] == {"number": "15", "unit": "days"}
    assert form.rules_part(rules({**row, "moment": "at_once"}))["rules"][0]["latest"] is None


@pytest.mark.parametrize(("written", "share"), [("30", 0.3), ("30%", 0.3), ("33.3％", 0.333), ("100", 1.0), ("", ""), ("半数", "半数"), ("nan", "nan"), ("-5", "-5")])
def test_a_share_is_written_as_a_percentage_and_what_is_none_stays_as_written(written: str, share: float | str) -> None:
    assert form._share(written) == share


def test_channels_stand_in_the_order_chosen() -> None:
    fields = MultiDict({"order_link": "1", "order_sms": "2", "order_email": ""})
    assert form.strategy_part(fields)["channels"] == ["link", "sms"]


def test_values_of_a_column_may_be_parted_by_any_comma() -> None:
    fields = MultiDict({"field": "城市", "values": "烟台、威海，青岛; 济南"})
    assert form.audience_part(fields)["audience"]["conditions"] == [{"field": "城市", "values": ["烟台", "威海", "青岛", "济南"]}]


def test_a_problem_names_its_row() -> None:
    assert form.told(Problem("rules.1.after.number", "不对。")) == "第 2 个联系时间：不对。"
    assert form.told(Problem("hours.windows.0.end", "不对。")) == "第 1 个时段：不对。"
    assert form.told(Problem("channels", "不对。")) == "不对。"


def test_what_an_empty_form_lacks_is_told_and_nothing_breaks() -> None:
    empty = MultiDict[str]()
    for part in (form.rules_part, form.hours_part, form.strategy_part):
        with pytest.raises(DefinitionErrors):
            definition({**BASE, **part(empty)})
    assert definition({**BASE, **form.audience_part(empty)}).audience.groups == ()


def test_each_reason_to_contact_again_is_a_row_of_its_own() -> None:
    fields = {"retry_times": "1", "interval_hours": "24", "not_delivered_times": "2", "not_delivered_hours": "六", "unfinished_times": "0", "unfinished_hours": "48"}
    retry = form.strategy_part(MultiDict(fields))["retry"]
    assert retry["not_delivered"] == {"times": "2", "interval_hours": "六"}  # as it was typed, to be shown again
    assert retry["unfinished"] == {"times": "0", "interval_hours": "48"}
    assert "unfinished" not in form.strategy_part(MultiDict({"retry_times": "1"}))["retry"]
