"""Advice: what the documents ask for, where a campaign departs from it."""

from datetime import time

from followup.campaigns.advice import advice
from followup.campaigns.definition import Amount, Definition, Hours, Rule, Sampling, Stratum, Unit, Window

RULES = (Rule("3天", "签收日期", Amount(3, Unit.DAYS)),)


def words(made: Definition, schedule: dict | None = None) -> list[str]:
    return [problem.message for problem in advice(made, schedule)]


def test_a_campaign_by_the_documents_needs_no_advice() -> None:
    assert words(Definition("s", RULES), {"after": "签收", "days": 3}) == []


def test_fewer_ordinary_customers_than_the_documents_ask_for() -> None:
    strata = (Stratum("重点", ("VIP",), 1.0), Stratum("普通", (), 0.2))
    assert words(Definition("s", RULES, sampling=Sampling(strata))) == ["“普通”只抽 20%，按规定普通客户不应少于 30%。"]


def test_key_customers_are_all_contacted() -> None:
    strata = (Stratum("重点", ("VIP",), 0.5), Stratum("普通", (), 0.3))
    assert words(Definition("s", RULES, sampling=Sampling(strata))) == ["“重点”里有重点客户，按规定应当全部回访，现在只抽 50%。"]


def test_hours_that_disturb() -> None:
    found = words(Definition("s", RULES, hours=Hours((Window(time(11, 45), time(12, 30)), Window(time(18), time(20))))))
    assert len(found) == 3 and "午休" in found[0]


def test_the_scripts_own_time_is_missed() -> None:
    assert words(Definition("s", RULES), {"after": "购买", "weeks": 3}) == ["这份话术是为“购买”后 3 周写的，现在没有这个时间的联系。"]
